"""Views: jobs and what belongs to them as clients see them; no path of this machine is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue

from nodeflow.errors import Severity
from nodeflow.journal.records import JobRecord, NodeRecord

Status = Literal["queued", "running", "done", "failed", "cancelled"]


class FileView(BaseModel):
    """A file that a job made; `/api/results/{digest}` gives it."""

    digest: str = Field(description="Names the content; it never changes.")
    name: str = Field(description="Path inside the folder of outputs.")
    media_type: str
    size: int = Field(description="Bytes.")
    width: int | None = None
    height: int | None = None


class OutputView(BaseModel):
    """What an exposed output came to: files, or a value that is JSON."""

    files: list[FileView] | None = None
    value: JsonValue = None
    type: str | None = Field(None, description="Socket type of a value that cannot be shown.")


class NodeView(BaseModel):
    """What became of a node."""

    outcome: str = Field(
        description="running, ran, memory, disk, skipped, failed or cancelled; memory and disk say "
        "which store had its value."
    )
    seconds: float = 0.0
    memory: int = Field(0, description="Peak bytes of the worker while it ran.")
    why: str = Field("", description="Which part of its key was new, or where its value was.")
    key: str = Field("", description="Digest of what its value is made of.")
    files: list[str] = Field(default=[], description="Names of the files that it saved.")
    sentence: str = Field("", description="Why it failed.")
    trace: str = Field("", description="Where it failed, as Python tells it.")


class JobView(BaseModel):
    """A job: a workflow with its inputs, handed in to be run once."""

    id: str
    number: int = Field(description="Counts up; for people.")
    name: str = Field(description="Name of the workflow.")
    path: str = Field("", description="Saved workflow that it came from.")
    status: Status
    priority: int = Field(description="Higher runs first.")
    position: float = Field(description="Among equal priorities, lower runs first.")
    batch: str = Field("", description="Shared by jobs that were handed in together.")
    parent: str = Field("", description="Job that was run again.")
    inputs: dict[str, JsonValue] = Field(default={}, description="As they were handed in.")
    only: list[str] = []
    submitted: float = Field(description="Seconds since 1970, as all times.")
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    seconds: float | None = None
    outputs: dict[str, OutputView] = {}
    files: dict[str, list[FileView]] = Field(default={}, description="What end nodes saved.")
    counts: dict[str, int] = Field(default={}, description="Nodes by outcome.")
    total: int = Field(
        0, description="Nodes that it asks for, as `run_started` told; 0 before that."
    )
    problem: str = Field("", description="Why it failed, as one sentence.")
    nodes: dict[str, NodeView] | None = Field(None, description="Only when one job is asked for.")


class JobList(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobView]
    counts: dict[str, int] = Field(description="All jobs of the journal by status.")
    paused: bool
    next: int | None = Field(None, description="`before` of the next page; absent on the last.")


class Finding(BaseModel):
    """One thing that is wrong with a workflow or its inputs."""

    code: str
    severity: Severity
    node: str | None = None
    input: str | None = None
    pointer: str = Field(description="JSON pointer (RFC 6901) to where it is.")
    sentence: str
    way_out: str = ""


class Accepted(BaseModel):
    """What was handed in is safe on disk and waits for its turn."""

    id: str = Field(description="Of the first job.")
    status: Status
    jobs: list[JobView]
    batch: str = ""
    warnings: list[Finding] = Field(default=[], description="As `nodeflow check` has them.")


def job_view(record: JobRecord, nodes: Mapping[str, NodeRecord] | None = None) -> dict[str, Any]:
    """A job as JSON; see `JobView`."""
    view = {name: getattr(record, name) for name in _FIELDS}
    if nodes is not None:
        view["nodes"] = {name: asdict(node) for name, node in nodes.items()}
    return view


_FIELDS = tuple(name for name in JobView.model_fields if name != "nodes")
