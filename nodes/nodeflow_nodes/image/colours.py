"""Colours as people write them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from PIL import ImageColor

from nodeflow import InputError, Widget

Colour: TypeAlias = Annotated[str, Widget("colour")]
"""`#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(...)`, `hsl(...)`, a CSS name or `transparent`."""


def read_colour(text: str) -> tuple[float, float, float, float]:
    """Red, green, blue and alpha in 0..1.

    Raises:
        InputError: The text is no colour.
    """
    if text.strip().lower() == "transparent":
        return (0.0, 0.0, 0.0, 0.0)
    try:
        channels = ImageColor.getcolor(text.strip(), "RGBA")
    except ValueError as error:
        raise InputError(
            f"'{text}' is no colour; write one like '#ff8800', '#ff880080' or 'orange'"
        ) from error
    assert isinstance(channels, tuple)
    red, green, blue, alpha = (min(channel, 255) / 255 for channel in channels)
    return (red, green, blue, alpha)
