"""What happens to jobs, the queue, workers and packs of a server, typed like a run's own events.

On the server's wire an event is one JSON object: `{"seq": 7, "time": 1700000000.1, "event":
"job_started", "job": "5f0c…", ...}`. `seq` counts all events that are kept; progress and previews
are not kept and have none. Events of a run (`nodeflow.events`) bear `job` in place of `run`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from nodeflow.events import Event, RunStatus

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]

FINISHED: tuple[JobStatus, ...] = ("done", "failed", "cancelled")


@dataclass(slots=True)
class JobQueued(Event):
    """A job was accepted and is safe on disk, or waits again after a retry.

    Attributes:
        priority: Higher runs first.
        position: Among equal priorities, lower runs first.
        reason: Why it waits again; empty for a new job.
    """

    event: ClassVar[str] = "job_queued"
    job: str
    name: str
    priority: int
    position: float
    batch: str = ""
    reason: str = ""


@dataclass(slots=True)
class JobMoved(Event):
    """A queued job got another place in the queue."""

    event: ClassVar[str] = "job_moved"
    job: str
    priority: int
    position: float


@dataclass(slots=True)
class JobStarted(Event):
    """A worker has the job; `attempt` is 2 if an earlier worker died of it."""

    event: ClassVar[str] = "job_started"
    job: str
    worker: str
    attempt: int = 1


@dataclass(slots=True)
class JobFinished(Event):
    """The last event of a job.

    Attributes:
        outputs: For each exposed output `{"value": ...}` or `{"files": [file, ...]}`, where a file
            is `{"digest", "name", "media_type", "size", "width"?, "height"?}`.
        files: The same of what end nodes saved, by node id.
        counts: How many nodes had each outcome, such as `{"ran": 2, "disk": 5}`.
        problem: Why it failed, as one sentence; empty if it did not.
    """

    event: ClassVar[str] = "job_finished"
    job: str
    status: RunStatus
    seconds: float = 0.0
    outputs: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(slots=True)
class JobRemoved(Event):
    """A finished job left the history; what it made may be collected."""

    event: ClassVar[str] = "job_removed"
    job: str


@dataclass(slots=True)
class QueueChanged(Event):
    """The queue was paused or goes on."""

    event: ClassVar[str] = "queue_changed"
    paused: bool


@dataclass(slots=True)
class WorkerChanged(Event):
    """A worker started, is ready, or has died; `sentence` says what happened."""

    event: ClassVar[str] = "worker_changed"
    worker: str
    state: Literal["starting", "ready", "died", "stopped"]
    sentence: str = ""


@dataclass(slots=True)
class NodesChanged(Event):
    """Packs were read again; ask for `/api/nodes`. `errors` has a sentence for each broken pack."""

    event: ClassVar[str] = "nodes_changed"
    errors: tuple[str, ...] = ()


@dataclass(slots=True)
class WorkflowChanged(Event):
    """A saved workflow was written or deleted; `etag` is empty if it is gone."""

    event: ClassVar[str] = "workflow_changed"
    path: str
    etag: str


@dataclass(slots=True)
class SettingsChanged(Event):
    """The editor's settings were written; `etag` is that of the new ones."""

    event: ClassVar[str] = "settings_changed"
    etag: str


@dataclass(slots=True)
class ResultRemoved(Event):
    """A file that jobs made was deleted, wherever it lay; jobs tell of it still."""

    event: ClassVar[str] = "result_removed"
    digest: str
