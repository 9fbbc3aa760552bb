"""arithmetic and compare, against Python's own numbers."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.logic.numbers import Operation, arithmetic, compare

from nodeflow import InputError

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        ("add", 9.5),
        ("subtract", 5.5),
        ("multiply", 15.0),
        ("divide", 3.75),
        ("floor_divide", 3.0),
        ("modulo", 1.5),
        ("power", 56.25),
        ("minimum", 2.0),
        ("maximum", 7.5),
    ],
)
def test_each_operation_computes(operation: Operation, wanted: float) -> None:
    assert arithmetic(7.5, operation, 2.0).number == wanted


@pytest.mark.parametrize(("value", "nearest"), [(2.5, 3), (-2.5, -2), (2.49, 2), (-0.51, -1)])
def test_the_integer_is_the_nearest_halves_upwards(value: float, nearest: int) -> None:
    assert arithmetic(value, "add", 0.0).integer == nearest


def test_whole_numbers_stay_exact() -> None:
    assert arithmetic(2**53 - 2, "add", 1).integer == 2**53 - 1


@pytest.mark.parametrize("operation", ["divide", "floor_divide", "modulo"])
def test_a_division_by_zero_says_so(operation: Operation) -> None:
    with pytest.raises(InputError, match=rf"{operation} of 3 and 0 divides by zero; change 'b'"):
        arithmetic(3.0, operation, 0.0)


def test_results_that_are_no_finite_real_number_are_refused() -> None:
    for a, operation, b in [
        (1e308, "multiply", 10.0),
        (10.0, "power", 400.0),
        (-2.0, "power", 0.5),
    ]:
        with pytest.raises(InputError, match=f"{operation} of .* has no finite real result"):
            arithmetic(a, operation, b)  # type: ignore[arg-type]


@given(FINITE, st.sampled_from(get_args(Operation)), FINITE)
def test_any_two_numbers_give_a_finite_number_or_a_sentence(
    a: float, operation: Operation, b: float
) -> None:
    try:
        result = arithmetic(a, operation, b)
    except InputError:
        return  # any other exception fails the test
    assert math.isfinite(result.number)
    if abs(result.number) < 2**52:
        assert abs(Fraction(result.integer) - Fraction(result.number)) <= Fraction(1, 2)


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_numbers_compare_as_in_python(a: int, b: int) -> None:
    assert compare(a, "equal", b) == (a == b)
    assert compare(a, "not_equal", b) == (a != b)
    assert compare(a, "less", float(b)) == (a < b)
    assert compare(a, "less_or_equal", b) == (a <= b)
    assert compare(float(a), "greater", b) == (a > b)
    assert compare(a, "greater_or_equal", b) == (a >= b)


def test_texts_have_an_order_and_kinds_are_never_equal() -> None:
    assert compare("apple", "less", "pear")
    assert compare("a", "equal", "a")
    assert not compare("1", "equal", 1)
    assert compare(True, "not_equal", 1)


def test_different_kinds_have_no_order() -> None:
    with pytest.raises(InputError, match="'a' and 1 have no order; compare two numbers"):
        compare("a", "less", 1)
    with pytest.raises(InputError, match="True and False have no order"):
        compare(True, "greater", False)
