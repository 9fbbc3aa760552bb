"""What can be said of the inputs before a run; quick to import, so that a check needs no torch."""

from __future__ import annotations

from collections.abc import Mapping

from nodeflow import InputError

SMALLEST = 16
"""Side of the smallest tile, in pixels."""


def require_room(tile: int | Mapping[str, object], overlap: int | Mapping[str, object]) -> None:
    """Raise InputError unless two overlaps fit into a tile; links, not known yet, pass."""
    if not isinstance(tile, int) or tile == 0:
        return
    if tile < SMALLEST:
        raise InputError(
            f"a tile of {tile} pixels is too small; use at least {SMALLEST}, or 0 for what the "
            "free memory holds"
        )
    if isinstance(overlap, int) and 2 * overlap > tile:
        raise InputError(
            f"an overlap of {overlap} pixels on both sides does not fit into tiles of {tile}; "
            f"use at most {tile // 2}"
        )
