"""Latents in patches, as transformers walk them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def whole_patches(x: Tensor, patch: int) -> Tensor:
    """x [batch, channel, height, width] with sides filled up to whole patches, from the other end,
    so that latents of every size can be walked."""
    rows, columns = (-side % patch for side in x.shape[2:])
    if not rows and not columns:
        return x
    return nn.functional.pad(x, (0, columns, 0, rows), mode="circular")


def packed(x: Tensor) -> Tensor:
    """Squares of two by two: [batch, channel, height, width] as [batch, squares, 4 channel]."""
    batch, channels, height, width = x.shape
    squares = x.reshape(batch, channels, height // 2, 2, width // 2, 2)
    return squares.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels * 4)


def unpacked(squares: Tensor, shape: torch.Size) -> Tensor:
    """The way back from `packed`, to this shape."""
    batch, channels, height, width = shape
    found = squares.view(batch, height // 2, width // 2, channels, 2, 2)
    return found.permute(0, 3, 1, 4, 2, 5).reshape(shape)
