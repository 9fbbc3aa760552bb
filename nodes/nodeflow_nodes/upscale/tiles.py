"""A picture in overlapping tiles, and tiles back into a picture without seams."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeflow import OutOfMemoryError, is_out_of_memory
from nodeflow_nodes.upscale.checks import SMALLEST

Enlarge = Callable[[Tensor], Tensor]

_WINDOWS = 32
"""Side of the largest windows that networks are known to have, in pixels."""


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
    """Tiles that cover `size` pixels, spread evenly; neighbours share at least `overlap`.

    They begin at multiples of a power of two: networks that look through windows then see the same
    windows as in the whole picture.
    """
    if size <= tile:
        return [Span(0, size, size)]
    step = min(1 << max(tile - overlap, 1).bit_length() - 1, _WINDOWS)
    last = math.ceil((size - tile) / step)
    gaps = math.ceil(last / ((tile - overlap) // step))
    starts = [index * last // gaps * step for index in range(gaps + 1)]
    return [Span(start, min(start + tile, size), size) for start in starts]


class Tiler:
    """Enlarges planes of one size tile by tile; tiles become smaller if the memory is too small."""

    def __init__(
        self,
        enlarge: Enlarge,
        scale: int,
        tile: int,
        overlap: int,
        *,
        planes: int,
        told: Callable[[int, int], None],
        give_way: Callable[[], bool] = lambda: False,
    ) -> None:
        """Arguments as those of `in_tiles`.

        Args:
            planes: How many times `enlarged` will be called.
            told: Given how many tiles are done and of how many; may raise to stop.
            give_way: Lets go of what else is in memory, and says whether there was anything; asked
                before tiles become smaller.
        """
        self._enlarge = enlarge
        self._scale = scale
        self._tile = tile
        self._overlap = overlap
        self._planes = planes
        self._told = told
        self._give_way = give_way
        self._done = 0

    def enlarged(self, planes: Tensor) -> Tensor:
        """[channel, height, width], enlarged.

        Raises:
            OutOfMemoryError: The memory does not even hold the smallest tile.
        """
        self._tile = min(self._tile, max(planes.shape[1:]))
        while True:
            try:
                return self._attempt(planes)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            # Only here, after the error, nobody holds the tensors of the attempt any more.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if self._give_way():
                continue
            if self._tile // 2 < SMALLEST:
                raise OutOfMemoryError(
                    f"out of memory, even with tiles of {self._tile} pixels; make the picture "
                    "smaller, or close what else uses the memory"
                )
            self._tile //= 2
            print(f"Out of memory: going on with tiles of {self._tile} pixels.")

    def _attempt(self, planes: Tensor) -> Tensor:
        height, width = planes.shape[1:]
        overlap = min(self._overlap, self._tile // 2)
        count = len(spans(height, self._tile, overlap)) * len(spans(width, self._tile, overlap))
        tiles = itertools.count(1)

        def after_tile() -> None:
            self._told(self._done * count + next(tiles), self._planes * count)

        enlarged = in_tiles(planes, self._enlarge, self._scale, self._tile, overlap, after_tile)
        self._done += 1
        return enlarged


def in_tiles(
    planes: Tensor,
    enlarge: Enlarge,
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
