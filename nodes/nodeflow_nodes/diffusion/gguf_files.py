"""GGUF files: weights in blocks of few bits. Their heads are read by the package `gguf`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nodeflow import InputError
from nodeflow_nodes.diffusion.headers import Entry, unreadable

if TYPE_CHECKING:
    from gguf import GGUFReader, ReaderTensor

SUFFIX = ".gguf"
_SHAPE = "comfy.gguf.orig_shape."
"""Begins the field with the shape of a tensor that was folded, since blocks are no cubes."""


def is_gguf(path: Path) -> bool:
    """Whether a file calls itself one."""
    return path.suffix.lower() == SUFFIX


def read_gguf_entries(path: Path) -> dict[str, Entry]:
    """The tensors of a file by name, as those of a safetensors file.

    Their number formats are `F32`, `F16`, `BF16`, or those of blocks: `Q8_0`, `Q4_K`, ...

    Raises:
        InputError: It is missing or damaged, or the package is not installed.
    """
    reader = open_gguf(path)
    return {
        tensor.name: Entry(
            tensor.tensor_type.name,
            tensor_shape(reader, tensor),
            int(tensor.data_offset),
            int(tensor.n_bytes),
        )
        for tensor in reader.tensors
    }


def open_gguf(path: Path) -> GGUFReader:
    """The file, mapped.

    Raises:
        InputError: As `read_gguf_entries`.
    """
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise InputError(
            f"{path} is a GGUF file, and the package gguf, which reads it, is not installed: "
            "python -m pip install 'nodeflow[quantized]'"
        ) from error
    try:
        # Copied where it is written to, which nobody does; torch wants it so.
        return GGUFReader(path, "c")
    except OSError as error:
        raise InputError(unreadable("the file of weights", path, error)) from error
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise InputError(
            f"{path} is not a whole GGUF file ({error}); fetch the file again"
        ) from error


def stays_in_blocks(kind: str, shape: Sequence[int]) -> bool:
    """Whether a tensor is kept in blocks: matrices are whose rows are whole numbers of them. Of a
    matrix that was folded blocks may reach from one row into the next.

    Args:
        kind: `Q8_0`, `Q4_K`, ...
        shape: As torch has it.
    """
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    numbers, _ = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    return len(shape) == 2 and shape[1] % numbers == 0


def tensor_shape(reader: GGUFReader, tensor: ReaderTensor) -> tuple[int, ...]:
    """Its shape as torch has it."""
    folded = reader.get_field(_SHAPE + tensor.name)
    if folded is not None:
        return tuple(int(side) for side in folded.contents())
    return tuple(int(side) for side in reversed(tensor.shape))
