"""Templates, joins and lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.logic.texts import join_list, join_texts, lines, template

from nodeflow import InputError


def test_parts_are_filled_in_as_people_write_them() -> None:
    filled = template("{a}, seed {b}, {c}, {d}, {a}", "an apple", 7, 2.50, True)
    assert filled == "an apple, seed 7, 2.5, true, an apple"


def test_doubled_braces_are_single_and_lone_ones_stay() -> None:
    assert template("{{a}} { } {a}", "x") == "{a} { } x"


def test_what_is_filled_in_is_not_filled_again() -> None:
    assert template("{a}{b}", "{b}", "{{") == "{b}{{"


@given(st.text())
def test_any_text_passes_through_one_part(text: str) -> None:
    assert template("<{a}>", text) == f"<{text}>"


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"asks for '\{animal\}'; there are \{a\}, \{b\}"):
        template("a {animal}", "cat")


def test_an_empty_part_is_refused_only_if_it_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"asks for '\{b\}', but 'b' is empty; link it"):
        template("{a} {b}", "x")
    assert template("{a}", "") == ""


def test_joining_leaves_out_what_is_empty() -> None:
    assert join_texts(("a", "", "b")) == "a, b"
    assert join_list(["a", "", "b"], " | ") == "a | b"
    assert join_texts(()) == ""


def test_lines_are_stripped_and_empty_ones_left_out() -> None:
    assert lines("a red apple\n\n  a boat \r\nstar\n") == ["a red apple", "a boat", "star"]
    assert lines("") == []
