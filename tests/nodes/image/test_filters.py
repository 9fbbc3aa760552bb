"""blur, invert and adjust against Pillow and colorsys."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from nodeflow_nodes.image.filters import adjust, blur, invert
from PIL import ImageEnhance

from nodeflow import Image
from nodeflow.tensors import pictures


def test_a_blurred_point_is_a_gaussian_bell() -> None:
    image = Image(torch.zeros(1, 41, 41, 1))
    image[0, 20, 20] = 1
    blurred = blur(image, 3.0)[0, ..., 0]
    offset = torch.arange(41) - 20
    bell = torch.exp(-(offset**2) / (2 * 3.0**2))
    bell /= bell.sum()
    torch.testing.assert_close(blurred, bell[:, None] * bell, atol=1e-5, rtol=1e-2)


def test_blur_keeps_plain_pictures_batches_and_pictures_smaller_than_the_bell(make_image) -> None:
    plain = Image(torch.full((2, 3, 3, 3), 0.25))
    torch.testing.assert_close(blur(plain, 50.0), plain)
    image = make_image(2)
    torch.testing.assert_close(blur(image, 2.0)[1:], blur(Image(image[1:]), 2.0))
    assert blur(image, 0) is image


def test_blur_does_not_draw_the_colour_of_transparent_pixels_in() -> None:
    image = Image(torch.zeros(1, 8, 8, 4))
    image[:, :, 4:] = torch.tensor([1.0, 0.0, 0.0, 1.0])
    blurred = blur(image, 2.0)
    seen = blurred[..., 3] > 0.01
    assert blurred[..., 0][seen].min() > 0.99


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_inverting_twice_changes_nothing_and_once_spares_alpha(make_image, channels: int) -> None:
    image = make_image(channels=channels)
    once = invert(image)
    torch.testing.assert_close(once[..., :3][..., :1], 1 - image[..., :1])
    if channels == 4:
        assert torch.equal(once[..., 3], image[..., 3])
    torch.testing.assert_close(invert(once), image)


@pytest.mark.parametrize(
    ("name", "enhancer"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
    ],
)
@pytest.mark.parametrize("factor", [0.0, 0.5, 1.7])
def test_factors_mean_what_they_mean_in_pillow(make_image, name, enhancer, factor: float) -> None:
    image = make_image()
    result = np.asarray(pictures(adjust(image, **{name: factor}))[0], int)
    wanted = np.asarray(enhancer(pictures(image)[0]).enhance(factor), int)
    assert np.abs(result - wanted).max() <= 3


def test_hue_turns_the_colour_wheel(make_image) -> None:
    image = make_image()
    turned = adjust(image, hue=120.0)
    hue, saturation, value = colorsys.rgb_to_hsv(*image[0, 0, 0].tolist())
    wanted = colorsys.hsv_to_rgb((hue + 1 / 3) % 1, saturation, value)
    np.testing.assert_allclose(turned[0, 0, 0], wanted, atol=1e-4)


def test_gamma_is_an_exponent_and_alpha_stays(make_image) -> None:
    image = make_image(2, channels=4)
    result = adjust(image, gamma=2.2)
    torch.testing.assert_close(result[..., :3], image[..., :3] ** 2.2)
    assert torch.equal(result[..., 3], image[..., 3])


def test_grey_pictures_stay_grey(make_image) -> None:
    image = make_image(channels=1)
    torch.testing.assert_close(adjust(image, saturation=3.0, hue=90.0), image)


def test_nothing_to_adjust_changes_nothing(make_image) -> None:
    image = make_image(2, channels=4)
    assert torch.equal(adjust(image), image)
