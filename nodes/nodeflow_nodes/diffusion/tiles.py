"""Autoencoders tile by tile: where tiles lie, and how they pass into each other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeflow_nodes.diffusion.families.even_norms import EvenNorms
from nodeflow_nodes.diffusion.families.family import Autoencoder, Normalizing

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

    def piece(number: int, row: Strip, column: Strip) -> Tensor:
        latent = latents[number : number + 1, ..., row.start : row.stop, column.start : column.stop]
        return network.decode(latent).movedim(-1, 1)

    height, width = latents.shape[-2:]
    rows, columns = (strips(side, tiling, network.downscale) for side in (height, width))
    work = _Work(len(latents), rows, columns, network.downscale, piece)
    return work.done_by(network, told).movedim(1, -1).contiguous()


def encoded_in_tiles(
    network: Autoencoder, images: Tensor, noise: Tensor | None, tiling: Tiling, told: Told
) -> Tensor:
    """Latents of pictures on the CPU, otherwise as `Autoencoder.encode` gives them."""
    side = network.downscale

    def piece(number: int, row: Strip, column: Strip) -> Tensor:
        down = slice(row.start * side, row.stop * side)
        across = slice(column.start * side, column.stop * side)
        image = images[number : number + 1, down, across]
        if noise is None:
            return network.encode(image, None)
        place = (..., slice(row.start, row.stop), slice(column.start, column.stop))
        return network.encode(image, noise[number : number + 1][place])

    height, width = images.shape[1:3]
    rows, columns = (strips(length // side, tiling, 1) for length in (height, width))
    return _Work(len(images), rows, columns, 1, piece).done_by(network, told)


@dataclass(frozen=True)
class _Work:
    """Tiles that are to become pictures.

    Attributes:
        count: How many pictures.
        rows: Where tiles lie from top to bottom.
        columns: Where they lie from left to right.
        scale: Sides of the result to those of a latent.
        piece: Makes a tile [1, ..., height * scale, width * scale] of a picture.
    """

    count: int
    rows: Sequence[Strip]
    columns: Sequence[Strip]
    scale: int
    piece: Callable[[int, Strip, Strip], Tensor]

    def done_by(self, network: Autoencoder, told: Told) -> Tensor:
        """All pictures, each of its tiles by their shares."""
        tiles = list(itertools.product(self.rows, self.columns))
        norms = EvenNorms(
            network.norms() if len(tiles) > 1 and isinstance(network, Normalizing) else ()
        )
        total = self.count * len(tiles) * (2 if norms else 1)
        steps = itertools.count(1)
        told(0, total)
        pictures = []
        for number in range(self.count):
            if norms:
                with norms.learning():
                    for tile in tiles:
                        self.piece(number, *tile)
                        told(next(steps), total)
            with norms.applied():
                result: Tensor | None = None
                for tile in tiles:
                    result = self._laid(result, tile, self.piece(number, *tile).float().cpu())
                    told(next(steps), total)
            assert result is not None  # a picture has at least one tile
            pictures.append(result)
        return torch.cat(pictures)

    def _laid(self, onto: Tensor | None, tile: tuple[Strip, Strip], part: Tensor) -> Tensor:
        """A tile laid onto others; None begins a picture."""
        row, column = tile
        if onto is None:
            sides = (self.rows[-1].stop * self.scale, self.columns[-1].stop * self.scale)
            onto = torch.zeros(*part.shape[:-2], *sides)
        down = slice(row.start * self.scale, row.stop * self.scale)
        across = slice(column.start * self.scale, column.stop * self.scale)
        onto[..., down, across] += part * row.share[:, None] * column.share
        return onto
