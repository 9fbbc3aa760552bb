from __future__ import annotations

import math

import pytest
import torch
from nodeflow_nodes.diffusion.latent_edits import (
    blend_latents,
    mask_latent,
    pick_latent,
    repeat_latent,
    seed_batch,
    upscale_latent,
)

from nodeflow import InputError, Latent, Mask

LATENT = Latent(torch.arange(2 * 4 * 4 * 6.0).reshape(2, 4, 4, 6))


def test_upscaling_keeps_masks_at_their_place() -> None:
    masked = mask_latent(LATENT, Mask(torch.ones(1, 4, 6)))
    large = upscale_latent(masked, 2.0)
    assert torch.equal(large.samples[..., ::2, ::2], LATENT.samples)
    assert large.mask is not None
    assert large.mask.shape == (1, 8, 12)
    assert upscale_latent(LATENT, 1.5, "bicubic").samples.shape == (2, 4, 6, 8)
    assert upscale_latent(LATENT, 0.01).samples.shape == (2, 4, 2, 2)


def test_nearest_takes_the_latent_pixel_whose_middle_is_nearest() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    row = upscale_latent(Latent(ramp), 1.5, "nearest").samples[0, 0, 0]
    assert row.tolist() == [math.floor((place + 0.5) / 1.5) for place in range(12)]


def test_blending_is_linear_and_one_serves_many() -> None:
    other = Latent(torch.zeros(1, 4, 4, 6))
    assert torch.allclose(blend_latents(LATENT, other, 0.25).samples, LATENT.samples * 0.75)
    with pytest.raises(InputError, match=r"shape \[2, 4, 4, 6\] and \[1, 4, 2, 2\]"):
        blend_latents(LATENT, Latent(torch.zeros(1, 4, 2, 2)))


def test_batches_are_repeated_and_taken_apart_with_all_that_belongs_to_them() -> None:
    seeded = seed_batch(LATENT, [5, 6])
    twice = repeat_latent(mask_latent(seeded, Mask(torch.rand(2, 4, 6))), 2)
    assert twice.seeds == (5, 5, 6, 6)
    assert twice.mask is not None
    third = pick_latent(twice, 2)
    assert torch.equal(third.samples, LATENT.samples[1:])
    assert third.mask is not None
    assert torch.equal(third.mask, twice.mask[2:3])
    assert third.seeds == (6,)
    with pytest.raises(InputError, match="holds 4 pictures, so there is no number 4"):
        pick_latent(twice, 4)
