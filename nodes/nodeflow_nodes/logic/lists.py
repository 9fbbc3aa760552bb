"""Nodes that make lists and take from them; a list into a single input runs that node often."""

from __future__ import annotations

from itertools import product
from typing import Annotated, Generic, NamedTuple, TypeVar

from pydantic import Field

from nodeflow import InputError, node

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

Count = Annotated[int, Field(ge=1, le=10_000)]
LONGEST = 1_000_000
"""Items of a product at most: more are a slip, and would fill the memory."""


@node(title="Make list", category="logic/list", version="1", output="items")
def collect(items: tuple[T, ...]) -> list[T]:
    """Put values of one kind into a list.

    Args:
        items: The values, in order.
    """
    return list(items)


@node(category="logic/list", version="1", output="items")
def repeat(value: T, times: Count = 2) -> list[T]:
    """The same value several times, as a list.

    Args:
        value: The value.
        times: How often.
    """
    return [value] * times


@node(category="logic/list", version="1", output="numbers")
def integer_range(start: int = 0, count: Count = 4, step: int = 1) -> list[int]:
    """Whole numbers at equal distances, such as seeds.

    Args:
        start: The first number.
        count: How many numbers.
        step: Distance from one number to the next; may be negative.
    """
    return [start + index * step for index in range(count)]


@node(category="logic/list", version="1", output="numbers")
def number_range(start: float = 0.0, stop: float = 1.0, count: Count = 5) -> list[float]:
    """Numbers at equal distances from `start` to `stop`, both included.

    Args:
        start: The first number.
        stop: The last number; left out if there is only one.
        count: How many numbers.
    """
    if count == 1:
        return [start]
    last = count - 1
    # Weighted ends, so that both are hit exactly and nothing overflows on the way.
    return [start * ((last - i) / last) + stop * (i / last) for i in range(count)]


class Crossed(NamedTuple, Generic[A, B]):
    """All pairs of two lists, as two lists of equal length.

    Attributes:
        a: The first item of each pair; it changes slowest, so it is the row of a grid.
        b: The second item of each pair; it changes fastest, so it is the column of a grid.
    """

    a: list[A]
    b: list[B]


@node(title="Cross lists", category="logic/list", version="1")
def cross(a: list[A], b: list[B]) -> Crossed[A, B]:
    """Pair every item of one list with every item of another, for grids.

    Args:
        a: The list of rows.
        b: The list of columns.

    Raises:
        InputError: There would be more than a million pairs.
    """
    if len(a) * len(b) > LONGEST:
        raise InputError(
            f"{len(a)} times {len(b)} items are {len(a) * len(b)} pairs, more than {LONGEST}; "
            "use shorter lists"
        )
    pairs = list(product(a, b))
    return Crossed([first for first, _ in pairs], [second for _, second in pairs])


@node(category="logic/list", version="1", output="item")
def pick(items: list[T], index: int = 0) -> T:
    """One item of a list.

    Args:
        items: The list.
        index: Which: 0 is the first, -1 the last.

    Raises:
        InputError: The list has no such item.
    """
    if not -len(items) <= index < len(items):
        raise InputError(
            f"there is no item {index} in a list of {len(items)}; "
            + (f"use 0 to {len(items) - 1}, or -1 for the last" if items else "it is empty")
        )
    return items[index]


@node(category="logic/list", version="1", output="length")
def length(items: list[T]) -> int:
    """How many items a list has.

    Args:
        items: The list.
    """
    return len(items)
