"""Autoencoders tile by tile: where tiles lie, and how they pass into each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeflow_nodes.diffusion.families.family import Autoencoder

Told = Callable[[int, int], None]
"""Given how many tiles are done and of how many, before the first and after each; may raise."""


@dataclass(frozen=True)
class Tiling:
    """How large tiles are.

    Attributes:
        tile: Longest side of a tile, in latent pixels.
        overlap: What neighbours share at least, in latent pixels; at most half of `tile`.
    """

    tile: int
    overlap: int


@dataclass(frozen=True)
class Strip:
    """A piece of one side of a picture.

    Attributes:
        start: Its first latent pixel.
        stop: The one after its last.
        share: float32 [(stop - start) * scale]: its part in what comes of each of them; the shares
            of all strips add up to 1 everywhere.
    """

    start: int
    stop: int
    share: Tensor


def strips(side: int, tiling: Tiling, scale: int) -> list[Strip]:
    """Strips of equal length that cover a side, spread evenly.

    Args:
        side: Its length in latent pixels.
        tiling: How long strips may be.
        scale: Into how many parts a latent pixel is cut for the shares.
    """
    tile, overlap = tiling.tile, tiling.overlap
    if side <= tile:
        return [Strip(0, side, torch.ones(side * scale))]
    gaps = math.ceil((side - tile) / (tile - overlap))
    starts = [index * (side - tile) // gaps for index in range(gaps + 1)]
    place = (torch.arange(tile * scale) + 0.5) / scale
    ramp = (place / max(overlap, 0.5 / scale)).clamp(max=1)
    shares, total = [], torch.zeros(side * scale)
    for start in starts:
        share = torch.ones(tile * scale)
        if start > 0:
            share *= ramp
        if start + tile < side:
            share *= ramp.flip(0)
        total[start * scale : (start + tile) * scale] += share
        shares.append(share)
    return [
        Strip(start, start + tile, share / total[start * scale : (start + tile) * scale])
        for start, share in zip(starts, shares, strict=True)
    ]


def decoded_in_tiles(network: Autoencoder, latents: Tensor, tiling: Tiling, told: Told) -> Tensor:
    """Pictures of latents on the CPU, otherwise as `Autoencoder.decode` gives them."""

    def piece(row: Strip, column: Strip) -> Tensor:
        part = latents[..., row.start : row.stop, column.start : column.stop]
        return network.decode(part).movedim(-1, 1)

    height, width = latents.shape[-2:]
    rows, columns = (strips(side, tiling, network.downscale) for side in (height, width))
    return _joined(rows, columns, piece, network.downscale, told).movedim(1, -1).contiguous()


def encoded_in_tiles(
    network: Autoencoder, images: Tensor, noise: Tensor | None, tiling: Tiling, told: Told
) -> Tensor:
    """Latents of pictures on the CPU, otherwise as `Autoencoder.encode` gives them."""
    side = network.downscale

    def piece(row: Strip, column: Strip) -> Tensor:
        part = images[
            :, row.start * side : row.stop * side, column.start * side : column.stop * side
        ]
        if noise is None:
            return network.encode(part, None)
        return network.encode(part, noise[..., row.start : row.stop, column.start : column.stop])

    height, width = images.shape[1:3]
    rows, columns = (strips(length // side, tiling, 1) for length in (height, width))
    return _joined(rows, columns, piece, 1, told)


def _joined(
    rows: list[Strip],
    columns: list[Strip],
    piece: Callable[[Strip, Strip], Tensor],
    scale: int,
    told: Told,
) -> Tensor:
    """All pieces [..., height * scale, width * scale] as one, each by its share."""
    result = torch.zeros(())
    total = len(rows) * len(columns)
    told(0, total)
    for index, (row, column) in enumerate((r, c) for r in rows for c in columns):
        part = piece(row, column).float().cpu()
        if index == 0:
            result = torch.zeros(*part.shape[:-2], rows[-1].stop * scale, columns[-1].stop * scale)
        down = slice(row.start * scale, row.stop * scale)
        across = slice(column.start * scale, column.stop * scale)
        result[..., down, across] += part * row.share[:, None] * column.share
        told(index + 1, total)
    return result
