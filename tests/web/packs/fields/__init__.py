"""Nodes with fields of every kind, and a part of the editor that draws two of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nodeflow import Was, Widget, node

Curve = Annotated[list[list[float]], Widget("curve")]
Place = Annotated[list[float], Widget("point", {"min": -1, "max": 1, "step": 0.1})]


@node(version="1", output="text")
def drawn(
    tint: Annotated[str, Widget("colour")] = "#336699",
    ramp: Curve = [[0.0, 0.0], [1.0, 1.0]],  # noqa: B006 - it is only read
    at: Place = [0.0, 0.0],  # noqa: B006
) -> str:
    """Write down what was drawn.

    The **ramp** goes from dark to light.

    Args:
        tint: A colour.
        ramp: A curve.
        at: A place.
    """
    return f"{tint} {ramp} {at}"


@node(version="1", output="turn", was="fields.dialled")
def turned(
    turn: Annotated[int, Field(ge=0, le=9), Widget("dial", {"height": 80}), Was("angle")] = 3,
    note: str = "plain",
) -> int:
    """Turn a dial.

    Args:
        turn: How far.
        note: Any text.
    """
    return turn


@node(version="1", output="shout")
def broken(
    shout: Annotated[str, Widget("fragile", {"height": 60})] = "quiet", times: int = 1
) -> str:
    """Have a field whose widget breaks.

    Args:
        shout: What to say; its widget throws when it is pressed.
        times: How often.
    """
    return shout * times


@node(version="1", output="word")
def unborn(word: Annotated[str, Widget("unborn", {"height": 60})] = "none") -> str:
    """Have a field whose widget never comes to be.

    Args:
        word: Any.
    """
    return word
