"""JSON text read strictly: what is read can be written again, and nothing is lost in between."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

from nodeflow.errors import Problem, WorkflowError

MAX_DEPTH = 100
_NESTING = (dict, list)


def unreadable(code: str, sentence: str, source: str) -> WorkflowError:
    """The error for a document that cannot be read at all."""
    return WorkflowError([Problem(code, sentence)], source)


def read_json(text: str | bytes, source: str) -> object:
    """JSON without what can be parsed but not written again: NaN, doubled keys, half characters.

    Args:
        source: Name of the document, for the error.

    Raises:
        WorkflowError: It is no such JSON, or nested deeper than `MAX_DEPTH`.
    """
    try:
        data: object = json.loads(
            text, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_unique
        )
        depth = _depth(data)
        if depth <= MAX_DEPTH:
            _refuse_half_characters(text, data)
    except RecursionError as error:
        raise unreadable(
            "too_deep", f"It is nested deeper than {MAX_DEPTH} levels.", source
        ) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise unreadable("not_json", f"It is no JSON: {error.msg} at {place}.", source) from error
    except ValueError as error:
        raise unreadable("not_json", f"It is no JSON: {error}.", source) from error
    if depth > MAX_DEPTH:
        raise unreadable("too_deep", f"It is nested deeper than {MAX_DEPTH} levels.", source)
    return data


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is no JSON number, or too large; write a finite number")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key '{twice}' stands twice in one object")
    return found


def _refuse_half_characters(text: str | bytes, data: object) -> None:
    """Half a surrogate pair can be escaped in JSON, but no file can be written with it."""
    mark: str | bytes = "\\ud" if isinstance(text, str) else b"\\ud"
    if mark in text.lower():  # type: ignore[operator]  # both are text, or both bytes
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = error.object[error.start].encode("ascii", "backslashreplace").decode()
            raise ValueError(f"{half} is half a character") from error


def _depth(data: object) -> int:
    """Levels of nesting, without recursion; stops counting beyond the limit."""
    level: list[object] = [data]
    depth = 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            inner
            for item in level
            if isinstance(item, _NESTING)
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, _NESTING)
        ]
    return depth
