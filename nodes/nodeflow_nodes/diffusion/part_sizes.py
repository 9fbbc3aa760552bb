"""How much memory a part of a model is going to take, before it is loaded. Without torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from pathlib import Path

from nodeflow import Device, InputError, Precision, Recipe
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.gguf_files import SUFFIX, is_gguf, stays_in_blocks
from nodeflow_nodes.diffusion.headers import Entry
from nodeflow_nodes.diffusion.modular_folders import stepping
from nodeflow_nodes.diffusion.quantize_checks import SMALLEST, quantized_weights

_FOLDERS = {
    "text_encoder": ("text_encoder", "text_encoder_2", "text_encoder_3"),
    "vae": ("vae",),
}
_STARTS = {
    "text_encoder": ("cond_stage_model.", "conditioner.", "text_encoders.", "te."),
    "vae": ("first_stage_model.", "vae."),
}
"""How names of a part's tensors begin in files with whole models; all others are the network's."""

_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2}
"""Of a number as it is stored; all others take one."""

_QUANTIZED = {"int8": 1.0, "fp8": 1.0, "nf4": 0.5}
"""Bytes of a number in a matrix that was quantised; its scales are few."""


def expected_bytes(recipe: Recipe, device: Device) -> Callable[[], int]:
    """Asks how many bytes the weights of a recipe will hold on a device; 0 if nobody can tell.

    An estimate by the heads of the files, which is good enough to make room by. What is laid over
    the weights changes it only if it quantises them.
    """

    def expected() -> int:
        try:
            return _expected(recipe, device.precision)
        except (InputError, OSError):
            return 0  # who loads it says what is wrong

    return expected


@lru_cache(maxsize=64)
def _expected(recipe: Recipe, precision: Precision) -> int:
    width = 4 if precision is Precision.FP32 else 2
    weights = quantized_weights(recipe.patches)
    return sum(_bytes(path, recipe.part, width, weights) for path in _files(recipe))


def _files(recipe: Recipe) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, (recipe.path, *recipe.files)):
        if path.is_dir():
            names = _FOLDERS.get(recipe.part, ())
            if recipe.part == "denoiser":
                # Some models have two, each for some of the noise or for a half of guidance.
                names = tuple(stepping(part.name for part in path.iterdir()))
            there = [path / name for name in names if (path / name).is_dir()] or [path]
            found += [file for folder in there for file in _one_variant(folder)]
        else:
            found.append(path)
    return found


def _one_variant(folder: Path) -> list[Path]:
    """The safetensors files of a folder, or what is in place of them; of two that hold the same
    only one."""
    files = sorted(folder.glob("*.safetensors")) or sorted(folder.glob(f"*{SUFFIX}"))
    plain = [file for file in files if "." not in file.stem]
    return plain or files


def _bytes(path: Path, part: str, width: int, weights: str) -> int:
    """What the weights of a part that are in a file take, in numbers of `width` bytes."""
    table = TensorTable.read(path)
    mine = _STARTS.get(part, ())
    others = tuple(start for starts in _STARTS.values() for start in starts)
    whole = any(name.startswith(others) for name in table.entries)
    in_blocks = part == "denoiser" and is_gguf(path)
    return sum(
        entry.size if in_blocks and _stays(entry) else int(_numbers(entry) * per_number)
        for name, entry in table.entries.items()
        if not whole or (name.startswith(mine) if mine else not name.startswith(others))
        for per_number in [_QUANTIZED[weights] if weights and _rounded(name, entry) else width]
    )


def _stays(entry: Entry) -> bool:
    """Whether a tensor of a GGUF file stays in its blocks."""
    return entry.dtype not in _BYTES and stays_in_blocks(entry.dtype, entry.shape)


def _rounded(name: str, entry: Entry) -> bool:
    """Whether `quantize` keeps a tensor in few bits: the matrices of layers."""
    in_a_layer = any(part.isdigit() for part in name.split("."))
    return in_a_layer and len(entry.shape) == 2 and prod(entry.shape) >= SMALLEST


def _numbers(entry: Entry) -> int:
    return prod(entry.shape)
