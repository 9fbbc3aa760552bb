"""Messages as bytes and back, however the pipe cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.worker.messages import (
    Alive,
    Begin,
    Cancel,
    Forget,
    Frames,
    Free,
    Freed,
    Happened,
    JobBegun,
    JobEnded,
    Message,
    PacksRead,
    Preview,
    ReadPacks,
    Ready,
    Recall,
    Stop,
    Watch,
    encode,
)

SAMPLES: list[Message] = [
    Begin("j", '{"nodeflow": 1}', "", "out", True, ["a"]),
    Cancel("j"),
    Recall("j"),
    Watch(True),
    Free(),
    ReadPacks(),
    Forget(["j", "k"]),
    Stop(),
    Ready(7, {"name": "cpu"}),
    PacksRead([{"pack": "p", "sentence": "no", "trace": ""}]),
    Alive(5, {"memory": {"bytes": 3}}),
    JobBegun("j"),
    Happened("j", [{"event": "node_log", "job": "j", "node": "ä", "text": "½ \ud83d line\n"}]),
    Preview("j", "n", "image/jpeg", b"\0\xff{}"),
    JobEnded("j", "done", 1.5, {"a": {"value": float("inf")}}, counts={"ran": 2}),
    Freed(4),
]


def test_there_is_a_sample_of_every_kind():
    kinds = {kind.kind for kind in Message.__subclasses__() if kind.__module__ == Begin.__module__}
    assert {type(message).kind for message in SAMPLES} == kinds


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: message.kind)
def test_a_message_comes_out_as_it_went_in(message):
    assert Frames().feed(encode(message)) == [message]


@given(
    st.lists(st.sampled_from(SAMPLES), max_size=12),
    st.lists(st.integers(min_value=1, max_value=300), min_size=1),
)
def test_messages_come_out_whole_and_in_order_whatever_the_pieces(messages, sizes):
    data = b"".join(map(encode, messages))
    frames = Frames()
    found: list[Message] = []
    turn = 0
    while data:
        size = sizes[turn % len(sizes)]
        found += frames.feed(data[:size])
        data = data[size:]
        turn += 1
    assert found == messages


@pytest.mark.parametrize(
    "text", [b"[]", b"null", b"{", b'{"kind": "nobody"}', b'{"kind": "cancel"}', b"\xff"]
)
def test_what_is_no_message_is_refused(text):
    frame = len(text).to_bytes(4, "big") + bytes(4) + text
    with pytest.raises(ValueError, match="is no message"):
        Frames().feed(frame)
