"""A picture in overlapping tiles, and tiles back into a picture without seams."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Span:
    """Where a tile lies along one axis: `start` to `stop` of `size` pixels."""

    start: int
    stop: int
    size: int

    def weights(self, overlap: int, scale: int) -> Tensor:
        """Weight of each enlarged pixel: 1 inside, a ramp where a neighbour overlaps.

        The outer 3/8 of an overlap have weight 0, since the network saw an edge near there that
        the picture has not; the ramp takes the quarter after them.
        """
        length = self.stop - self.start
        place = (torch.arange(length * scale) + 0.5) / scale
        weights = torch.ones(length * scale)
        if self.start > 0 and overlap > 0:
            weights *= (4 * place / overlap - 1.5).clamp(0, 1)
        if self.stop < self.size and overlap > 0:
            weights *= (4 * (length - place) / overlap - 1.5).clamp(0, 1)
        return weights


def spans(size: int, tile: int, overlap: int) -> list[Span]:
    """Tiles that cover `size` pixels, spread evenly; neighbours share at least `overlap`."""
    if size <= tile:
        return [Span(0, size, size)]
    gaps = math.ceil((size - tile) / (tile - overlap))
    starts = [index * (size - tile) // gaps for index in range(gaps + 1)]
    return [Span(start, start + tile, size) for start in starts]


def tile_count(height: int, width: int, tile: int, overlap: int) -> int:
    """How many tiles `in_tiles` makes of a picture."""
    return len(spans(height, tile, overlap)) * len(spans(width, tile, overlap))


def in_tiles(
    planes: Tensor,
    enlarge: Callable[[Tensor], Tensor],
    scale: int,
    tile: int,
    overlap: int,
    after_tile: Callable[[], None],
) -> Tensor:
    """Enlarge a picture tile by tile.

    Args:
        planes: [channel, height, width].
        enlarge: Takes [channel, h, w] of at most `tile` pixels a side, gives
            [channel, scale h, scale w] on the CPU.
        scale: How many times larger the result is.
        tile: Longest side of a tile.
        overlap: Pixels that neighbours share; at most half of `tile`.
        after_tile: Called after each tile; may raise to stop.
    """
    height, width = planes.shape[1:]
    rows, columns = spans(height, tile, overlap), spans(width, tile, overlap)
    result: Tensor | None = None
    down, across = torch.zeros(height * scale), torch.zeros(width * scale)
    for row in rows:
        weight_down = row.weights(overlap, scale)
        down[row.start * scale : row.stop * scale] += weight_down
        for column in columns:
            weight_across = column.weights(overlap, scale)
            if row is rows[0]:
                across[column.start * scale : column.stop * scale] += weight_across
            part = enlarge(planes[:, row.start : row.stop, column.start : column.stop])
            if result is None:
                result = torch.zeros(len(part), height * scale, width * scale)
            place = result[
                :,
                row.start * scale : row.stop * scale,
                column.start * scale : column.stop * scale,
            ]
            place += part * (weight_down[:, None] * weight_across)
            after_tile()
    assert result is not None  # a picture has at least one tile
    return result.div_(down[:, None]).div_(across)
