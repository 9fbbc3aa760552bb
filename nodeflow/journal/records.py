"""Records: what the journal takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import JsonValue

from nodeflow.errors import NodeflowError
from nodeflow.events import Outcome
from nodeflow.job_events import JobStatus


class KeyReusedError(NodeflowError):
    """An Idempotency-Key came a second time, with another request."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key '{key}' was used for another request before. "
            "Send a new key with a new request."
        )
        self.key = key


class UnfinishedError(NodeflowError):
    """A job that is not over cannot leave the history."""

    def __init__(self, job: str, status: str) -> None:
        super().__init__(
            f"Job '{job}' is {status}, so it cannot leave the history. Cancel it first."
        )
        self.job = job


@dataclass(frozen=True, slots=True)
class Kept:
    """An event with its number.

    Attributes:
        job: Whose event it is; empty if it is about the server.
        text: The whole JSON object as it is sent, in ASCII.
    """

    seq: int
    time: float
    event: str
    job: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a job runs: a workflow as JSON with all inputs in it.

    Attributes:
        text: The JSON; empty if it is in a file, or if the journal has the document already.
        file: Path of a file with the JSON. The journal takes over a file that is handed in.
        nodes: How many nodes there are.
    """

    digest: str
    text: str = ""
    file: str = ""
    nodes: int = 0


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is handed in.

    Attributes:
        path: Saved workflow it came from; empty if none.
        inputs: As they were handed in.
        only: Nodes that are wanted; everything if empty.
        priority: Higher runs first.
        batch: What the jobs of one batch have in common; empty if it is alone.
        webhook: Address that is told when it is over; empty if none.
        parent: Job that is run again; empty if it is new.
    """

    id: str
    name: str
    document: Document
    path: str = ""
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    only: Sequence[str] = ()
    priority: int = 0
    batch: str = ""
    webhook: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Once:
    """What makes a repeated request the same: its Idempotency-Key and a digest of all it says."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it stands.

    Attributes:
        number: Counts up; no two jobs ever have the same.
        position: Among equal priorities, lower runs first.
        started: When the attempt at hand began; None while it waits.
        attempts: How often a worker began it.
        document: Digest of what it runs.
        nodes: How many nodes that has.
        total: How many nodes the attempt at hand asks for; 0 before that is known.
        outputs: As in `nodeflow.job_events.JobFinished`, like `files` and `counts`.
        problem: Why it failed, as one sentence.
    """

    number: int
    id: str
    name: str
    path: str
    status: JobStatus
    priority: int
    position: float
    batch: str
    parent: str
    inputs: Mapping[str, JsonValue]
    only: Sequence[str]
    webhook: str
    submitted: float
    document: str
    nodes: int
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    seconds: float | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    total: int = 0


@dataclass(frozen=True, slots=True)
class Submitted:
    """The jobs of a request; `new` is False if an earlier request with the same key made them."""

    jobs: list[JobRecord]
    new: bool


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What became of one node of a job.

    Attributes:
        memory: The most bytes that it took.
        why: On `ran`, which part of the key was new; else where the value came from.
        files: What an end node saved.
        sentence: Why it failed; empty if it did not.
        trace: Where it failed, as Python tells it; empty if it did not.
    """

    outcome: Outcome | Literal["running"]
    seconds: float = 0.0
    memory: int = 0
    why: str = ""
    key: str = ""
    files: Sequence[str] = ()
    sentence: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file that a job made, named by its content.

    Attributes:
        path: Where it is.
        name: What to call it when it is downloaded.
    """

    digest: str
    path: str
    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    job: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a saved workflow."""

    number: int
    etag: str
    time: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that has to be told that a job is over; `attempts` have failed so far."""

    id: int
    job: str
    url: str
    attempts: int
