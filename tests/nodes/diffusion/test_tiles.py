"""Tiles cover everything, and come together as if there had been none."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.diffusion.tile_checks import check_decode_tiled, check_tiles
from nodeflow_nodes.diffusion.tiles import (
    Tiling,
    decoded_in_tiles,
    encoded_in_tiles,
    strips,
)
from torch import Tensor

from nodeflow import InputError

TILINGS = st.builds(
    lambda tile, part: Tiling(tile, int(tile * part / 2)), st.integers(2, 20), st.floats(0, 1)
)


class Blocks:
    """An autoencoder whose every latent pixel is the mean of a square, and nothing else."""

    size, channels, downscale = 0, 3, 4

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def encode(self, images: Tensor, noise: Tensor | None) -> Tensor:
        mean = torch.nn.functional.avg_pool2d(images.movedim(-1, 1), self.downscale)
        self.seen.append((mean.shape[2], mean.shape[3]))
        return mean if noise is None else mean + noise

    def decode(self, latents: Tensor) -> Tensor:
        self.seen.append((latents.shape[2], latents.shape[3]))
        wide = latents.repeat_interleave(self.downscale, 2).repeat_interleave(self.downscale, 3)
        return wide.movedim(1, -1)


@given(st.integers(1, 300), TILINGS, st.integers(1, 3))
def test_strips_share_every_pixel_out(side: int, tiling: Tiling, scale: int) -> None:
    found = strips(side, tiling, scale)
    total = torch.zeros(side * scale)
    for strip in found:
        assert strip.stop - strip.start == min(tiling.tile, side)
        assert bool((strip.share > 0).all())
        total[strip.start * scale : strip.stop * scale] += strip.share
    torch.testing.assert_close(total, torch.ones(side * scale))
    assert all(a.stop - b.start >= tiling.overlap for a, b in itertools.pairwise(found))


@given(st.integers(1, 40), st.integers(1, 40), TILINGS, st.integers(1, 2))
def test_what_looks_at_single_places_comes_back_whatever_the_size(
    height: int, width: int, tiling: Tiling, batch: int
) -> None:
    network = Blocks()
    latents = torch.rand(batch, 3, height, width)
    told: list[tuple[int, int]] = []
    pictures = decoded_in_tiles(network, latents, tiling, lambda *done: told.append(done))
    assert max(map(max, network.seen)) <= tiling.tile
    count = len(network.seen)
    assert told == [(done, count) for done in range(count + 1)]
    torch.testing.assert_close(pictures, Blocks().decode(latents))
    noise = torch.randn(latents.shape)
    for drawn in (None, noise):
        again = encoded_in_tiles(network, pictures, drawn, tiling, lambda *done: None)
        torch.testing.assert_close(again, Blocks().encode(pictures, drawn))


def test_neighbours_pass_into_each_other_without_a_step() -> None:
    """Two tiles of different brightness: the way from one to the other is even."""

    class Steps(Blocks):
        def decode(self, latents: Tensor) -> Tensor:
            return super().decode(torch.full_like(latents, float(len(self.seen))))

    row = decoded_in_tiles(Steps(), torch.zeros(1, 3, 4, 12), Tiling(8, 4), lambda *done: None)
    steps = row[0, 0, :, 0].diff()
    assert row.min() == 0
    assert row.max() == 1
    assert bool((steps >= 0).all())
    assert float(steps.max()) < 1.5 / 16


def test_an_overlap_that_does_not_fit_is_said_before_the_run() -> None:
    with pytest.raises(InputError, match=r"overlap of 72 pixels on both sides .* at most 64"):
        check_tiles(128, 72)
    with pytest.raises(InputError, match="overlap of 72"):
        check_decode_tiled(None, None, 128, 72)
    with pytest.raises(InputError, match="the latent has channels 16"):
        check_decode_tiled({"channels": 4}, {"channels": 16}, 128, 64)
    check_decode_tiled({}, {}, {}, 72)
