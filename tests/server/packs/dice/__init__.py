"""Nodes that take seeds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodeflow import Seed, Was, Widget, node


@node(version="1")
def roll(seed: Annotated[Seed, Was("chance")] = 0, sides: int = 6) -> int:
    """Roll a dice.

    Args:
        seed: Which roll.
        sides: Of the dice.
    """
    return seed % sides


@node(version="1")
def flip(seed: Annotated[int, Field(ge=0, le=9), Widget("seed")] = 8, coins: int = 1) -> int:
    """Flip coins.

    Args:
        seed: Which flip; there are few.
        coins: How many.
    """
    return (seed + coins) % 2
