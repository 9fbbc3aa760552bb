"""Tiles cover everything, and come together as if there had been none."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.upscale.checks import require_room
from nodeflow_nodes.upscale.tiles import Tiler, in_tiles, spans

from nodeflow import InputError, OutOfMemoryError

SIZES = st.integers(1, 50)


@given(st.integers(1, 500), st.integers(16, 80), st.data())
def test_spans_cover_every_pixel_and_neighbours_share_the_overlap(
    size: int, tile: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, tile // 2))
    found = spans(size, tile, overlap)
    assert found[0].start == 0
    assert found[-1].stop == size
    assert all(0 < span.stop - span.start <= tile for span in found)
    step = 1 << min(5, (tile - overlap).bit_length() - 1)
    assert all(span.start % step == 0 for span in found)
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
    assert len(counted) == len(calls) - 1
    assert max(max(shape[1:]) for shape in calls[:-1]) <= tile


def test_an_overlap_that_does_not_fit_is_said_before_the_run() -> None:
    with pytest.raises(InputError, match=r"overlap of 9 pixels on both sides.*at most 8"):
        require_room(16, 9)
    with pytest.raises(InputError, match=r"a tile of 15 pixels is too small.*at least 16, or 0"):
        require_room(15, 0)
    require_room(16, 8)
    require_room(0, 32)
    require_room({}, 9)


def doubled(part: torch.Tensor) -> torch.Tensor:
    return part.repeat_interleave(2, 1).repeat_interleave(2, 2)


def tiler(enlarge: Callable[[torch.Tensor], torch.Tensor], tile: int, told: list[Any]) -> Tiler:
    return Tiler(enlarge, 2, tile, 8, planes=2, told=lambda *done: told.append(done))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_tiles_too_large_for_the_memory_become_smaller_and_stay_so(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    sides: list[int] = []

    def enlarge(part: torch.Tensor) -> torch.Tensor:
        sides.append(max(part.shape))
        if part[0].numel() > 24 * 24:
            raise error
        return doubled(part)

    planes, told = torch.rand(1, 30, 70), []
    small = tiler(enlarge, 64, told)
    torch.testing.assert_close(small.enlarged(planes), doubled(planes))
    assert capsys.readouterr().out == (
        "Out of memory: going on with tiles of 32 pixels.\n"
        "Out of memory: going on with tiles of 16 pixels.\n"
    )
    before = len(sides)
    small.enlarged(planes)
    assert max(sides[before:]) == 16
    assert told == [(n, len(told)) for n in range(1, len(told) + 1)]


def test_a_memory_too_small_for_any_tile_and_other_errors_are_told() -> None:
    def full(part: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    def broken(part: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(OutOfMemoryError, match="even with tiles of 1"):
        tiler(full, 64, []).enlarged(torch.rand(1, 70, 70))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        tiler(broken, 64, []).enlarged(torch.rand(1, 70, 70))
