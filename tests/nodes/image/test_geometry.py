"""resize, crop and pad against Pillow and numpy."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.image.geometry import crop, pad, resize

from nodeflow import Image, InputError

FILTERS = {
    "lanczos": PIL.Image.Resampling.LANCZOS,
    "bicubic": PIL.Image.Resampling.BICUBIC,
    "bilinear": PIL.Image.Resampling.BILINEAR,
}


@pytest.mark.parametrize("method", FILTERS)
@pytest.mark.parametrize("size", [(5, 4), (30, 17), (20, 33)])
def test_resize_equals_pillow_for_each_channel(make_image, method: str, size: tuple[int, int]):
    image = make_image(2, 20, 16)
    resized = resize(image, *size, method=method)  # type: ignore[arg-type]
    for one, result in zip(image, resized, strict=True):
        for channel in range(3):
            plane = PIL.Image.fromarray(one[..., channel].numpy())
            wanted = np.asarray(plane.resize(size, FILTERS[method])).clip(0, 1)
            np.testing.assert_allclose(result[..., channel], wanted, atol=2e-3)


def test_nearest_repeats_pixels_and_area_averages_them(make_image) -> None:
    image = make_image(1, 4, 6)
    doubled = resize(image, 12, 8, method="nearest")
    assert torch.equal(doubled, image.repeat_interleave(2, 1).repeat_interleave(2, 2))
    torch.testing.assert_close(resize(doubled, 6, 4, method="area"), image)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.data())
def test_fit_stays_inside_and_fill_covers_exactly(
    height: int, width: int, wide: int, high: int, data: st.DataObject
) -> None:
    image = Image(torch.rand(1, height, width, data.draw(st.sampled_from([1, 3, 4]))))
    fitted = resize(image, wide, high, "fit", "bilinear")
    assert fitted.shape[1] <= high
    assert fitted.shape[2] <= wide
    assert fitted.shape[1] == high or fitted.shape[2] == wide
    assert resize(image, wide, high, "fill", "bilinear").shape[1:3] == (high, wide)


def test_fill_keeps_the_middle() -> None:
    image = Image(torch.zeros(1, 4, 12, 1))
    image[:, :, 4:8] = 1
    assert resize(image, 4, 4, "fill", "nearest").eq(1).all()


def test_transparent_pixels_do_not_bleed_into_their_neighbours() -> None:
    image = Image(torch.zeros(1, 4, 4, 4))
    image[:, :, 2:] = torch.tensor([1.0, 1.0, 1.0, 1.0])
    for method in ("lanczos", "bilinear", "area"):
        resized = resize(image, 2, 3, method=method)  # type: ignore[arg-type]
        assert resized[:, :, 1, :3].min() > 0.99


def test_crop_cuts_what_slicing_cuts(make_image) -> None:
    image = make_image(2, 10, 12, 4)
    assert torch.equal(crop(image, 3, 2, 5, 4), image[:, 2:6, 3:8])


def test_a_crop_that_reaches_out_says_by_which_numbers(make_image) -> None:
    with pytest.raises(InputError, match=r"8 x 4 at \(1, 0\) reaches out of the picture of 8 x 6"):
        crop(make_image(), 1, 0, 8, 4)


@pytest.mark.parametrize(("fill", "numpy_mode"), [("edge", "edge"), ("mirror", "reflect")])
def test_pad_equals_numpy(make_image, fill: str, numpy_mode: str) -> None:
    image = make_image(2)
    padded = pad(image, 1, 2, 3, 4, fill)  # type: ignore[arg-type]
    wanted = np.pad(image.numpy(), ((0, 0), (2, 4), (1, 3), (0, 0)), numpy_mode)  # type: ignore[call-overload]
    np.testing.assert_array_equal(padded.image, wanted)
    mask = np.pad(np.zeros((2, 6, 8)), ((0, 0), (2, 4), (1, 3)), constant_values=1)
    np.testing.assert_array_equal(padded.mask, mask)


def test_pad_with_a_colour_gives_grey_pictures_colour_and_clear_ones_alpha(make_image) -> None:
    grey = make_image(channels=1)
    assert pad(grey, left=1, colour="gray").image.shape[-1] == 1
    red = pad(grey, left=1, colour="red").image
    assert red[0, 0, 0].tolist() == [1, 0, 0]
    assert torch.equal(red[:, :, 1:], grey.expand(-1, -1, -1, 3))
    clear = pad(make_image(), top=1, colour="transparent").image
    assert clear[0, 0, 0].tolist() == [0, 0, 0, 0]
    assert clear[:, 1:, :, 3].eq(1).all()


def test_pad_refuses_what_cannot_be(make_image) -> None:
    with pytest.raises(InputError, match="6 pixels cannot mirror a picture of 8 x 6"):
        pad(make_image(), bottom=6, fill="mirror")
    with pytest.raises(InputError, match="'reddish' is no colour; write one like"):
        pad(make_image(), 1, colour="reddish")
