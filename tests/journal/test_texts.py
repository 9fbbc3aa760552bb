from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from nodeflow.journal.texts import decode, encode, storable

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False).filter(math.isfinite),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def utf_16(text: str) -> bytes:
    return text.encode("utf-16", "surrogatepass")


@given(VALUES)
def test_what_is_encoded_comes_back(value: object) -> None:
    assert decode(encode(value)) == value


@given(st.text(st.characters()) | st.text(st.characters(categories=["Cs"])))
def test_every_text_can_be_sent_and_stored(text: str) -> None:
    assert encode(text).isascii()
    # Two surrogates that stand together by chance are one character for JSON.
    assert utf_16(json.loads(encode(text))) == utf_16(text)
    storable(text).encode()


@given(st.text())
def test_a_text_that_unicode_allows_is_stored_as_it_is(text: str) -> None:
    assert storable(text) == text


def test_what_json_cannot_say_is_null_wherever_it_is() -> None:
    value = {"a": [math.nan, (1.0, math.inf)], "b": {"c": -math.inf}}

    assert decode(encode(value)) == {"a": [None, [1.0, None]], "b": {"c": None}}
