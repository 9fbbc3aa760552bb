"""The node that names an upscaler's file: its header is read, its weights are not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from blake3 import blake3
from safetensors import SafetensorError, safe_open

from nodeflow import File, InputError, Recipe, Upscaler, node

PICKLES = (".pth", ".pt", ".ckpt")


@node(title="Load upscaler", category="upscale", version="1", on="io")
def load_upscaler(
    file: Annotated[Path, File("upscalers")] = Path("emoji_x4.safetensors"),
) -> Upscaler:
    """Choose a network that enlarges pictures; it is loaded only when a picture needs it.

    Args:
        file: The network's weights, of any architecture that spandrel knows: `.safetensors`, or
            `.pth`, `.pt` and `.ckpt`, of which nothing but tensors is read.

    Raises:
        InputError: The file is missing, cut off, or of another kind.
    """
    suffix = file.suffix.lower()
    try:
        if suffix == ".safetensors":
            _require_tensors(file)
        elif suffix not in PICKLES:
            raise InputError(
                f"'{file.name}' ends in '{suffix}'; an upscaler is a file of .safetensors, "
                f"{', '.join(PICKLES)}"
            )
        digest = blake3().update_mmap(file).hexdigest(16)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"the upscaler '{file}' cannot be opened: {reason}") from error
    return Upscaler(Recipe(str(file), digest, part="upscaler", family="spandrel"))


def _require_tensors(file: Path) -> None:
    try:
        with safe_open(file, framework="numpy") as opened:
            if not opened.keys():
                raise InputError(f"the upscaler '{file.name}' holds no weights; download it again")
    except SafetensorError as error:
        raise InputError(
            f"the upscaler '{file.name}' is damaged or cut off ({error}); download it again"
        ) from error
