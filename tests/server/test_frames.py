"""The bytes on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nodeflow.server.frames import CHUNKED, PLAIN, WEB_SOCKET, Entry, preview_frame
from nodeflow.worker.messages import Preview
from tests.server.hub_tools import frames, kept

HEAD = b"HTTP/1.1 101 \r\n\r\n"


def sent(body: bytes) -> Any:
    ((kind, payload),) = frames(HEAD + body)
    assert kind == 1
    return json.loads(payload)


@pytest.mark.parametrize("length", [0, 60, 200, 70_000])
def test_a_frame_of_any_length_holds_the_events_as_they_are(length: int) -> None:
    entry = Entry.of(kept(7, text="ä" * length))
    told = sent(WEB_SOCKET.events([entry, entry]))
    assert told == {"events": [json.loads(entry.data)] * 2}


def test_the_bytes_of_an_event_are_pinned() -> None:
    entry = Entry(7, "node_log", "a", b'{"seq":7}')
    assert WEB_SOCKET.events([entry]) == b'\x81\x16{"events":[{"seq":7}]}'
    assert PLAIN.events([entry]) == b'id: 7\nevent: node_log\ndata: {"seq":7}\n\n'
    assert CHUNKED.events([entry]) == b"27\r\n" + PLAIN.events([entry]) + b"\r\n"


def test_the_first_frame_says_where_a_watcher_stands() -> None:
    facts = {"after": 3, "last": 9}
    assert sent(WEB_SOCKET.opening(3, facts)) == {"events": [], **facts}
    assert PLAIN.opening(3, facts) == (
        b'retry: 2000\nid: 3\nevent: position\ndata: {"after":3,"last":9}\n\n'
    )


def test_what_is_no_unicode_does_not_break_a_frame() -> None:
    entry = Entry.passing({"event": "node_progress", "text": "\ud800"}, "a")
    assert sent(WEB_SOCKET.events([entry]))["events"][0]["text"] == "?"


def test_a_preview_has_the_length_of_its_head_the_head_and_the_picture() -> None:
    ((kind, payload),) = frames(HEAD + preview_frame(Preview("a", "n", "image/webp", b"\0\1")))
    length = int.from_bytes(payload[:4])
    assert kind == 2
    assert json.loads(payload[4 : 4 + length]) == {
        "job": "a",
        "node": "n",
        "media_type": "image/webp",
    }
    assert payload[4 + length :] == b"\0\1"
