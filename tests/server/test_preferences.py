"""What a client says of waiting, and of the types it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.server.preferences import Accepts, Patience, patience
from nodeflow.server.problems import HttpError

_OFFERED = ("application/json", "image/png", "image/webp")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], Patience(None)),
        (["respond-async"], Patience(0.0, "respond-async")),
        (["Respond-Async; foo=bar"], Patience(0.0, "respond-async")),
        (["wait=10"], Patience(10.0, "wait=10")),
        (['respond-async, wait="5"'], Patience(5.0, "respond-async, wait=5")),
        (["wait=3", "wait=9"], Patience(3.0, "wait=3")),
        (["wait=0"], Patience(0.0, "wait=0")),
        (["return=minimal, handling=lenient"], Patience(None)),
        (["wait=soon"], Patience(None)),
        (["wait=-1, respond-async"], Patience(0.0, "respond-async")),
    ],
)
def test_waiting_is_asked_for_as_in_rfc_7240(headers: list[str], expected: Patience) -> None:
    assert patience(headers) == expected


@pytest.mark.parametrize(
    ("header", "best"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/png", "image/png"),
        ("image/webp, image/png;q=0.5", "image/webp"),
        ("image/*", "image/png"),
        ("image/png, */*", "image/png"),
        ("text/html, image/webp;q=0.9, */*;q=0.1", "image/webp"),
        ("application/json, image/png", "application/json"),
        ("image/*;q=0.2, application/json;q=0.1", "image/png"),
    ],
)
def test_the_type_that_is_wanted_most_is_taken(header: str | None, best: str) -> None:
    assert Accepts.of(header).best(_OFFERED) == best


@pytest.mark.parametrize("header", ["text/html", "image/png;q=0, text/*", "image/gif;q=nan"])
def test_nothing_that_is_wanted_is_406(header: str) -> None:
    with pytest.raises(HttpError, match="image/webp") as caught:
        Accepts.of(header).best(_OFFERED)
    assert caught.value.status == 406


@given(st.text(max_size=60), st.lists(st.text(max_size=40), max_size=3))
def test_no_header_is_too_odd_to_be_read(accept: str, prefer: list[str]) -> None:
    quality, _ = Accepts.of(accept).rank("image/png")
    assert 0 <= quality <= 1
    seconds = patience(prefer).seconds
    assert seconds is None or seconds >= 0
