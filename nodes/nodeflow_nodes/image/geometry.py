"""Nodes that change how large pictures are."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch.nn import functional

from nodeflow import Image, InputError, Mask, node
from nodeflow_nodes.image.colours import Colour, read_colour
from nodeflow_nodes.image.pixels import premultiplied, size_of, unpremultiplied, with_channels

Side = Annotated[int, Field(ge=1, le=16384)]
Place = Annotated[int, Field(ge=0, le=16384)]


@node(title="Resize image", category="image/transform", version="1")
def resize(
    image: Image,
    width: Side = 512,
    height: Side = 512,
    mode: Literal["exact", "fit", "fill"] = "exact",
    method: Literal["lanczos", "bicubic", "bilinear", "area", "nearest"] = "lanczos",
) -> Image:
    """Make pictures larger or smaller; transparent pixels do not bleed into their neighbours.

    Args:
        image: The pictures.
        width: Width of the result in pixels.
        height: Height of the result in pixels.
        mode: `exact` stretches; `fit` keeps proportions and stays inside width x height, so equal
            numbers set the longest side; `fill` keeps proportions and cuts off what sticks out.
        method: How pixels are averaged; `nearest` keeps hard edges, as pixel art wants.
    """
    old_height, old_width = image.shape[1:3]
    across, down = width / old_width, height / old_height
    if mode == "exact":
        return _resample(image, width, height, method)
    scale = min(across, down) if mode == "fit" else max(across, down)
    new_width, new_height = round(old_width * scale), round(old_height * scale)
    scaled = _resample(image, max(new_width, 1), max(new_height, 1), method)
    if mode == "fit":
        return scaled
    left, top = (scaled.shape[2] - width) // 2, (scaled.shape[1] - height) // 2
    return Image(scaled[:, top : top + height, left : left + width].clone())


def _resample(image: Image, width: int, height: int, method: str) -> Image:
    size = (height, width)
    planes = premultiplied(image).permute(0, 3, 1, 2)
    if method in ("area", "nearest"):
        mode = "nearest-exact" if method == "nearest" else method
        planes = functional.interpolate(planes, size=size, mode=mode)
    else:
        planes = functional.interpolate(planes, size=size, mode=method, antialias=True)
    return unpremultiplied(planes.permute(0, 2, 3, 1).contiguous())


@node(title="Crop image", category="image/transform", version="1")
def crop(image: Image, x: Place = 0, y: Place = 0, width: Side = 512, height: Side = 512) -> Image:
    """Cut a rectangle out of pictures.

    Args:
        image: The pictures.
        x: Left edge of the rectangle, in pixels from the left.
        y: Upper edge of the rectangle, in pixels from the top.
        width: Width of the rectangle.
        height: Height of the rectangle.

    Raises:
        InputError: The rectangle reaches out of the picture.
    """
    if x + width > image.shape[2] or y + height > image.shape[1]:
        raise InputError(
            f"a rectangle of {width} x {height} at ({x}, {y}) reaches out of the picture of "
            f"{size_of(image)}; move it, make it smaller, or pad the picture first"
        )
    return Image(image[:, y : y + height, x : x + width].clone())


class Padded(NamedTuple):
    """A picture with a margin.

    Attributes:
        image: The padded pictures.
        mask: 1 where there is new area, so that it can be painted.
    """

    image: Image
    mask: Mask


@node(title="Pad image", category="image/transform", version="1")
def pad(
    image: Image,
    left: Place = 0,
    top: Place = 0,
    right: Place = 0,
    bottom: Place = 0,
    fill: Literal["colour", "edge", "mirror"] = "colour",
    colour: Colour = "black",
) -> Padded:
    """Add a margin around pictures.

    Args:
        image: The pictures.
        left: Pixels to add at the left.
        top: Pixels to add at the top.
        right: Pixels to add at the right.
        bottom: Pixels to add at the bottom.
        fill: One colour, the picture's edge drawn out, or the picture mirrored at its edge.
        colour: For `colour`; one that is not opaque gives the picture an alpha channel.

    Raises:
        InputError: A mirrored margin is not smaller than the picture.
    """
    height, width = image.shape[1:3]
    if fill == "mirror" and (max(left, right) >= width or max(top, bottom) >= height):
        raise InputError(
            f"a margin of {max(left, top, right, bottom)} pixels cannot mirror a picture of "
            f"{size_of(image)}; use a smaller margin, or fill with 'edge'"
        )
    margins = (left, right, top, bottom)
    if fill == "colour":
        padded = _pad_with_colour(image, margins, colour)
    else:
        mode = "replicate" if fill == "edge" else "reflect"
        padded = (
            functional.pad(image.permute(0, 3, 1, 2), margins, mode)
            .permute(0, 2, 3, 1)
            .contiguous()
        )
    mask = functional.pad(torch.zeros(image.shape[:3], device=image.device), margins, value=1.0)
    return Padded(Image(padded), Mask(mask))


def _pad_with_colour(image: Image, margins: tuple[int, int, int, int], colour: str) -> torch.Tensor:
    red, green, blue, alpha = read_colour(colour)
    needed = 4 if alpha < 1 else 1 if red == green == blue else 3
    known = with_channels(image, needed)
    left, right, top, bottom = margins
    count, height, width, channels = known.shape
    fill = known.new_tensor([red, green, blue, alpha][:channels])
    padded = fill.repeat(count, top + height + bottom, left + width + right, 1)
    padded[:, top : top + height, left : left + width] = known
    return padded
