"""Projections: what an event means for the rows of its job and its nodes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nodeflow.events import Event
from nodeflow.journal.batch import Batch
from nodeflow.journal.records import JobRecord, NodeRecord, ResultFile
from nodeflow.journal.texts import storable

logger = logging.getLogger(__name__)

Body = Mapping[str, Any]


def body_of(event: Event | Body) -> Body:
    """An event as its JSON object; events of a run bear `job` in place of `run`."""
    if not isinstance(event, Event):
        return event
    body = event.as_json()
    if "run" in body:
        return {"job" if name == "run" else name: value for name, value in body.items()}
    return body


def keep(
    batch: Batch,
    event: Event | Body,
    nodes: Mapping[str, Sequence[str]] | None = None,
    results: Sequence[ResultFile] = (),
) -> None:
    """Keep an event, and change the rows that it is about.

    What comes after the last event of a job, or of a job that is not known, is not kept.

    Args:
        nodes: With the last event of a job, the nodes whose end no event told.
        results: With the last event of a job, what it made.
    """
    body = body_of(event)
    name = body["event"]
    if id := body.get("job", ""):
        job = batch.job(id)
        if job is None:
            logger.warning("The event %s of job %s came after its end.", name, id)
            return
        if name == "job_finished":
            _finish(batch, job, body, nodes or {}, results)
        elif name in _PROJECTIONS:
            _PROJECTIONS[name](batch, job, body)
    elif name == "queue_changed":
        batch.pending.paused = body["paused"]
    batch.keep(body)


def _queued(batch: Batch, job: JobRecord, body: Body) -> None:
    place = {"priority": body["priority"], "position": body["position"]}
    batch.change(replace(job, status="queued", started=None, total=0, **place))
    batch.pending.requeue(job.number)


def _moved(batch: Batch, job: JobRecord, body: Body) -> None:
    batch.change(replace(job, priority=body["priority"], position=body["position"]))


def _started(batch: Batch, job: JobRecord, body: Body) -> None:
    attempts = job.attempts + 1
    batch.change(replace(job, status="running", started=batch.time, attempts=attempts))


def _planned(batch: Batch, job: JobRecord, body: Body) -> None:
    batch.change(replace(job, total=body["nodes"]))


def _finish(
    batch: Batch,
    job: JobRecord,
    body: Body,
    nodes: Mapping[str, Sequence[str]],
    results: Sequence[ResultFile],
) -> None:
    told = ("status", "seconds", "outputs", "files", "counts", "problem")
    job = replace(job, finished=batch.time, **{name: body[name] for name in told})
    batch.change(job)
    batch.pending.end(job, nodes, results, batch.time)


def _node_started(batch: Batch, job: JobRecord, body: Body) -> None:
    _set(batch, job, body, NodeRecord("running", why=body["why"]))


def _node_finished(batch: Batch, job: JobRecord, body: Body) -> None:
    known = _known(batch, job, body)
    record = NodeRecord(
        body["outcome"],
        seconds=body["seconds"],
        memory=body.get("memory", 0),
        why=body.get("why") or (known.why if known else ""),
        key=body.get("key", ""),
        files=body.get("files", ()),
        sentence=known.sentence if known else "",
        trace=known.trace if known else "",
    )
    _set(batch, job, body, record)


def _node_failed(batch: Batch, job: JobRecord, body: Body) -> None:
    known = _known(batch, job, body)
    why = known.why if known else ""
    told = {"sentence": body["sentence"], "trace": body.get("trace", "")}
    _set(batch, job, body, NodeRecord("failed", why=why, **told))


def _known(batch: Batch, job: JobRecord, body: Body) -> NodeRecord | None:
    return batch.pending.nodes.get(job.number, {}).get(storable(body["node"]))


def _set(batch: Batch, job: JobRecord, body: Body, record: NodeRecord) -> None:
    batch.pending.nodes.setdefault(job.number, {})[storable(body["node"])] = record


_PROJECTIONS: Mapping[str, Callable[[Batch, JobRecord, Body], None]] = {
    "job_queued": _queued,
    "job_moved": _moved,
    "job_started": _started,
    "run_started": _planned,
    "node_started": _node_started,
    "node_finished": _node_finished,
    "node_failed": _node_failed,
}
