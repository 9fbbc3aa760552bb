"""The node that names an upscaler's file: its header is read, its weights are not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from blake3 import blake3

from nodeflow import File, Recipe, Upscaler, node
from nodeflow_nodes.upscale.files import UpscalerFile, upscaler_facts


@node(title="Load upscaler", category="upscale", version="1", on="io", facts=upscaler_facts)
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
    UpscalerFile.read(file)
    digest = blake3().update_mmap(file).hexdigest(16)
    return Upscaler(Recipe(str(file), digest, part="upscaler", family="spandrel"))
