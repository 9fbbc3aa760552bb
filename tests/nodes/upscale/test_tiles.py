"""Tiles cover everything, and come together as if there had been none."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.upscale.checks import require_room
from nodeflow_nodes.upscale.tiles import in_tiles, spans, tile_count

from nodeflow import InputError

SIZES = st.integers(1, 50)


@given(st.integers(1, 500), st.integers(16, 80), st.data())
def test_spans_cover_every_pixel_and_neighbours_share_the_overlap(
    size: int, tile: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, tile // 2))
    found = spans(size, tile, overlap)
    assert found[0].start == 0
    assert found[-1].stop == size
    assert all(span.stop - span.start == min(tile, size) for span in found)
    assert all(a.stop - b.start >= overlap for a, b in itertools.pairwise(found))


@given(SIZES, SIZES, st.integers(16, 30), st.sampled_from([0, 1, 2, 5, 8]), st.integers(1, 3))
def test_an_enlargement_that_looks_at_single_pixels_comes_back_exactly(
    height: int, width: int, tile: int, overlap: int, scale: int
) -> None:
    planes = torch.arange(height * width, dtype=torch.float32).view(1, height, width) / 40_000
    calls: list[torch.Size] = []

    def enlarge(part: torch.Tensor) -> torch.Tensor:
        calls.append(part.shape)
        return part.repeat_interleave(scale, 1).repeat_interleave(scale, 2)

    counted: list[int] = []
    result = in_tiles(planes, enlarge, scale, tile, overlap, lambda: counted.append(1))
    torch.testing.assert_close(result, enlarge(planes))
    assert len(counted) == tile_count(height, width, tile, overlap)
    assert max(max(shape[1:]) for shape in calls[:-1]) <= tile


def test_an_overlap_that_does_not_fit_is_said_before_the_run() -> None:
    with pytest.raises(InputError, match=r"overlap of 9 pixels on both sides.*at most 8"):
        require_room(16, 9)
    require_room(16, 8)
    require_room({}, 9)
