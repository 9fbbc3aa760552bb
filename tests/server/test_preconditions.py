"""Preconditions: who writes over something says what; who has it already gets nothing twice."""

from __future__ import annotations

import pytest

from nodeflow.server.preconditions import is_fresh, require
from nodeflow.server.problems import HttpError


@pytest.mark.parametrize(
    ("current", "if_match", "if_none_match", "status"),
    [
        ("", None, None, 0),
        ("", None, "*", 0),
        ("", '"a"', None, 412),
        ("", "*", None, 412),
        ("a", None, None, 428),
        ("a", '"a"', None, 0),
        ("a", '"b", "a"', None, 0),
        ("a", "*", None, 0),
        ("a", '"b"', None, 412),
        ("a", 'W/"a"', None, 412),
        ("a", None, "*", 412),
        ("a", None, '"a"', 412),
        ("a", None, '"b"', 428),
        ("a", '"a"', '"a"', 412),
        ("a", "a", None, 400),
        ("a", '"a', None, 400),
        ("a", "", None, 412),
    ],
)
def test_a_writer_has_to_know_what_is_there(
    current: str, if_match: str | None, if_none_match: str | None, status: int
) -> None:
    if not status:
        require("The workflow 'x'", current, if_match, if_none_match)
        return
    with pytest.raises(HttpError) as caught:
        require("The workflow 'x'", current, if_match, if_none_match)
    assert caught.value.status == status
    if status in (412, 428) and current:
        assert caught.value.headers["ETag"] == f'"{current}"'


@pytest.mark.parametrize(
    ("header", "fresh"),
    [(None, False), ("*", True), ('"a"', True), ('W/"a"', True), ('"b","a"', True), ('"b"', False)],
)
def test_a_reader_that_has_the_text_is_told_so(header: str | None, fresh: bool) -> None:
    assert is_fresh(header, "a") is fresh
