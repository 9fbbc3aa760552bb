"""The messages between a server and its workers: dataclasses, framed as JSON with a binary tail.

A frame is two unsigned 32-bit big-endian numbers, the length of the JSON and of the tail, then
both. Only the two processes of one server speak this, so there is one version: today's. A further
kind of message is a further subclass of `Message`, in whatever module both processes import.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from nodeflow.events import RunStatus

_HEAD = struct.Struct(">II")
_WRITE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(slots=True)
class Message:
    """Base of all messages; `kind` is the name on the wire, `tail` the name of a bytes field."""

    kind: ClassVar[str]
    tail: ClassVar[str] = ""


# From the server to a worker.


@dataclass(slots=True)
class Begin(Message):
    """Run a job after those that were begun before.

    Attributes:
        document: The workflow as JSON with all inputs in it; empty if `file` names it.
        file: Path of a file with the document, for large ones.
        out: Folder for what is saved.
        watched: Whether previews are wanted.
        only: Nodes that are wanted; everything if empty.
    """

    kind: ClassVar[str] = "begin"
    job: str
    document: str = ""
    file: str = ""
    out: str = ""
    watched: bool = False
    only: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Cancel(Message):
    """Stop a job, or forget it if it waits in the worker; `JobEnded` follows either way."""

    kind: ClassVar[str] = "cancel"
    job: str


@dataclass(slots=True)
class Recall(Message):
    """Give a job back that waits in the worker: a cancelled `JobEnded` follows.

    One that has begun goes on, and nothing follows but its `JobBegun`.
    """

    kind: ClassVar[str] = "recall"
    job: str


@dataclass(slots=True)
class Watch(Message):
    """Whether anybody looks at previews from now on."""

    kind: ClassVar[str] = "watch"
    watched: bool


@dataclass(slots=True)
class Free(Message):
    """Unload models and empty the memory store, between jobs; `Freed` follows."""

    kind: ClassVar[str] = "free"


@dataclass(slots=True)
class ReadPacks(Message):
    """Read all packs again, between jobs; `PacksRead` follows."""

    kind: ClassVar[str] = "read_packs"


@dataclass(slots=True)
class Forget(Message):
    """Jobs left the history: let go of what was pinned for them."""

    kind: ClassVar[str] = "forget"
    jobs: list[str]


@dataclass(slots=True)
class Stop(Message):
    """Cut short what runs, close the stores and end.

    A job that is cut short is not over, so it has no `JobEnded`; it can go on in another worker.
    """

    kind: ClassVar[str] = "stop"


# From a worker to the server.


@dataclass(slots=True)
class Ready(Message):
    """The worker takes jobs.

    Attributes:
        device: For people: `name` and `precision` as they were asked for, or what came of them with
            the chip as `kind`, once that was asked of torch.
    """

    kind: ClassVar[str] = "ready"
    pid: int
    device: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PacksRead(Message):
    """The packs were read and what they declare is remembered on disk.

    Attributes:
        errors: `{"pack", "sentence", "trace"}` of each pack that cannot be used.
    """

    kind: ClassVar[str] = "packs_read"
    errors: list[dict[str, str]]


@dataclass(slots=True)
class Alive(Message):
    """A sign of life, once a second.

    Attributes:
        rss: Bytes of memory that the worker occupies.
        memory: What the memory store, the models and the disk store hold, as JSON; empty until the
            worker is ready.
    """

    kind: ClassVar[str] = "alive"
    rss: int
    memory: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class JobBegun(Message):
    """A job left the worker's own queue and runs."""

    kind: ClassVar[str] = "job_begun"
    job: str


@dataclass(slots=True)
class Happened(Message):
    """Events of a job in order, as JSON objects with `job` in place of `run`."""

    kind: ClassVar[str] = "happened"
    job: str
    events: list[dict[str, Any]]


@dataclass(slots=True)
class Preview(Message):
    """A look at unfinished work."""

    kind: ClassVar[str] = "preview"
    tail: ClassVar[str] = "picture"
    job: str
    node: str
    media_type: str
    picture: bytes = b""


@dataclass(slots=True)
class JobEnded(Message):
    """A job is over; all its events were sent before.

    Attributes:
        outputs: As in `nodeflow.job_events.JobFinished`, but each file has its `path` too.
        files: The same of what end nodes saved, by node id.
        nodes: For each node that has neither a `node_finished` nor a `node_failed` event its
            outcome: `{id: [outcome, why, key]}`.
        problem: Why it failed, as one sentence that names the node; empty if it did not.
    """

    kind: ClassVar[str] = "job_ended"
    job: str
    status: RunStatus
    seconds: float = 0.0
    outputs: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    nodes: Mapping[str, list[str]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(slots=True)
class Freed(Message):
    """Models are unloaded and the memory store is empty."""

    kind: ClassVar[str] = "freed"
    rss: int


def encode(message: Message) -> bytes:
    """A message as one frame."""
    tail: bytes = getattr(message, message.tail) if message.tail else b""
    body = {"kind": message.kind}
    for item in fields(message):
        if item.name != message.tail:
            body[item.name] = getattr(message, item.name)
    # Half a character in what a node prints is no reason to fall silent.
    text = _WRITE(body).encode("utf-8", "surrogatepass")
    return _HEAD.pack(len(text), len(tail)) + text + tail


class Frames:
    """Makes messages of bytes as they come in, in pieces of any size."""

    def __init__(self) -> None:
        # Asked now, so that messages of any module that is imported are known.
        self._kinds = {kind.kind: kind for kind in Message.__subclasses__()}
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now.

        Raises:
            ValueError: The bytes are no message; nothing that follows can be understood.
        """
        buffer = self._buffer
        buffer += data
        messages: list[Message] = []
        at = 0
        while at + _HEAD.size <= len(buffer):
            text, tail = _HEAD.unpack_from(buffer, at)
            start = at + _HEAD.size
            end = start + text + tail
            if end > len(buffer):
                break
            messages.append(
                self._decode(bytes(buffer[start : start + text]), bytes(buffer[end - tail : end]))
            )
            at = end
        del buffer[:at]
        return messages

    def _decode(self, text: bytes, tail: bytes) -> Message:
        try:
            body = json.loads(text.decode("utf-8", "surrogatepass"))
            kind = self._kinds[body.pop("kind")]
            if kind.tail:
                body[kind.tail] = tail
            return kind(**body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{text[:200]!r} is no message") from error
