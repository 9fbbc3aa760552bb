"""`POST /api/workflows/{path}/run`: a saved workflow as a function with typed inputs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel

from nodeflow.errors import Problem
from nodeflow.job_events import JobFinished
from nodeflow.server.bodies import read_text
from nodeflow.server.desk import INLINE
from nodeflow.server.jobs_api import KEY, accepted, hand_in, once
from nodeflow.server.operation import Answer, operation, read_query
from nodeflow.server.preferences import Accepts, Patience, patience
from nodeflow.server.problems import HttpError
from nodeflow.server.result_urls import ResultsView
from nodeflow.server.shelf import LOOKED_INTO, Saved
from nodeflow.server.state import STATE, State
from nodeflow.server.submitting import Prepared, SubmitText
from nodeflow.server.typed_answers import JSON, OFFERED, finished
from nodeflow.server.typed_bodies import MAX_INPUTS, FormInputs, read_inputs
from nodeflow.server.typed_schema import TypedWorkflow, may_be_picture
from nodeflow.server.upload_files import FOLDER
from nodeflow.server.views import Accepted
from nodeflow.workflow import Workflow

routes = web.RouteTableDef()


class RunQuery(BaseModel):
    """How a workflow is run, beside its inputs."""

    model_config = ConfigDict(extra="forbid")

    priority: int = Field(0, ge=-1000, le=1000, description="Higher runs first.")
    webhook: str = Field(
        "", max_length=2000, description="Address that is told when the job is over."
    )
    output: str = Field(
        "",
        max_length=1000,
        description="Output whose picture is wanted, if `Accept` names a type of picture.",
    )


class RunInputs(RootModel[dict[str, JsonValue]]):
    """The inputs by name."""


class RunResult(BaseModel):
    """What a workflow came to."""

    id: str = Field(description="Of the job.")
    status: Literal["done"]
    outputs: dict[str, ResultsView]


@routes.post("/api/workflows/{path:.+}/run")
@operation(
    "Run a saved workflow",
    tag="workflows",
    body=RunInputs,
    query=RunQuery,
    headers={
        KEY: "The same key with the same request is one job, however often it is sent.",
        "Prefer": "`respond-async`: answer with the job at once. `wait=N`: wait for N seconds at "
        "most. Without it the answer comes when the job is over.",
    },
    answers={
        200: Answer("The job is done. With `Accept: image/png` the picture itself.", RunResult),
        202: Answer("The job is safe on disk and goes on without you.", Accepted),
        404: Answer("There is no such workflow."),
        406: Answer("No output is a picture, and only pictures are accepted."),
        409: Answer("The job was cancelled; `job` names it."),
        413: Answer("The inputs or files are too large."),
        422: Answer(
            "An input is wrong, or the workflow does not check: `problems` has all that is wrong. "
            "If there is a `job`, it was run and a node failed: `nodes` says why."
        ),
    },
)
async def run_workflow(request: web.Request) -> web.StreamResponse:
    """Inputs are given by name, as JSON or, with pictures, as `multipart/form-data`; what is left
    out has the value that the workflow was saved with. Each saved workflow stands in this document
    with the types and limits of its own inputs.

    A client that goes away does not stop the job.
    """
    state, query = request.app[STATE], read_query(request, RunQuery)
    accepts, wait = Accepts.of(request.headers.get("Accept")), _patience(request)
    accepts.best(OFFERED)
    saved = await asyncio.to_thread(state.shelf.read, request.match_info["path"])
    typed = await _typed(state, saved)
    _refuse_output(typed, query.output, accepts)
    if query.webhook:
        await state.webhooks.check(query.webhook)
    inputs = await _inputs(request, typed, saved)
    prepared = await _prepare(state, saved, inputs, query)
    submitted = await hand_in(state, prepared, once(request, prepared))
    headers = {"Preference-Applied": wait.applied} if wait.applied else {}
    event = await _wait(state, submitted.jobs[0].id, wait)
    if event is None:
        response = accepted(submitted, prepared.warnings)
        response.headers.update(headers)
        return response
    return await finished(request, event, accepts, query.output, headers)


def _patience(request: web.Request) -> Patience:
    return patience(request.headers.getall("Prefer", []))


async def _typed(state: State, saved: Saved) -> TypedWorkflow | None:
    """What the workflow takes; None if it is so large that only the desk looks into it.

    Raises:
        WorkflowError: The file holds no workflow.
    """
    if len(saved.text) > LOOKED_INTO:
        return None

    def read() -> TypedWorkflow:
        return TypedWorkflow.of(Workflow.parse(saved.text, saved.path), state.catalog.registry.find)

    await state.catalog.known()
    return read() if len(saved.text) <= INLINE else await asyncio.to_thread(read)


def _refuse_output(typed: TypedWorkflow | None, output: str, accepts: Accepts) -> None:
    """See before the run that it can give what is wanted.

    Raises:
        HttpError: 400, no such output; 406, none that is a picture.
    """
    if typed is None:
        return
    if output and output not in typed.outputs:
        known = ", ".join(typed.outputs) or "none"
        raise HttpError(400, f"The workflow has no output '{output[:80]}'; there is: {known}.")
    wanted = [typed.outputs[output]] if output else list(typed.outputs.values())
    seen = any(map(may_be_picture, wanted))
    if accepts.best(OFFERED) != JSON and wanted and not seen:
        what = f"The output '{output}'" if output else "No output of the workflow"
        verb = "is no picture" if output else "is a picture"
        raise HttpError(406, f"{what} {verb}; accept application/json.")


async def _inputs(
    request: web.Request, typed: TypedWorkflow | None, saved: Saved
) -> Mapping[str, JsonValue]:
    """The inputs that were sent, after all of them were seen to be right.

    Raises:
        HttpError: 422 with everything that is wrong; others if the body cannot be read.
    """
    state = request.app[STATE]
    if request.content_type == "multipart/form-data":
        if typed is None:
            raise HttpError(415, "This workflow is too large for a form; send JSON.")
        form = FormInputs(typed, state.settings.inputs / FOLDER)
        try:
            await form.read(request)
            _refuse([*form.problems, *typed.problems(form.given)], saved)
            return await form.keep()
        finally:
            await form.close()
    given = await _json(request)
    if typed is not None:
        _refuse(typed.problems(given), saved)
    return given


async def _json(request: web.Request) -> dict[str, JsonValue]:
    if not request.can_read_body:
        return {}
    body = await read_text(request)
    if body.file is None:
        return read_inputs(body.text or b"")
    try:
        size = (await asyncio.to_thread(body.file.stat)).st_size
        if size > MAX_INPUTS:
            raise HttpError(413, f"The inputs have {size} bytes; {MAX_INPUTS} is the limit.")
        return read_inputs(await asyncio.to_thread(body.file.read_bytes))
    finally:
        await asyncio.to_thread(body.file.unlink, missing_ok=True)


def _refuse(problems: list[Problem], saved: Saved) -> None:
    if problems:
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        raise HttpError(422, f"{problems[0].sentence}{more}", problems=problems, source=saved.path)


async def _prepare(
    state: State, saved: Saved, inputs: Mapping[str, JsonValue], query: RunQuery
) -> Prepared:
    """The checked document of the job.

    Raises:
        WorkflowError: The workflow does not check.
    """
    body: dict[str, Any] = {"inputs": dict(inputs), "priority": query.priority}
    if query.webhook:
        body["webhook"] = query.webhook
    text = json.dumps(body, sort_keys=True).encode()
    workflow = await asyncio.to_thread(saved.text.decode, "utf-8", "replace")
    prepared = await state.desk.prepare(SubmitText(text, workflow=workflow, source=saved.path))
    return replace(prepared, body=prepared.body.model_copy(update={"path": saved.path}))


async def _wait(state: State, job: str, wait: Patience) -> JobFinished | None:
    """The end of a job, if it comes in time."""
    if wait.seconds is None:
        return await state.queue.wait(job)
    if wait.seconds == 0:
        return None
    try:
        async with asyncio.timeout(wait.seconds):
            return await state.queue.wait(job)
    except TimeoutError:
        return None
