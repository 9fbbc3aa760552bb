"""Nodes that do next to nothing, so that what is measured is the engine."""

from __future__ import annotations

from nodeflow import node


@node(category="bench", version="1", output="number")
def step(number: int, by: int = 1) -> int:
    """Add one number to another.

    Args:
        number: One number.
        by: The other.
    """
    return number + by


@node(category="bench", version="1", output="number")
def total(numbers: tuple[int, ...]) -> int:
    """Add many numbers.

    Args:
        numbers: As many as are linked.
    """
    return sum(numbers)
