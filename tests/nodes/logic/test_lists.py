"""Lists, against itertools and numpy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.logic.lists import (
    collect,
    cross,
    integer_range,
    length,
    number_range,
    pick,
    repeat,
)

from nodeflow import InputError


def test_values_become_a_list_and_are_the_same_objects() -> None:
    one, two = object(), object()
    assert collect((one, two)) == [one, two]
    assert repeat(one, 3) == [one, one, one]


@given(st.integers(-50, 50), st.integers(1, 50), st.integers(-5, 5))
def test_an_integer_range_has_count_and_step(start: int, count: int, step: int) -> None:
    numbers = integer_range(start, count, step)
    assert len(numbers) == count
    assert numbers[0] == start
    assert {b - a for a, b in itertools.pairwise(numbers)} <= {step}


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(1, 60))
def test_a_number_range_is_numpy_linspace_with_exact_ends(a: float, b: float, count: int) -> None:
    numbers = number_range(a, b, count)
    np.testing.assert_allclose(numbers, np.linspace(a, b, count), atol=1e-9)
    assert numbers[0] == a
    assert count == 1 or numbers[-1] == b


def test_a_number_range_over_everything_stays_finite() -> None:
    assert number_range(-1.7e308, 1.7e308, 3) == [-1.7e308, 0.0, 1.7e308]


@given(st.lists(st.integers(), max_size=6), st.lists(st.text(), max_size=6))
def test_cross_gives_the_product_as_two_lists(a: list[int], b: list[str]) -> None:
    crossed = cross(a, b)
    assert list(zip(crossed.a, crossed.b, strict=True)) == list(itertools.product(a, b))


def test_a_product_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(InputError, match="2000 times 2000 items are 4000000 pairs"):
        cross([0] * 2000, [0] * 2000)


def test_pick_counts_from_both_ends() -> None:
    assert [pick(["a", "b", "c"], index) for index in (0, 2, -1, -3)] == ["a", "c", "c", "a"]


@pytest.mark.parametrize(
    ("items", "index", "sentence"),
    [
        ([1, 2], 2, "no item 2 in a list of 2; use 0 to 1, or -1 for the last"),
        ([1, 2], -3, "no item -3 in a list of 2"),
        ([], 0, "no item 0 in a list of 0; it is empty"),
    ],
)
def test_an_item_that_is_not_there_is_refused(items: list[int], index: int, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        pick(items, index)


def test_length_counts() -> None:
    assert (length([]), length(["a", "b"])) == (0, 2)
