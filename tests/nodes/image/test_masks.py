"""Masks against scipy, numpy and plain geometry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.image.masks import (
    feather_mask,
    grow_mask,
    image_from_mask,
    invert_mask,
    mask_from_alpha,
    mask_from_colour,
    remove_alpha,
    set_alpha,
)
from scipy import ndimage

from nodeflow import Image, InputError, Mask


def disc(radius: int) -> np.ndarray:
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return x * x + y * y <= radius * radius


@given(st.integers(1, 6), st.integers(1, 12), st.integers(1, 12), st.integers(0, 999))
def test_growing_is_grey_dilation_by_a_disc(radius: int, height: int, width: int, seed: int):
    array = np.random.default_rng(seed).random((2, height, width), dtype=np.float32)
    wanted = ndimage.grey_dilation(array, footprint=disc(radius)[None], mode="constant", cval=0)
    np.testing.assert_array_equal(grow_mask(Mask(torch.from_numpy(array)), radius), wanted)


def test_shrinking_is_growing_the_rest_and_spares_the_edge_of_the_picture() -> None:
    mask = Mask(torch.zeros(1, 9, 9))
    mask[:, :, :5] = 1
    shrunk = grow_mask(mask, -2)
    assert torch.equal(shrunk, (torch.arange(9) < 3).float().expand(1, 9, 9))
    assert grow_mask(mask, 0) is mask


def test_feathering_keeps_the_sum_and_softens() -> None:
    mask = Mask(torch.zeros(1, 61, 61))
    mask[:, 20:41, 20:41] = 1
    soft = feather_mask(mask, 3.0)
    assert soft.sum().item() == pytest.approx(mask.sum().item(), rel=1e-3)
    assert 0.4 < soft[0, 30, 20] < 0.6
    assert feather_mask(mask, 0) is mask


def test_inverting_is_one_minus() -> None:
    mask = Mask(torch.rand(2, 3, 4))
    assert torch.equal(invert_mask(mask), 1 - mask)


def test_a_mask_from_alpha_is_the_alpha_or_everything(make_image) -> None:
    image = make_image(2, channels=4)
    assert torch.equal(mask_from_alpha(image), image[..., 3])
    assert mask_from_alpha(make_image(2)).eq(torch.ones(2, 6, 8)).all()


def test_a_mask_from_colour_finds_it_within_the_tolerance() -> None:
    image = Image(torch.tensor([[[[1.0, 0.5, 0.0], [0.95, 0.5, 0.0], [0.0, 0.5, 0.0]]]]))
    assert mask_from_colour(image, "#ff8000", 0.0).tolist() == [[[1, 0, 0]]]
    assert mask_from_colour(image, "#ff8000", 0.1).tolist() == [[[1, 1, 0]]]
    assert mask_from_colour(image, "#ff8000", 1.0).eq(1).all()
    grey = Image(torch.tensor([[[[1.0], [0.0]]]]))
    assert mask_from_colour(grey, "white").tolist() == [[[1, 0]]]


def test_a_mask_becomes_alpha_and_comes_back(make_image) -> None:
    mask = Mask(torch.rand(1, 6, 8))
    for channels in (1, 3, 4):
        image = make_image(2, channels=channels)
        masked = set_alpha(image, mask)
        assert masked.shape == (2, 6, 8, 4)
        assert torch.equal(mask_from_alpha(masked), mask.expand(2, -1, -1))
    assert torch.equal(image_from_mask(mask)[..., 0], mask)


def test_a_mask_of_another_size_is_refused(make_image) -> None:
    with pytest.raises(InputError, match="'image' is 8 x 6 and 'mask' is 8 x 7"):
        set_alpha(make_image(), Mask(torch.ones(1, 7, 8)))


def test_colours_beneath_transparent_pixels_come_back() -> None:
    colour = Image(torch.rand(2, 3, 4, 3))
    clear = set_alpha(colour, Mask(torch.zeros(2, 3, 4)))
    assert torch.equal(remove_alpha(clear), colour)
    assert torch.equal(remove_alpha(colour), colour)
