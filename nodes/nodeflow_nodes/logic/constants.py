"""Nodes that hold one value, so that several inputs can share it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodeflow import Prompt, node

SAFE = 2**53 - 1
"""The largest whole number that JavaScript, and so the editor, holds exactly."""


@node(category="logic/value", version="1", output="value")
def integer(value: Annotated[int, Field(ge=-SAFE, le=SAFE)] = 0) -> int:
    """A whole number.

    Args:
        value: The number.
    """
    return value


@node(category="logic/value", version="1", output="value")
def number(value: float = 0.0) -> float:
    """A number.

    Args:
        value: The number.
    """
    return value


@node(category="logic/value", version="1", output="value")
def text(value: Prompt = "") -> str:
    """A text.

    Args:
        value: The text.
    """
    return value


@node(category="logic/value", version="1", output="value")
def boolean(value: bool = False) -> bool:
    """Yes or no.

    Args:
        value: The value.
    """
    return value
