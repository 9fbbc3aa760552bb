"""Nodes that change the colours of pictures."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from scipy.ndimage import gaussian_filter
from torchvision.transforms.v2 import functional as transforms

from nodeflow import Image, node
from nodeflow_nodes.image.pixels import join_alpha, premultiplied, split_alpha, unpremultiplied

Factor = Annotated[float, Field(ge=0, le=10)]


@node(title="Blur image", category="image/colour", version="1")
def blur(image: Image, radius: Annotated[float, Field(ge=0, le=500)] = 4.0) -> Image:
    """Blur pictures with a Gaussian bell.

    Args:
        image: The pictures.
        radius: Standard deviation of the bell, in pixels; 0 changes nothing.
    """
    if radius == 0:
        return image
    blurred = gaussian_filter(
        premultiplied(image).cpu().numpy(), radius, axes=(1, 2), mode="nearest"
    )
    return unpremultiplied(torch.from_numpy(blurred).to(image.device))


@node(title="Invert image", category="image/colour", version="1")
def invert(image: Image) -> Image:
    """Turn colours into their opposites; alpha stays.

    Args:
        image: The pictures.
    """
    colour, alpha = split_alpha(image)
    return join_alpha(1 - colour, alpha)


@node(title="Adjust colours", category="image/colour", version="1")
def adjust(
    image: Image,
    brightness: Factor = 1.0,
    contrast: Factor = 1.0,
    saturation: Factor = 1.0,
    hue: Annotated[float, Field(ge=-180, le=180)] = 0.0,
    gamma: Annotated[float, Field(ge=0.01, le=10)] = 1.0,
) -> Image:
    """Adjust brightness, contrast, saturation, hue and gamma, in this order; alpha stays.

    Args:
        image: The pictures.
        brightness: Factor; 1 changes nothing, 0 is black.
        contrast: Factor around the mean grey; 1 changes nothing, 0 is plain grey.
        saturation: Factor; 1 changes nothing, 0 is grey. Grey pictures stay grey.
        hue: Turn around the colour wheel, in degrees.
        gamma: Exponent; 1 changes nothing, below 1 lifts the shadows.
    """
    colour, alpha = split_alpha(image)
    planes = colour.permute(0, 3, 1, 2)
    if brightness != 1:
        planes = transforms.adjust_brightness(planes, brightness)
    if contrast != 1:
        planes = transforms.adjust_contrast(planes, contrast)
    if saturation != 1:
        planes = transforms.adjust_saturation(planes, saturation)
    if hue != 0:
        planes = transforms.adjust_hue(planes, hue / 360)
    if gamma != 1:
        planes = transforms.adjust_gamma(planes, gamma)
    return join_alpha(planes.permute(0, 2, 3, 1).clamp(0, 1).contiguous(), alpha)
