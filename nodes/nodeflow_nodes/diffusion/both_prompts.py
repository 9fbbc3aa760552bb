"""The two prompts of a walk, with something laid beside all that they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, NamedTuple

from pydantic import Field

from nodeflow import Conditioning

Part = Annotated[float, Field(ge=0, le=1)]
"""A part of a walk, of a picture, or of a mixture."""


class Prompts(NamedTuple):
    """Both prompts.

    Attributes:
        positive: What the picture is to show.
        negative: What it is not to show.
    """

    positive: Conditioning
    negative: Conditioning


def each_prompt(
    conditioning: Conditioning, change: Callable[[Conditioning], Conditioning]
) -> Conditioning:
    """A conditioning with every prompt in it changed."""
    also = tuple(each_prompt(other, change) for other in conditioning.also)
    return replace(change(conditioning), also=also)
