"""The C library's heap: memory that was freed, handed back to the system."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> bool:
    """Hand freed memory back; a few milliseconds.

    glibc raises the size from which a block is mapped on its own to that of the largest one it saw
    freed. Pictures then come from the common heap and leave holes in it, and a process whose values
    fit a budget of 256 MB was seen to grow by another 200 MB.

    Returns:
        Whether the C library can do this; only glibc can.
    """
    trim = _trim()
    if trim is None:
        return False
    trim(0)
    return True


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # no C library by that road, as on Windows
        return None
    return found
