"""How much memory a part of a model is going to take, before it is loaded. Without torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nodeflow import Device, InputError, Precision, Recipe
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable

_FOLDERS = {
    "denoiser": ("unet", "transformer"),
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


def expected_bytes(recipe: Recipe, device: Device) -> Callable[[], int]:
    """Asks how many bytes the weights of a recipe will hold on a device; 0 if nobody can tell.

    An estimate by the heads of the files, which is good enough to make room by.
    """

    def expected() -> int:
        width = 4 if device.precision is Precision.FP32 else 2
        try:
            return width * sum(_numbers(Path(path), recipe.part) for path in _files(recipe))
        except (InputError, OSError):
            return 0  # who loads it says what is wrong

    return expected


def _files(recipe: Recipe) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, (recipe.path, *recipe.files)):
        if path.is_dir():
            folders = [path / name for name in _FOLDERS.get(recipe.part, ())]
            there = [folder for folder in folders if folder.is_dir()] or [path]
            found += [file for folder in there for file in _one_variant(folder)]
        else:
            found.append(path)
    return found


def _one_variant(folder: Path) -> list[Path]:
    """The safetensors files of a folder; of two that hold the same only one."""
    files = sorted(folder.glob("*.safetensors"))
    plain = [file for file in files if "." not in file.stem]
    return plain or files


def _numbers(path: Path, part: str) -> int:
    """How many numbers the weights of a part are in a file."""
    table = TensorTable.read(path)
    mine = _STARTS.get(part, ())
    others = tuple(start for starts in _STARTS.values() for start in starts)
    whole = any(name.startswith(others) for name in table.entries)
    return sum(
        entry.size // _BYTES.get(entry.dtype, 1)
        for name, entry in table.entries.items()
        if not whole or (name.startswith(mine) if mine else not name.startswith(others))
    )
