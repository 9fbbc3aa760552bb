"""Operations: what can be asked of a server, as steps that either client carries out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nodeflow.client.calls import Call, Steps, dumps, problem_of
from nodeflow.client.submission import Submission, prepared
from nodeflow.errors import Problem
from nodeflow.job_events import FINISHED

if TYPE_CHECKING:
    from nodeflow.client.submission import Document

JobData = Mapping[str, Any]
"""A job as the server tells of it; see `/docs` of a server."""

JSON = {"Content-Type": "application/json"}


def get(path: str, **query: str | int | list[str]) -> Steps[Any]:
    """Whatever a path answers, as JSON."""
    return (yield Call("GET", path, query, again=True)).json()


def submit(submission: Submission, key: str | None) -> Steps[list[JobData]]:
    """Hand in jobs, once, however often the connection is lost meanwhile."""
    body = yield from prepared(submission)
    headers = JSON | {"Idempotency-Key": key or secrets.token_hex(16)}
    reply = yield Call("POST", "/api/jobs", body=body, headers=headers, again=True)
    jobs: list[JobData] = reply.json()["jobs"]
    return jobs


def check(workflow: Document, inputs: Mapping[str, object]) -> Steps[list[Problem]]:
    """Everything that is wrong with a workflow, by what the server has."""
    body = yield from prepared(Submission(workflow, inputs=inputs))
    reply = yield Call("POST", "/api/check", body=body, headers=JSON, again=True)
    return [problem_of(item) for item in reply.json()["problems"]]


def job(id: str) -> Steps[JobData]:
    """One job, with its nodes."""
    found: JobData = yield from get(job_path(id))
    return found


def jobs(
    status: str | Sequence[str], batch: str, limit: int, before: int | None
) -> Steps[list[JobData]]:
    """Jobs, newest first."""
    query: dict[str, str | int | list[str]] = {"limit": limit}
    if status:
        query["status"] = _listed(status)
    if batch:
        query["batch"] = batch
    if before is not None:
        query["before"] = before
    found: list[JobData] = (yield from get("/api/jobs", **query))["jobs"]
    return found


def cancel(id: str) -> Steps[JobData]:
    """Cancel a job; one that is over stays in the history, as it is."""
    found = yield from job(id)
    if found["status"] in FINISHED:
        return found
    reply = yield Call("DELETE", job_path(id))
    if reply.body:
        found = reply.json()
    return found


def cancel_all(status: str | Sequence[str]) -> Steps[int]:
    """Cancel what is queued, what runs, or both; how many those were."""
    query: dict[str, str | int | list[str]] = {"status": _listed(status)} if status else {}
    reply = yield Call("DELETE", "/api/jobs", query)
    return int(reply.json()["cancelled"])


def remove(id: str) -> Steps[None]:
    """Take a job that is over out of the history; cancels it if it is not over."""
    yield Call("DELETE", job_path(id))


def retry(id: str) -> Steps[JobData]:
    """Queue a job that is over again, as a new one."""
    reply = yield Call("POST", f"{job_path(id)}/retry")
    found: JobData = reply.json()["jobs"][0]
    return found


def move(
    id: str, *, priority: int | None = None, before: str | None = None, after: str | None = None
) -> Steps[JobData]:
    """Give a queued job another place."""
    change = {"priority": priority, "before": before, "after": after}
    body = dumps({name: value for name, value in change.items() if value is not None})
    reply = yield Call("PATCH", job_path(id), body=body, headers=JSON, again=True)
    found: JobData = reply.json()
    return found


def pause(paused: bool) -> Steps[None]:
    """Begin no job, or begin jobs again."""
    yield Call("PATCH", "/api/queue", body=dumps({"paused": paused}), headers=JSON, again=True)


def nodes() -> Steps[dict[str, Any]]:
    """Every node by id."""
    found: dict[str, Any] = (yield from get("/api/nodes"))["nodes"]
    return found


def node(type: str) -> Steps[dict[str, Any]]:
    """One node."""
    found: dict[str, Any] = yield from get(f"/api/nodes/{quote(type, safe='')}")
    return found


def free() -> Steps[Any]:
    """Unload models and empty the memory stores."""
    return (yield Call("POST", "/api/system/free", again=True)).json()


def job_path(id: str) -> str:
    """Where a job is."""
    return f"/api/jobs/{quote(id, safe='')}"


def result_path(digest: str) -> str:
    """Where the content of a file is."""
    return f"/api/results/{quote(digest, safe='')}"


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
