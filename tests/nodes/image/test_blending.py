"""blend, composite and flatten against Pillow's own blending and compositing."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.image.blending import BlendMode, blend, composite, flatten
from PIL import Image as Pillow
from PIL import ImageChops

from nodeflow import Image, InputError
from nodeflow.tensors import pictures

CHOPS = {
    "multiply": ImageChops.multiply,
    "screen": ImageChops.screen,
    "overlay": ImageChops.overlay,
    "darken": ImageChops.darker,
    "lighten": ImageChops.lighter,
    "hard_light": ImageChops.hard_light,
    "difference": ImageChops.difference,
    "add": ImageChops.add,
    "subtract": ImageChops.subtract,
}


def close(image: Image, wanted: Pillow.Image, steps: int = 2) -> None:
    (picture,) = pictures(image)
    assert picture.mode == wanted.mode
    difference = np.abs(np.asarray(picture, int) - np.asarray(wanted, int))
    assert difference.max() <= steps


@pytest.mark.parametrize("mode", CHOPS)
def test_opaque_pictures_blend_as_in_pillow(make_image, mode: str) -> None:
    base, top = make_image(), make_image().flip(1)
    result = blend(base, top, mode)  # type: ignore[arg-type]
    close(result, CHOPS[mode](*pictures(base), *pictures(top)))


def test_dodge_burn_soft_light_and_exclusion_at_values_worked_out_by_hand() -> None:
    base, top = torch.full((1, 1, 1, 1), 0.4), torch.full((1, 1, 1, 1), 0.5)
    for mode, wanted in {
        "colour_dodge": 0.8,  # 0.4 / (1 - 0.5)
        "colour_burn": 0.0,  # 1 - min(1, 0.6 / 0.5)
        "soft_light": 0.4,  # the middle grey changes nothing
        "exclusion": 0.5,  # 0.4 + 0.5 - 2 * 0.4 * 0.5
    }.items():
        assert blend(base, top, mode).item() == pytest.approx(wanted)  # type: ignore[arg-type]


def test_normal_over_transparency_is_alpha_compositing(make_image) -> None:
    base, top = make_image(channels=4), make_image(channels=4).flip(2)
    close(blend(base, top), Pillow.alpha_composite(*pictures(base), *pictures(top)))


def test_opacity_goes_from_one_picture_to_the_other(make_image) -> None:
    base, top = make_image(), make_image().flip(1)
    assert torch.equal(blend(base, top, opacity=0), base)
    torch.testing.assert_close(blend(base, top, opacity=1), top)
    torch.testing.assert_close(blend(base, top, opacity=0.25), Image(base * 0.75 + top * 0.25))


@given(
    st.sampled_from(get_args(BlendMode)),
    st.sampled_from([1, 3, 4]),
    st.sampled_from([1, 3, 4]),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_every_mode_stays_in_range_and_keeps_the_alpha_of_the_base(
    mode: str, below: int, above: int, opacity: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    base = Image(torch.rand(2, 3, 3, below, generator=generator).round(decimals=1))
    top = Image(torch.rand(1, 3, 3, above, generator=generator).round(decimals=1))
    result = blend(base, top, mode, opacity)  # type: ignore[arg-type]
    assert result.isfinite().all()
    assert result.min() >= -1e-5
    assert result.max() <= 1 + 1e-5
    has_alpha, has_colour = below == 4, max(below, above) > 1
    assert result.shape == (2, 3, 3, 4 if has_alpha else 3 if has_colour else 1)


def test_composite_equals_pillow_paste_through_a_mask(make_image) -> None:
    base, top = make_image(1, 10, 12), make_image(1, 6, 8)
    mask = make_image(channels=1)[..., 0]
    (wanted,) = pictures(base)
    wanted.paste(pictures(top)[0], (7, -2), pictures(mask.unsqueeze(-1))[0])
    close(composite(base, top, mask, 7, -2), wanted)


def test_composite_without_a_mask_follows_the_alpha_of_the_top(make_image) -> None:
    base, top = make_image(), make_image(channels=4)
    (wanted,) = pictures(base)
    wanted.paste(pictures(top)[0], (0, 0), pictures(top)[0])
    close(composite(base, top), wanted)


def test_one_base_serves_a_batch_of_tops(make_image) -> None:
    base, tops = make_image(), make_image(3, 2, 2)
    result = composite(base, tops, x=1, y=1)
    assert torch.equal(result[:, 1:3, 1:3], tops)
    assert torch.equal(result[2, 3:], base[0, 3:])


def test_what_does_not_go_together_is_refused(make_image) -> None:
    base = make_image()
    with pytest.raises(InputError, match="'base' is 8 x 6 and 'top' is 9 x 6; resize one"):
        blend(base, make_image(1, 6, 9))
    with pytest.raises(InputError, match="batches of 2 and 3 do not go together"):
        blend(make_image(2), make_image(3))
    with pytest.raises(InputError, match="'top' is 8 x 6 and 'mask' is 3 x 3"):
        composite(base, base, torch.ones(1, 3, 3))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"8 x 6 at \(8, 0\) lies outside of 'base'"):
        composite(base, base, x=8)


def test_flatten_equals_pillow_over_one_colour(make_image) -> None:
    image = make_image(channels=4)
    behind = Pillow.new("RGBA", (8, 6), "orange")
    wanted = Pillow.alpha_composite(behind, *pictures(image)).convert("RGB")
    close(flatten(image, "orange"), wanted)
    opaque = make_image()
    assert flatten(opaque) is opaque
