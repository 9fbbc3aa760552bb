"""Pictures made ready for control networks: edges, depth and tiles. Nothing is downloaded."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage
from torch.nn import functional

from nodeflow import Image, InputError, node
from nodeflow_nodes.image.pixels import premultiplied, split_alpha, with_channels

Gradients = NDArray[np.float32]

_STEEPEST = 2040  # of 8-bit pixels: both Sobel sums at 4 * 255
_TANGENT = np.tan(np.pi / 8)
_TOUCHING = np.ones((3, 3))


@node(title="Canny edges", category="image/control", version="1")
def canny(
    image: Image,
    low: Annotated[float, Field(ge=0, le=_STEEPEST)] = 100.0,
    high: Annotated[float, Field(ge=0, le=_STEEPEST)] = 200.0,
    blur: Annotated[float, Field(ge=0, le=50)] = 0.0,
) -> Image:
    """Draw the edges of pictures, one pixel wide, in white on black (Canny 1986).

    Computed as OpenCV does it, so the thresholds that others recommend mean the same here.

    Args:
        image: The pictures; what is transparent is black.
        low: An edge goes on while its steepness is above this: the sum of both Sobel differences,
            in steps of 8 bits.
        high: An edge begins where its steepness is above this.
        blur: Radius of a Gaussian blur before, in pixels, against noise.
    """
    if low > high:
        raise InputError(f"the low threshold {low:g} is above the high one {high:g}; swap them")
    pixels = (premultiplied(image)[..., :3].float().cpu() * 255).round().numpy()
    if blur:
        pixels = ndimage.gaussian_filter(pixels, blur, axes=(1, 2), mode="nearest").round()
    edges = np.stack([_edges(picture, low, high) for picture in pixels])
    white = torch.from_numpy(edges).to(image.device, torch.float32).unsqueeze(-1)
    return Image(white.expand(-1, -1, -1, 3).contiguous())


@node(title="Depth from picture", category="image/control", version="1")
def depth_hint(
    image: Image,
    near: Literal["bright", "dark"] = "bright",
    cut: Annotated[float, Field(ge=0, le=49)] = 0.0,
) -> Image:
    """Make a depth map from a file as control networks know it: near is white, far is black.

    Args:
        image: Depth maps, each stretched from its smallest to its largest value; several channels
            are averaged, and alpha does not count.
        near: What near is in the file; maps of distances have it dark.
        cut: Percent of the pixels at either end that may become plain black or white, so that a
            few stray ones do not decide.
    """
    depth = split_alpha(image)[0].mean(dim=-1)
    flat = depth.flatten(1).float()
    ends = torch.tensor([cut / 100, 1 - cut / 100], device=flat.device)
    # Percentiles by sorting: torch.quantile takes no more than 16 million numbers.
    order = flat.sort(dim=1).values
    places = (ends * (flat.shape[1] - 1)).round().long()
    far, nearest = order[:, places].T[..., None, None]
    span = nearest - far
    spread = torch.where(span > 0, (depth - far) / span.clamp_min(1e-12), 0.0).clamp(0, 1)
    if near == "dark":
        spread = torch.where(span > 0, 1 - spread, 0.0)
    return Image(with_channels(spread.unsqueeze(-1), 3).contiguous())


@node(title="Tile hint", category="image/control", version="1")
def tile_hint(
    image: Image,
    shrink: Annotated[float, Field(ge=1, le=32)] = 2.0,
    blur: Annotated[float, Field(ge=0, le=100)] = 0.0,
) -> Image:
    """Take the details from pictures and keep where colours are, for tile control networks.

    Args:
        image: The pictures; what is transparent is black.
        shrink: How many times smaller they are made, before they are made as large again.
        blur: Radius of a Gaussian blur after that, in pixels.
    """
    planes = premultiplied(image)[..., :3].movedim(-1, 1).float()
    height, width = planes.shape[2:]
    small = (max(round(height / shrink), 1), max(round(width / shrink), 1))
    planes = functional.interpolate(planes, size=small, mode="area")
    planes = functional.interpolate(planes, size=(height, width), mode="bicubic")
    if blur:
        soft = ndimage.gaussian_filter(planes.cpu().numpy(), blur, axes=(2, 3), mode="nearest")
        planes = torch.from_numpy(soft).to(image.device)
    return Image(with_channels(planes.clamp(0, 1).movedim(1, -1), 3).contiguous())


def _edges(pixels: Gradients, low: float, high: float) -> NDArray[np.bool_]:
    """Edges of one picture [height, width, channel] in steps of 8 bits."""
    across, down = _steepest(_sobel(pixels, 1), _sobel(pixels, 0))
    steepness = np.abs(across) + np.abs(down)
    ridge = _is_ridge(steepness, across, down) & (steepness > low)
    # What hangs together with a strong part is an edge.
    parts, _ = ndimage.label(ridge, structure=_TOUCHING)
    strong = np.unique(parts[ridge & (steepness > high)])
    edges: NDArray[np.bool_] = np.isin(parts, strong[strong > 0])
    return edges


def _sobel(pixels: Gradients, axis: int) -> Gradients:
    """Sobel's differences along an axis, smoothed along the other; channels apart."""
    differences = ndimage.correlate1d(pixels, [-1, 0, 1], axis=axis, mode="nearest")
    smooth: Gradients = ndimage.correlate1d(differences, [1, 2, 1], axis=1 - axis, mode="nearest")
    return smooth


def _steepest(across: Gradients, down: Gradients) -> tuple[Gradients, Gradients]:
    """Of each pixel's channels that which changes most."""
    most = np.argmax(np.abs(across) + np.abs(down), axis=-1)[..., None]
    return (
        np.take_along_axis(across, most, axis=-1)[..., 0],
        np.take_along_axis(down, most, axis=-1)[..., 0],
    )


def _is_ridge(steepness: Gradients, across: Gradients, down: Gradients) -> NDArray[np.bool_]:
    """Where steepness is greatest along its own direction; of two equals the second in order."""
    padded = np.pad(steepness, 1)

    def moved(rows: int, columns: int) -> Gradients:
        height, width = steepness.shape
        return padded[1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    def greater(rows: int, columns: int, *, equal: bool) -> NDArray[np.bool_]:
        before, after = moved(-rows, -columns), moved(rows, columns)
        found: NDArray[np.bool_] = (steepness > before) & (
            (steepness >= after) if equal else (steepness > after)
        )
        return found

    flat = np.abs(down) < _TANGENT * np.abs(across)
    upright = np.abs(down) > np.abs(across) / _TANGENT
    falling = (across < 0) == (down < 0)
    return np.select(
        [flat, upright, falling],
        [greater(0, 1, equal=True), greater(1, 0, equal=True), greater(1, 1, equal=False)],
        greater(1, -1, equal=False),
    )
