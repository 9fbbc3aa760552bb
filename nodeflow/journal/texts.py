"""Texts: JSON that every reader takes, and text that SQLite takes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

# ASCII: a lone surrogate, which UTF-8 cannot say, stays what it is as an escape.
_strict: Callable[[object], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


_EMPTY: Mapping[type, str] = {dict: "{}", list: "[]", tuple: "[]"}


def encode(value: object) -> str:
    """JSON in ASCII. A number that JSON does not have (NaN, infinity) becomes null."""
    if not value and type(value) in _EMPTY:  # most columns of JSON are
        return _EMPTY[type(value)]
    try:
        return _strict(value)
    except ValueError:
        return _strict(_finite(value))


def decode(text: str) -> Any:
    """What `encode` was given."""
    return {} if text == "{}" else json.loads(text)


def storable(text: str) -> str:
    """The text with `?` for each lone surrogate, which a column of text cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
