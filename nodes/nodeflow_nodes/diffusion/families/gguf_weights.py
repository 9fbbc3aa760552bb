"""Weights out of GGUF files: kept in their blocks, and unpacked layer by layer when they are used.

The blocks are read by diffusers' `GGUFParameter` and computed with by its `GGUFLinear`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.blocks import in_blocks, unpacked
from nodeflow_nodes.diffusion.families.pretrained import dtype_of
from nodeflow_nodes.diffusion.families.streaming import Resting
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.gguf_files import open_gguf, stays_in_blocks, tensor_shape

if TYPE_CHECKING:
    from gguf import GGUFReader, ReaderTensor

_PLAIN: Mapping[str, torch.dtype] = {
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F64": torch.float64,
}


def read_gguf_weights(
    table: TensorTable, prefix: str, device: Device, *, as_stored: bool
) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it.

    Args:
        table: The file.
        prefix: Before the names.
        device: In whose precision tensors are that are not in blocks.
        as_stored: Leave matrices in their blocks, mapped to the file; the network must hold them
            with `hold_blocks`.

    Raises:
        InputError: The file cannot be read, or its blocks are of a kind that diffusers does not
            know.
    """
    reader = open_gguf(table.path)
    if isinstance(device, Resting) and device.weights is not None:
        mapped: Any = reader.data
        device.weights.adopt(mapped._mmap, torch.from_numpy(mapped))
    return {
        tensor.name.removeprefix(prefix): _read(table, reader, tensor, dtype_of(device), as_stored)
        for tensor in reader.tensors
        if tensor.name.startswith(prefix)
    }


def _read(
    table: TensorTable,
    reader: GGUFReader,
    tensor: ReaderTensor,
    dtype: torch.dtype,
    as_stored: bool,
) -> Tensor:
    utils: Any = importlib.import_module("diffusers.quantizers.gguf.utils")
    kind, shape = tensor.tensor_type.name, tensor_shape(reader, tensor)
    data = torch.from_numpy(tensor.data)
    if kind in _PLAIN:
        return data.view(_PLAIN[kind]).reshape(shape).to(dtype)
    if tensor.tensor_type not in utils.SUPPORTED_GGUF_QUANT_TYPES:
        known = ", ".join(sorted(found.name for found in utils.SUPPORTED_GGUF_QUANT_TYPES))
        raise InputError(
            f"{table.path}: the tensor '{tensor.name}' is stored as {kind}, which cannot be read; "
            f"choose a file in one of {known}"
        )
    if as_stored and stays_in_blocks(kind, shape):
        # Of one that was folded the rows are other ones, and the blocks lie in the same order.
        rows: Tensor = utils.GGUFParameter(
            data.reshape(shape[0], -1), quant_type=tensor.tensor_type
        )
        return rows
    found: Tensor = utils.GGUFParameter(data, quant_type=tensor.tensor_type)
    return unpacked(found).reshape(shape).to(dtype)


def hold_blocks(
    network: nn.Module, state: Mapping[str, Tensor], device: Device
) -> dict[str, Tensor]:
    """Make a network hold the matrices of a state that are in blocks.

    Args:
        network: Its own weights are replaced.
        state: All weights by name.
        device: In whose precision it computes.

    Returns:
        What is left of the state: it holds that as any network does.
    """
    from diffusers.quantizers.gguf.utils import GGUFLinear

    left: dict[str, Tensor] = {}
    dtype = dtype_of(device)
    for name, tensor in state.items():
        place, _, own = name.rpartition(".")
        if not in_blocks(tensor):
            left[name] = tensor
            continue
        old: Any = network.get_submodule(place)
        if type(old) is not nn.Linear or own != "weight":
            left[name] = unpacked(tensor).to(dtype)
            continue
        with torch.device("meta"):
            linear = GGUFLinear(
                old.in_features, old.out_features, old.bias is not None, compute_dtype=dtype
            )
        parameters: dict[str, Any] = linear._parameters
        parameters["weight"] = tensor
        network.set_submodule(place, linear)
    return left
