"""Every message a run sends, typed. `as_json` is the one form on every wire and in `--json`.

`tests/test_events.py` holds a golden sample of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

Outcome = Literal["ran", "memory", "disk", "skipped", "failed", "cancelled"]
"""What became of a node: it ran; its value came from a store; nobody needed it, or what it needs
failed; it failed; the run was cancelled while it worked."""

RunStatus = Literal["done", "failed", "cancelled"]


@dataclass(slots=True)
class Event:
    """Base of all events; `event` is the name on the wire."""

    event: ClassVar[str]

    def as_json(self) -> dict[str, Any]:
        """The event as one JSON object; binary fields (previews) stay out."""
        body = {item.name: getattr(self, item.name) for item in fields(self)}
        return {"event": self.event} | {
            name: _plain(value) for name, value in body.items() if not isinstance(value, bytes)
        }


def _plain(value: object) -> object:
    if isinstance(value, NodeReport):
        return value.as_json()
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


@dataclass(slots=True)
class NodeReport:
    """What became of one node, as the last event tells it.

    Attributes:
        seconds: Wall time of the node itself, without waiting.
        why: On `ran`, which part of the key is new; else where the value came from.
        files: What an end node wrote.
        memory: The most bytes that the process held while the node ran; 0 if it did not.
        key: Digest of what its value is made of; not part of the event.
    """

    outcome: Outcome
    seconds: float = 0.0
    why: str = ""
    files: tuple[str, ...] = ()
    memory: int = 0
    key: str = ""

    def as_json(self) -> dict[str, Any]:
        report: dict[str, Any] = {"outcome": self.outcome, "seconds": round(self.seconds, 6)}
        if self.why:
            report["why"] = self.why
        if self.files:
            report["files"] = list(self.files)
        if self.memory:
            report["memory"] = self.memory
        return report


@dataclass(slots=True)
class RunStarted(Event):
    """The first event of a run.

    Attributes:
        nodes: How many nodes will be asked for: those that are wanted and what they need; of what
            a store has already, nothing further up.
    """

    event: ClassVar[str] = "run_started"
    run: str
    workflow: str
    nodes: int


@dataclass(slots=True)
class NodeStarted(Event):
    """A node begins to compute; `why` names the part of its key that is new."""

    event: ClassVar[str] = "node_started"
    run: str
    node: str
    type: str
    why: str


@dataclass(slots=True)
class NodeProgress(Event):
    """A node has done `step` of `total` steps."""

    event: ClassVar[str] = "node_progress"
    run: str
    node: str
    step: int
    total: int
    text: str = ""


@dataclass(slots=True)
class NodePreview(Event):
    """A look at unfinished work: a small encoded picture."""

    event: ClassVar[str] = "node_preview"
    run: str
    node: str
    media_type: str
    picture: bytes = field(repr=False)


@dataclass(slots=True)
class NodeLog(Event):
    """A line for people about a node, such as a cache entry that was dropped."""

    event: ClassVar[str] = "node_log"
    run: str
    node: str
    text: str


@dataclass(slots=True)
class NodeFinished(Event):
    """A node is done and, if a disk store is used, its value is safely there.

    `memory` is the most bytes that the process held while the node ran; 0 if it did not.
    """

    event: ClassVar[str] = "node_finished"
    run: str
    node: str
    outcome: Outcome
    seconds: float
    why: str = ""
    key: str = ""
    files: tuple[str, ...] = ()
    memory: int = 0


@dataclass(slots=True)
class NodeFailed(Event):
    """A node raised; what does not depend on it goes on."""

    event: ClassVar[str] = "node_failed"
    run: str
    node: str
    type: str
    sentence: str
    trace: str = ""


@dataclass(slots=True)
class RunFinished(Event):
    """The last event of a run.

    Attributes:
        nodes: Report of each node, by id.
        outputs: For each exposed output `{"files": [...]}`, or `{"value": ...}` for a JSON value.
    """

    event: ClassVar[str] = "run_finished"
    run: str
    status: RunStatus
    seconds: float
    nodes: Mapping[str, NodeReport]
    outputs: Mapping[str, Mapping[str, Any]]


Emit = Callable[[Event], None]
"""Where events go. Called from several threads, one call at a time; must not block."""
