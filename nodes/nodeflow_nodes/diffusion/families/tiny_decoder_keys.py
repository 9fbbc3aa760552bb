"""Small decoders (TAESD and its kin) by the heads of their files. Without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable

TINY_DOWNSCALE = 8
"""Pixels along a side of a latent pixel: all of them double the sides three times."""
_DIFFUSERS = "decoder."
_FIRST = ("layers.0.weight", "1.weight")
"""The first weights as diffusers calls them, and the original, which counts the clamp before."""
_ENCODES = "0.weight"
"""The first weights of the original's other half."""
_RGB = 3


@dataclass(frozen=True)
class TinyDecoderFile:
    """What the head of such a file says.

    Attributes:
        table: Its tensors.
        prefix: What stands before the names of the decoder's.
        channels: Of the latents that it takes. Files for families of one number of channels have
            the same shapes, so which of these families it is for cannot be told.
        width: Channels of its layers.
    """

    table: TensorTable
    prefix: str
    channels: int
    width: int

    @classmethod
    def read(cls, file: Path) -> TinyDecoderFile:
        """Read the head of a file in its original layout, or in that of diffusers.

        Raises:
            InputError: It is broken, or no such decoder.
        """
        table = TensorTable.read(file)
        prefix = _DIFFUSERS if table.starts(f"{_DIFFUSERS}layers.") else ""
        for name in _FIRST:
            shape = table.shape(prefix + name)
            if len(shape) == 4:
                return cls(table, prefix, channels=shape[1], width=shape[0])
        first = table.shape(_ENCODES)
        if len(first) == 4 and first[1] == _RGB:
            raise InputError(
                f"{file} only makes latents of pictures; what makes pictures of latents is another "
                "file, mostly called the same with _decoder at its end"
            )
        raise InputError(f"{file} is no small decoder of latents; take it out of {file.parent}")
