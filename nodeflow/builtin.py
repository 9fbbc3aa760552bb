"""The engine's own nodes: what groups that repeat until a condition holds are made of."""

from __future__ import annotations

from typing import TypeVar

from nodeflow.sockets import Lazy
from nodeflow.spec import node

T = TypeVar("T")


@node(category="engine", version="1")
async def until(done: bool, now: Lazy[T], later: Lazy[T]) -> T:
    """Take this round's value if it is the last round, else what the next round gives.

    Args:
        done: Whether this round is the last.
        now: This round's value.
        later: The value that the next round hands on.
    """
    return await now if done else await later
