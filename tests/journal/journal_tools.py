"""What the tests of the journal hand in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nodeflow.job_events import JobFinished, JobStarted
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Document, JobRecord, NewJob, Once, ResultFile

TEXT = '{"nodes": {"a": {"type": "tools.Text"}}}'


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def new_job(id: str, text: str = TEXT, digest: str = "d1", **more: Any) -> NewJob:
    return NewJob(id, f"job {id}", Document(digest, text, nodes=2), **more)


def submit(journal: Journal, *ids: str, once: Once | None = None, **more: Any) -> list[JobRecord]:
    return journal.submit([new_job(id, **more) for id in ids], once).result().jobs


def start(journal: Journal, id: str) -> None:
    journal.append([JobStarted(id, "cpu")]).result()


def finish(journal: Journal, id: str, status: Any = "done", **more: Any) -> None:
    journal.finish(JobFinished(id, status, 1.5), **more).result()


def run(journal: Journal, *ids: str) -> None:
    """Submit, start and finish each of these."""
    for id in ids:
        submit(journal, id)
        start(journal, id)
        finish(journal, id)


def node_event(job: str, node: str, event: str, **more: object) -> Mapping[str, object]:
    return {"event": event, "job": job, "node": node, **more}


def started(job: str, node: str, why: str = "first run") -> Mapping[str, object]:
    return node_event(job, node, "node_started", type="tools.Text", why=why)


def finished(job: str, node: str, outcome: str = "ran", **more: object) -> Mapping[str, object]:
    return node_event(job, node, "node_finished", **{"outcome": outcome, "seconds": 0.5} | more)


def picture(job: str, digest: str = "f1", **more: Any) -> ResultFile:
    values = {"path": f"out/{digest}.png", "name": f"{digest}.png", "media_type": "image/png"}
    return ResultFile(
        **({"digest": digest, "size": 9, "width": 4, "height": 2, "job": job} | values | more)
    )
