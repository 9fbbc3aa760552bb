"""Frames: events and previews as the bytes that a watcher's socket takes, encoded once for all.

A frame is written to the transport as it is. That is why it holds what aiohttp would add for each
client by itself: the head of a WebSocket frame, or the length of an HTTP chunk.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nodeflow.journal.records import Kept
from nodeflow.worker.messages import Preview

_TEXT = 0x81
_BINARY = 0x82
_HEAD_16 = struct.Struct(">BBH")
_HEAD_64 = struct.Struct(">BBQ")
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, encoded; `seq` is 0 if it is not kept."""

    seq: int
    event: str
    job: str
    data: bytes

    @classmethod
    def of(cls, kept: Kept) -> Entry:
        return cls(kept.seq, kept.event, kept.job, kept.text.encode("utf-8", "replace"))

    @classmethod
    def passing(cls, event: Mapping[str, Any], job: str) -> Entry:
        """An event that is not kept."""
        return cls(0, str(event.get("event", "")), job, _json(event))


class Wire(Protocol):
    """How events look to one kind of watcher."""

    def opening(self, position: int, facts: Mapping[str, Any]) -> bytes:
        """The first frame: where the watcher stands."""

    def events(self, entries: Iterable[Entry]) -> bytes:
        """Events as one write."""


class WebSocketWire:
    """Text frames `{"events": [...]}`."""

    def opening(self, position: int, facts: Mapping[str, Any]) -> bytes:
        return _framed(_TEXT, _json({"events": []} | dict(facts)))

    def events(self, entries: Iterable[Entry]) -> bytes:
        inside = b",".join(entry.data for entry in entries)
        return _framed(_TEXT, b'{"events":[' + inside + b"]}")


@dataclass(frozen=True)
class EventStreamWire:
    """Server-Sent Events.

    Attributes:
        chunked: Whether the response is chunked, which HTTP/1.0 has not.
    """

    chunked: bool

    def opening(self, position: int, facts: Mapping[str, Any]) -> bytes:
        """Has an id, so that a client that is cut off before its first event misses none."""
        data = _json(facts).decode()
        return self._whole(
            f"retry: 2000\nid: {position}\nevent: position\ndata: {data}\n\n".encode()
        )

    def events(self, entries: Iterable[Entry]) -> bytes:
        return self._whole(b"".join(_sent(entry) for entry in entries))

    def beat(self) -> bytes:
        """A comment, so that nobody in between thinks that the connection is dead."""
        return self._whole(b": the server is there\n\n")

    def _whole(self, body: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(body), body) if self.chunked else body


WEB_SOCKET = WebSocketWire()
CHUNKED = EventStreamWire(chunked=True)
PLAIN = EventStreamWire(chunked=False)


def preview_frame(preview: Preview) -> bytes:
    """A picture as a binary WebSocket frame: length of a JSON head, head, picture."""
    head = _json({"job": preview.job, "node": preview.node, "media_type": preview.media_type})
    return _framed(_BINARY, _LENGTH.pack(len(head)) + head + preview.picture)


def _sent(entry: Entry) -> bytes:
    number = b"id: %d\n" % entry.seq if entry.seq else b""
    return b"%bevent: %b\ndata: %b\n\n" % (number, entry.event.encode(), entry.data)


def _framed(kind: int, payload: bytes) -> bytes:
    # RFC 6455, 5.2: final frame, unmasked as all that a server sends, no extension.
    length = len(payload)
    if length < 126:
        return bytes((kind, length)) + payload
    if length < 65536:
        return _HEAD_16.pack(kind, 126, length) + payload
    return _HEAD_64.pack(kind, 127, length) + payload


def _json(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
