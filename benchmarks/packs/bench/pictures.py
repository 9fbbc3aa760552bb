"""Nodes that make pictures of a known size in a known time."""

from __future__ import annotations

import time
from typing import Annotated

import torch
from pydantic import Field

from nodeflow import Image, Seed, node


@node(category="bench", version="1", on="device")
def wait(
    seed: Seed = 0,
    seconds: Annotated[float, Field(ge=0, le=60)] = 0.1,
    side: Annotated[int, Field(ge=1, le=8192)] = 512,
) -> Image:
    """Occupy the device's lane as a sampler would, without using the processor.

    Args:
        seed: Tells one picture from another.
        seconds: How long.
        side: Width and height of the picture that comes out.
    """
    time.sleep(seconds)
    ramp = torch.linspace(0, 1, side)
    flat = torch.outer(ramp, ramp.roll(seed)).reshape(1, side, side, 1)
    return Image(flat.expand(1, side, side, 3).contiguous())


@node(category="bench", version="1")
def darken(image: Image, by: Annotated[float, Field(ge=0, le=1)] = 0.1) -> Image:
    """Make pictures darker.

    Args:
        image: The pictures.
        by: How much of the light goes.
    """
    return Image(image * (1 - by))


@node(category="bench", version="1", output="count")
def count(images: tuple[Image, ...]) -> int:
    """Want pictures, and cost nothing.

    Args:
        images: As many as are linked.
    """
    return len(images)
