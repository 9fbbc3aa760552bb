"""`/api/jobs` and `/api/queue`: hand work in, look at it, order it, stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from nodeflow.errors import Problem
from nodeflow.job_events import JobStatus
from nodeflow.journal.records import Once, Submitted
from nodeflow.server.bodies import read_text, small_json
from nodeflow.server.operation import Answer, answer, operation, read_query
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE, State
from nodeflow.server.submitting import Prepared, SavedName, SubmitBody
from nodeflow.server.views import Accepted, Finding, JobList, JobView, job_view

routes = web.RouteTableDef()

KEY = "Idempotency-Key"
KEY_LENGTH = 200


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JobsQuery(_Strict):
    """Which jobs are listed."""

    status: list[JobStatus] | JobStatus = Field(
        default=[], description="Only these; may be given several times."
    )
    batch: str = Field("", max_length=64, description="Only jobs that were handed in together.")
    path: SavedName | None = Field(None, description="Only jobs of this saved workflow.")
    before: int | None = Field(None, ge=1, le=2**53, description="Only jobs of a lower number.")
    limit: int = Field(100, ge=1, le=1000)


class RemoveQuery(_Strict):
    """What is meant, so that a job which ends meanwhile is not taken for another."""

    only: Literal["", "cancel", "remove"] = Field(
        "", description="`cancel` leaves the history alone, `remove` cancels nothing."
    )


class CancelQuery(_Strict):
    """Which jobs are cancelled."""

    status: list[Literal["queued", "running"]] | Literal["queued", "running"] = Field(
        default=["queued", "running"], description="May be given twice."
    )


class Cancelled(BaseModel):
    """How many jobs were cancelled."""

    cancelled: int


class JobChange(_Strict):
    """Another place in the queue: by priority, or beside another job."""

    priority: int | None = Field(None, ge=-1000, le=1000)
    before: str | None = Field(None, max_length=64, description="Id of a queued job.")
    after: str | None = Field(None, max_length=64, description="Id of a queued job.")


class QueueState(_Strict):
    """Whether jobs wait though a worker is free."""

    paused: bool


class Problems(BaseModel):
    """Everything that is wrong with a workflow, as `nodeflow check` says it."""

    problems: list[Finding]


_JOB = Answer("The job.", JobView)
_ACCEPTED = Answer("Safe on disk; it runs when its turn comes.", Accepted)


@routes.post("/api/check")
@operation(
    "Check a workflow without running it",
    tag="jobs",
    body=SubmitBody,
    answers={200: Answer("All problems; none if it can be run.", Problems)},
)
async def check(request: web.Request) -> web.StreamResponse:
    """Takes what `POST /api/jobs` takes, or a workflow as it is saved."""
    state = request.app[STATE]
    problems = await state.desk.check(await read_text(request))
    return answer({"problems": [problem.as_json() for problem in problems]})


@routes.post("/api/jobs")
@operation(
    "Hand in a job",
    tag="jobs",
    body=SubmitBody,
    headers={KEY: "The same key with the same request is one job, however often it is sent."},
    answers={202: _ACCEPTED},
)
async def submit(request: web.Request) -> web.StreamResponse:
    """The workflow is in the body, or named by `path` (a saved one) or `job` (run it again).

    It is checked first: one that cannot run gives 422 with all its problems. With a `batch` there
    are several jobs, whose seeds count up.
    """
    state = request.app[STATE]
    prepared = await state.desk.prepare(await read_text(request))
    submitted = await hand_in(state, prepared, once(request, prepared))
    return accepted(submitted, prepared.warnings)


async def hand_in(state: State, prepared: Prepared, once: Once | None) -> Submitted:
    """Queue prepared jobs, to the end even if the client goes away.

    Raises:
        HttpError: 422, the webhook may not be called.
    """

    async def work() -> Submitted:
        try:
            if prepared.body.webhook:
                await state.webhooks.check(prepared.body.webhook)
            return await state.queue.submit(prepared, once)
        finally:
            await state.desk.clear(prepared)

    return await state.queue.whole(work())


def once(request: web.Request, prepared: Prepared) -> Once | None:
    """The request's `Idempotency-Key`, if it has one.

    Raises:
        HttpError: 400, the key is too long.
    """
    key = request.headers.get(KEY, "")
    if len(key) > KEY_LENGTH:
        raise HttpError(400, f"The {KEY} has {len(key)} characters; at most {KEY_LENGTH} may be.")
    return Once(key, prepared.fingerprint) if key else None


def accepted(submitted: Submitted, warnings: Sequence[Problem] = ()) -> web.Response:
    """Jobs that are safe, as 202."""
    first = submitted.jobs[0]
    body = {
        "id": first.id,
        "status": first.status,
        "jobs": [job_view(job) for job in submitted.jobs],
        "batch": first.batch,
        "warnings": [problem.as_json() for problem in warnings],
    }
    return answer(body, status=202, headers={"Location": f"/api/jobs/{first.id}"})


@routes.get("/api/jobs")
@operation(
    "List jobs, newest first", tag="jobs", query=JobsQuery, answers={200: Answer("Jobs.", JobList)}
)
async def list_jobs(request: web.Request) -> web.StreamResponse:
    """The queue and the history in one; `next` is `before` of the page that follows."""
    state, query = request.app[STATE], read_query(request, JobsQuery)
    wanted = [query.status] if isinstance(query.status, str) else query.status

    def read() -> dict[str, Any]:
        found = state.journal.jobs(
            status=wanted,
            batch=query.batch,
            path=query.path or "",
            before=query.before,
            limit=query.limit,
        )
        return {
            "jobs": [job_view(job) for job in found],
            "counts": state.journal.counts(),
            "paused": state.queue.paused,
            "next": found[-1].number if len(found) == query.limit else None,
        }

    return answer(await asyncio.to_thread(read))


@routes.delete("/api/jobs")
@operation(
    "Cancel all jobs",
    tag="jobs",
    query=CancelQuery,
    answers={200: Answer("How many.", Cancelled)},
)
async def cancel_all(request: web.Request) -> web.StreamResponse:
    """What waits is cancelled at once, what runs within one step of its sampler."""
    query = read_query(request, CancelQuery)
    wanted: list[JobStatus] = [query.status] if isinstance(query.status, str) else [*query.status]
    return answer({"cancelled": await request.app[STATE].queue.cancel_all(wanted)})


@routes.get("/api/jobs/{id}")
@operation("Look at a job", tag="jobs", answers={200: _JOB})
async def look(request: web.Request) -> web.StreamResponse:
    """With what became of each of its nodes."""
    state, job = request.app[STATE], request.match_info["id"]

    def read() -> web.Response:
        record = state.queue.record(job)
        return answer(job_view(record, state.journal.nodes(job)))

    return await asyncio.to_thread(read)


@routes.get("/api/jobs/{id}/workflow")
@operation(
    "The workflow that a job ran",
    tag="jobs",
    answers={200: Answer("The document, with all inputs in it.", dict[str, Any])},
)
async def workflow(request: web.Request) -> web.StreamResponse:
    """As it was run, so that it can be opened, changed and run again."""
    state, job = request.app[STATE], request.match_info["id"]

    def read() -> bytes:
        document = state.journal.document(state.queue.record(job).document)
        if document is None:
            raise HttpError(410, f"The workflow of the job '{job}' is gone from the journal.")
        return Path(document.file).read_bytes() if document.file else document.text.encode()

    body = await asyncio.to_thread(read)
    return web.Response(body=body, content_type="application/json")


@routes.patch("/api/jobs/{id}")
@operation("Move a queued job", tag="jobs", body=JobChange, answers={200: _JOB})
async def move(request: web.Request) -> web.StreamResponse:
    """Only a job that is still queued can be moved; else 409."""
    state, job = request.app[STATE], request.match_info["id"]
    change = await small_json(request, JobChange)
    if change.before and change.after:
        raise HttpError(422, "Give 'before' or 'after', not both.")
    await state.queue.move(job, priority=change.priority, before=change.before, after=change.after)
    return await look(request)


@routes.delete("/api/jobs/{id}")
@operation(
    "Cancel a job, or take it out of the history",
    tag="jobs",
    query=RemoveQuery,
    answers={200: _JOB, 204: Answer("It was over, and is no longer in the history.")},
)
async def cancel(request: web.Request) -> web.StreamResponse:
    """A job that is not over is cancelled and stays in the history."""
    state, job = request.app[STATE], request.match_info["id"]
    only = read_query(request, RemoveQuery).only
    over = state.queue.record(job).finished is not None
    if only == "remove" or (over and only != "cancel"):
        await state.queue.remove(job)
        return web.Response(status=204)
    await state.queue.cancel(job)
    return await look(request)


@routes.post("/api/jobs/{id}/retry")
@operation("Run a job again", tag="jobs", answers={202: _ACCEPTED})
async def retry(request: web.Request) -> web.StreamResponse:
    """As a new job with the same workflow; what its nodes finished is not computed again."""
    return accepted(await request.app[STATE].queue.retry(request.match_info["id"]))


@routes.get("/api/queue")
@operation("Is the queue paused?", tag="jobs", answers={200: Answer("The queue.", QueueState)})
async def queue_state(request: web.Request) -> web.StreamResponse:
    """A paused queue takes jobs and begins none."""
    return answer({"paused": request.app[STATE].queue.paused})


@routes.patch("/api/queue")
@operation(
    "Pause the queue, or let it go on",
    tag="jobs",
    body=QueueState,
    answers={200: Answer("The queue.", QueueState)},
)
async def change_queue(request: web.Request) -> web.StreamResponse:
    """A job that runs goes on; a restart of the server does not change it."""
    queue = request.app[STATE].queue
    wanted = await small_json(request, QueueState)
    await (queue.pause() if wanted.paused else queue.resume())
    return answer({"paused": queue.paused})
