"""The node that chooses which part of a workflow is computed at all."""

from __future__ import annotations

from typing import TypeVar

from nodeflow import Lazy, node

T = TypeVar("T")


@node(category="logic", version="1", output="value")
async def switch(condition: bool, on_true: Lazy[T], on_false: Lazy[T]) -> T:
    """Give one of two values; what leads to the other is not computed.

    Args:
        condition: Which of the two.
        on_true: The value if the condition holds.
        on_false: The value if it does not.
    """
    return await (on_true if condition else on_false)
