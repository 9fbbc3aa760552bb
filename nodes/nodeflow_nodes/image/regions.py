"""A part of a picture worked on at its own size, and put back without a seam."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch.nn import functional

from nodeflow import Image, InputError, Mask, node
from nodeflow_nodes.image.masks import feather_mask
from nodeflow_nodes.image.pixels import require_same_size, same_batch, size_of, with_channels

Place = Annotated[int, Field(ge=0, le=16384)]
Side = Annotated[int, Field(ge=1, le=16384)]


class Region(NamedTuple):
    """A part of a picture.

    Attributes:
        image: The part.
        mask: The mask of the part.
        x: Its left edge in the whole picture, in pixels.
        y: Its upper edge.
        width: Its width in the whole picture.
        height: Its height.
    """

    image: Image
    mask: Mask
    x: int
    y: int
    width: int
    height: int


@node(title="Crop to mask", category="image/mask", version="1")
def crop_to_mask(
    image: Image,
    mask: Mask,
    margin: Annotated[int, Field(ge=0, le=4096)] = 64,
    multiple: Annotated[int, Field(ge=1, le=256)] = 8,
) -> Region:
    """Cut out what a mask chooses with some of its surroundings, so that a small part of a large
    picture can be drawn anew at full size; `stitch` puts it back.

    Args:
        image: The pictures.
        mask: What is to be cut out; all masks of a batch share one part.
        margin: How many pixels around it come with it, as far as there are any.
        multiple: Sides of the part are multiples of this where the picture is large enough.
    """
    require_same_size(image, mask, "image", "mask")
    chosen = (mask > 0).any(dim=0)
    rows, columns = (chosen.any(dim=side).nonzero().flatten() for side in (1, 0))
    if len(rows) == 0:
        raise InputError("the mask chooses nothing, so there is no part to cut out; draw one")
    height, width = chosen.shape
    top, bottom = _widened(int(rows[0]), int(rows[-1]) + 1, margin, multiple, height)
    left, right = _widened(int(columns[0]), int(columns[-1]) + 1, margin, multiple, width)
    return Region(
        Image(image[:, top:bottom, left:right].clone()),
        Mask(mask[:, top:bottom, left:right].clone()),
        left,
        top,
        right - left,
        bottom - top,
    )


@node(title="Stitch", category="image/mask", version="1")
def stitch(
    image: Image,
    part: Image,
    mask: Mask,
    x: Place,
    y: Place,
    width: Side,
    height: Side,
    feather: Annotated[float, Field(ge=0, le=500)] = 8.0,
) -> Image:
    """Put a part of a picture back, only where a mask chooses it.

    Args:
        image: The whole pictures.
        part: The part, at any size.
        mask: What of the part counts; it is stretched over the part.
        x: Left edge of the part in the whole picture, in pixels.
        y: Its upper edge.
        width: Its width in the whole picture.
        height: Its height.
        feather: How softly it passes into the picture: standard deviation in pixels.
    """
    if x + width > image.shape[2] or y + height > image.shape[1]:
        raise InputError(
            f"the part reaches to {x + width} by {y + height}, and the picture is "
            f"{size_of(image)}; take x, y, width and height from crop_to_mask"
        )
    size = (height, width)
    channels = max(image.shape[-1], part.shape[-1])
    whole, piece, weight = same_batch(
        with_channels(image, channels),
        _resized(with_channels(part, channels).movedim(-1, 1), size).movedim(1, -1),
        feather_mask(Mask(_resized(mask.unsqueeze(1), size)[:, 0]), feather).unsqueeze(-1),
    )
    result = whole.clone()
    place = result[:, y : y + height, x : x + width]
    place.copy_(torch.lerp(place, piece.to(place.dtype), weight.to(place.dtype)))
    return Image(result)


def _widened(first: int, last: int, margin: int, multiple: int, side: int) -> tuple[int, int]:
    """An interval with a margin, of a length that is a multiple, within 0..side."""
    first, last = max(first - margin, 0), min(last + margin, side)
    length = min(-(-(last - first) // multiple) * multiple, side // multiple * multiple or side)
    # What is missing comes from both sides, as far as there is room.
    first = min(max(first - (length - (last - first)) // 2, 0), side - length)
    return first, first + length


def _resized(planes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    if tuple(planes.shape[2:]) == size:
        return planes
    resized: torch.Tensor = functional.interpolate(
        planes, size=size, mode="bicubic", antialias=True
    )
    return resized.clamp(0, 1)
