"""No node of the pack changes what it was given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from nodeflow_nodes.image.batches import batch, unbatch
from nodeflow_nodes.image.blending import blend, composite, flatten
from nodeflow_nodes.image.filters import adjust, blur, invert
from nodeflow_nodes.image.geometry import crop, pad, resize
from nodeflow_nodes.image.masks import (
    feather_mask,
    grow_mask,
    image_from_mask,
    invert_mask,
    mask_from_alpha,
    mask_from_colour,
    set_alpha,
)
from nodeflow_nodes.image.sheets import contact_sheet

from nodeflow import Image, Mask

CALLS: dict[str, Callable[[Image, Mask], object]] = {
    "resize": lambda image, mask: resize(image, 5, 5),
    "crop": lambda image, mask: crop(image, 1, 1, 3, 3).zero_(),
    "pad": lambda image, mask: pad(image, 1, 1, 1, 1).image.zero_(),
    "blend": lambda image, mask: blend(image, image, "multiply"),
    "composite": lambda image, mask: composite(image, image, mask, 1, 1).zero_(),
    "flatten": lambda image, mask: flatten(image),
    "blur": lambda image, mask: blur(image, 2.0),
    "invert": lambda image, mask: invert(image).zero_(),
    "adjust": lambda image, mask: adjust(image, 1.5, 1.5, 1.5, 30.0, 0.5),
    "mask_from_alpha": lambda image, mask: mask_from_alpha(image).zero_(),
    "mask_from_colour": lambda image, mask: mask_from_colour(image),
    "set_alpha": lambda image, mask: set_alpha(image, mask).zero_(),
    "image_from_mask": lambda image, mask: image_from_mask(mask).zero_(),
    "invert_mask": lambda image, mask: invert_mask(mask).zero_(),
    "grow_mask": lambda image, mask: (grow_mask(mask, 2), grow_mask(mask, -2)),
    "feather_mask": lambda image, mask: feather_mask(mask, 2.0),
    "batch": lambda image, mask: batch((image, image)).zero_(),
    "unbatch": lambda image, mask: [one.zero_() for one in unbatch(image)],
    "contact_sheet": lambda image, mask: contact_sheet([image], ["a", "b"]),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_inputs_stay_as_they_were(make_image, name: str, channels: int) -> None:
    image, mask = make_image(2, channels=channels), Mask(make_image(2, channels=1)[..., 0])
    image_before, mask_before = image.clone(), mask.clone()
    CALLS[name](image, mask)
    assert torch.equal(image, image_before)
    assert torch.equal(mask, mask_before)
