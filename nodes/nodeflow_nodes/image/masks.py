"""Nodes that make and change masks."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from scipy.ndimage import gaussian_filter, maximum_filter1d

from nodeflow import Image, Mask, node
from nodeflow_nodes.image.colours import Colour, read_colour
from nodeflow_nodes.image.pixels import (
    join_alpha,
    require_same_size,
    same_batch,
    split_alpha,
    with_channels,
)


@node(title="Mask from alpha", category="image/mask", version="1")
def mask_from_alpha(image: Image) -> Mask:
    """Take the alpha channel as a mask: 1 where the picture is opaque.

    Args:
        image: The pictures; without alpha the whole picture is chosen.
    """
    _, alpha = split_alpha(image)
    if alpha is None:
        return Mask(torch.ones(image.shape[:3], device=image.device))
    return Mask(alpha[..., 0].clone())


@node(title="Mask from colour", category="image/mask", version="1")
def mask_from_colour(
    image: Image,
    colour: Colour = "white",
    tolerance: Annotated[float, Field(ge=0, le=1)] = 0.1,
) -> Mask:
    """Choose the pixels that have a colour, or one near it.

    Args:
        image: The pictures; their alpha does not count.
        colour: The colour to look for; its own alpha does not count.
        tolerance: How far any of red, green and blue may be off; 1 chooses everything.
    """
    wanted = image.new_tensor(read_colour(colour)[:3])
    pixels = with_channels(split_alpha(image)[0], 3)
    # A little over half a step of 8 bits: a tolerance of 0 finds the colour in any precision.
    near = (pixels - wanted).abs().amax(-1) <= tolerance + 0.51 / 255
    return Mask(near.to(image.dtype))


@node(title="Set alpha", category="image/mask", version="1")
def set_alpha(image: Image, mask: Mask) -> Image:
    """Make pictures transparent where a mask is 0; an alpha they had is replaced.

    Args:
        image: The pictures.
        mask: What stays opaque; one mask may serve a whole batch.
    """
    require_same_size(image, mask, "image", "mask")
    image_, mask_ = same_batch(image, mask)
    return join_alpha(split_alpha(image_)[0], mask_.unsqueeze(-1))


@node(title="Remove alpha", category="image/mask", version="1")
def remove_alpha(image: Image) -> Image:
    """Show every colour, also what is beneath transparent pixels: a painted mask is kept in alpha,
    and the whole picture lies under it.

    Args:
        image: The pictures.
    """
    return Image(split_alpha(image)[0].clone())


@node(title="Image from mask", category="image/mask", version="1")
def image_from_mask(mask: Mask) -> Image:
    """Turn a mask into a grey picture: white where it is 1.

    Args:
        mask: The masks.
    """
    return Image(mask.unsqueeze(-1).clone())


@node(title="Invert mask", category="image/mask", version="1")
def invert_mask(mask: Mask) -> Mask:
    """Choose what was not chosen.

    Args:
        mask: The masks.
    """
    return Mask(1 - mask)


@node(title="Grow mask", category="image/mask", version="1")
def grow_mask(mask: Mask, pixels: Annotated[int, Field(ge=-512, le=512)] = 8) -> Mask:
    """Move the outline of masks outwards, or inwards, with round corners.

    The edge of the picture is no outline: a mask that reaches it does not draw back from it.

    Args:
        mask: The masks.
        pixels: How far; negative numbers shrink.
    """
    if pixels == 0:
        return mask
    array = mask.cpu().numpy()
    grown = _dilate(array, pixels) if pixels > 0 else 1 - _dilate(1 - array, -pixels)
    return Mask(torch.from_numpy(grown).to(mask.device))


def _dilate(mask: npt.NDArray[np.float32], radius: int) -> npt.NDArray[np.float32]:
    """Maximum over a disc: for each row of the disc a running maximum along x, shifted by dy."""
    result = mask.copy()
    height = mask.shape[1]
    for dy in range(min(radius, height - 1) + 1):
        half = math.isqrt(radius * radius - dy * dy)
        row = maximum_filter1d(mask, 2 * half + 1, axis=2, mode="constant", cval=0.0)
        below, above = result[:, dy:], result[:, : height - dy]
        np.maximum(below, row[:, : height - dy], out=below)
        np.maximum(above, row[:, dy:], out=above)
    return result


@node(title="Feather mask", category="image/mask", version="1")
def feather_mask(mask: Mask, radius: Annotated[float, Field(ge=0, le=500)] = 8.0) -> Mask:
    """Soften the outline of masks with a Gaussian bell.

    Args:
        mask: The masks.
        radius: Standard deviation of the bell, in pixels; 0 changes nothing.
    """
    if radius == 0:
        return mask
    soft = gaussian_filter(mask.cpu().numpy(), radius, axes=(1, 2), mode="nearest")
    return Mask(torch.from_numpy(soft).clamp(0, 1).to(mask.device))
