"""Nodes that compute with numbers and compare."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from pydantic import JsonValue

from nodeflow import InputError, node

Operation = Literal[
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "modulo",
    "power",
    "minimum",
    "maximum",
]
_OPERATIONS: dict[str, Callable[[float, float], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "modulo": operator.mod,
    "power": operator.pow,
    "minimum": min,
    "maximum": max,
}


class Computed(NamedTuple):
    """The result of a computation.

    Attributes:
        number: The result.
        integer: The result rounded to the nearest whole number, halves upwards.
    """

    number: float
    integer: int


@node(category="logic/number", version="1")
def arithmetic(a: float = 0.0, operation: Operation = "add", b: float = 0.0) -> Computed:
    """Compute with two numbers.

    Args:
        a: The first number.
        operation: What to do; `modulo` has the sign of `b`.
        b: The second number.

    Raises:
        InputError: A division by zero, or a result that is no finite real number.
    """
    try:
        result = _OPERATIONS[operation](a, b)
    except ZeroDivisionError as error:
        raise InputError(f"{operation} of {a:g} and {b:g} divides by zero; change 'b'") from error
    except OverflowError:
        result = math.inf
    if isinstance(result, complex) or not math.isfinite(result):
        raise InputError(f"{operation} of {a:g} and {b:g} has no finite real result")
    whole = result if isinstance(result, int) else math.floor(result + 0.5)
    return Computed(float(result), whole)


Comparison = Literal["equal", "not_equal", "less", "less_or_equal", "greater", "greater_or_equal"]
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_or_equal": operator.le,
    "greater": operator.gt,
    "greater_or_equal": operator.ge,
}


@node(category="logic/number", version="1", output="result")
def compare(a: JsonValue = 0, comparison: Comparison = "equal", b: JsonValue = 0) -> bool:
    """Compare two numbers, or two texts.

    Args:
        a: The first value.
        comparison: What is asked; texts come in the order of their Unicode characters.
        b: The second value.

    Raises:
        InputError: Values of different kinds have no order.
    """
    kinds = (_kind(a), _kind(b))
    if comparison in ("equal", "not_equal"):
        same = kinds[0] == kinds[1] and a == b
        return same == (comparison == "equal")
    if kinds not in (("number", "number"), ("text", "text")):
        raise InputError(
            f"{a!r} and {b!r} have no order; compare two numbers or two texts, or ask for 'equal'"
        )
    return _COMPARISONS[comparison](a, b)


def _kind(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__
