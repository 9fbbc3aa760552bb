"""Nodes for graphs that an editor has to draw, and one that has much to tell."""

from __future__ import annotations

import time
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from nodeflow import Image, Mask, Progress, node


class Mixed(NamedTuple):
    """What comes out.

    Attributes:
        image: The first picture.
        mask: The mask.
    """

    image: Image
    mask: Mask


@node(category="bench", version="1")
def mix(
    image: Image | None = None,
    over: Image | None = None,
    mask: Mask | None = None,
    edge: Mask | None = None,
    amount: Annotated[float, Field(ge=0, le=1)] = 0.5,
    mode: Literal["normal", "multiply", "screen"] = "normal",
    steps: Annotated[int, Field(ge=1, le=100)] = 20,
) -> Mixed:
    """Have as many sockets and fields as a node has that people use.

    Args:
        image: A picture.
        over: Another.
        mask: A mask.
        edge: Another.
        amount: A number.
        mode: A choice.
        steps: A whole number.
    """
    raise NotImplementedError("this node is only looked at")


@node(category="bench", version="1", output="count")
def ticking(
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1200,
    rate: Annotated[float, Field(gt=0, le=1000)] = 20.0,
    start: int = 0,
    *,
    progress: Progress,
) -> int:
    """Report progress at an even pace.

    Args:
        count: How often.
        rate: How often a second.
        start: Tells one run from another.
    """
    began = time.monotonic()
    for step in range(1, count + 1):
        time.sleep(max(0.0, began + step / rate - time.monotonic()))
        progress(step, count)
    return count
