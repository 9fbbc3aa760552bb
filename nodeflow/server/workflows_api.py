"""`/api/workflows`: saved workflows, read and written so that nobody overwrites another's work."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from nodeflow.errors import Problem, WorkflowError
from nodeflow.server.bodies import read_text
from nodeflow.server.operation import Answer, answer, operation, read_query
from nodeflow.server.preconditions import is_fresh, quoted
from nodeflow.server.problems import HttpError
from nodeflow.server.result_files import locate
from nodeflow.server.sending import FormQuery, Source, send, source_of
from nodeflow.server.shelf import Saved
from nodeflow.server.shelf_files import workflow_name
from nodeflow.server.state import STATE, State
from nodeflow.server.submitting import SubmitText
from nodeflow.workflow import Workflow

routes = web.RouteTableDef()

_NO_TEXT = ("not_json", "too_deep")
_NO_WORKFLOW = (*_NO_TEXT, "not_a_workflow", "newer_format", "invalid_document", "too_many_nodes")
LOOKED_FOR = 20
"""So many of the newest pictures of a workflow are looked for on the disk."""

_IF_MATCH = "The ETag of what is written over; without it nothing is."


class WorkflowInfo(BaseModel):
    """A saved workflow, or a template."""

    path: str = Field(description="Its name, parts joined by '/'.")
    name: str = Field(description="What its document calls it.")
    template: bool = Field(description="It came with nodeflow, and nobody changes it.")
    modified: float = Field(description="Seconds since 1970.")
    size: int = Field(description="Bytes.")
    etag: str = Field(description="As in the header, but without quotation marks.")
    inputs: list[str] = Field(default=[], description="Names of its exposed inputs.")
    outputs: list[str] = Field(default=[], description="Names of its exposed outputs.")
    problem: str = Field("", description="Why it cannot be read as a workflow.")
    description: str = Field("", description="What its document says of itself.")
    thumbnail: bool = Field(False, description="It has a picture, at `/thumbnail` behind its path.")


class WorkflowList(BaseModel):
    """All workflows that can be run by name."""

    workflows: list[WorkflowInfo]


class WorkflowSaved(BaseModel):
    """A workflow that was written."""

    path: str
    etag: str
    modified: float


class WorkflowVersion(BaseModel):
    """One version of a workflow."""

    number: int
    etag: str
    time: float = Field(description="When it was kept, in seconds since 1970.")


class WorkflowVersions(BaseModel):
    """The versions of a workflow, newest first."""

    path: str
    versions: list[WorkflowVersion]


class ThumbnailQuery(BaseModel):
    """How large a thumbnail is wanted."""

    model_config = ConfigDict(extra="forbid")

    thumb: int = Field(320, ge=16, le=1024, description="Longer side in pixels, at most.")


class ReadQuery(BaseModel):
    """Which text of a workflow."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(
        None, ge=1, le=2**53, description="An earlier one; a deleted workflow still has them."
    )


@routes.get("/api/workflows")
@operation(
    "List saved workflows and templates",
    tag="workflows",
    answers={200: Answer("All of them, by path.", WorkflowList)},
)
async def list_workflows(request: web.Request) -> web.StreamResponse:
    """Each can be run by its path, as `POST /api/workflows/{path}/run`."""
    state = request.app[STATE]

    def read() -> web.Response:
        pictured = state.journal.pictured()
        found = [
            asdict(info) | {"thumbnail": info.thumbnail or info.path in pictured}
            for info in state.shelf.list()
        ]
        return answer({"workflows": found})

    return await asyncio.to_thread(read)


@routes.get("/api/workflows/{path:.+}/versions")
@operation(
    "List the versions of a workflow",
    tag="workflows",
    answers={
        200: Answer("What can be read with `?version=`.", WorkflowVersions),
        404: Answer("There never was such a workflow."),
    },
)
async def list_versions(request: web.Request) -> web.StreamResponse:
    """A version is kept whenever a workflow is saved, and before a text that was edited on disk is
    written over.
    """
    state, path = request.app[STATE], request.match_info["path"]
    found = await asyncio.to_thread(state.shelf.versions, path)
    return answer({"path": workflow_name(path), "versions": [asdict(item) for item in found]})


@routes.get("/api/workflows/{path:.+}/thumbnail")
@operation(
    "Get a picture of what a workflow makes",
    tag="workflows",
    query=ThumbnailQuery,
    headers={"If-None-Match": "The ETag of what is known; nothing is sent if it is the same."},
    answers={
        200: Answer("A picture.", media_type="image/webp"),
        206: Answer("The bytes that were asked for.", media_type="image/webp"),
        304: Answer("Nothing has changed."),
        404: Answer("There is no such workflow, or it has no picture yet."),
        413: Answer("The picture has too many pixels."),
        416: Answer("There are no such bytes."),
        422: Answer("The picture is damaged."),
        507: Answer("The disk has no room for the smaller picture."),
    },
)
async def get_thumbnail(request: web.Request) -> web.StreamResponse:
    """A template brought its own; of a saved workflow it is the newest picture that a job of it
    made, as long as that file is there.
    """
    state, path = request.app[STATE], request.match_info["path"]
    query = read_query(request, ThumbnailQuery)
    source = await asyncio.to_thread(_picture, state, path)
    return await send(request, source, FormQuery(thumb=query.thumb), "no-cache")


def _picture(state: State, path: str) -> Source:
    """The picture of a workflow.

    Raises:
        HttpError: 404, it has none, or there is no such workflow.
    """
    name = workflow_name(path)
    if (own := state.shelf.picture(name)) is not None:
        return source_of(own)
    for result in state.journal.pictures_of(name, LOOKED_FOR):
        with suppress(HttpError):  # the file is gone, but an older one may be there
            return locate(state.outputs, result)
    raise HttpError(
        404, f"The workflow '{name}' has no picture yet; once a job of it made one, it has."
    )


@routes.get("/api/workflows/{path:.+}")
@operation(
    "Read a workflow",
    tag="workflows",
    query=ReadQuery,
    headers={"If-None-Match": "The ETag of what is known; nothing is sent if it is the same."},
    answers={
        200: Answer("Exactly the text of the file.", dict[str, Any]),
        304: Answer("Nothing has changed."),
        404: Answer("There is no such workflow, or no such version."),
    },
)
async def read_workflow(request: web.Request) -> web.StreamResponse:
    """The `ETag` is what `PUT` wants in `If-Match`."""
    state, path = request.app[STATE], request.match_info["path"]
    number = read_query(request, ReadQuery).version
    if number is None:
        saved = await asyncio.to_thread(state.shelf.read, path)
    else:
        saved = await asyncio.to_thread(state.shelf.version, path, number)
    headers = {"ETag": quoted(saved.etag), "Cache-Control": "no-cache"}
    if is_fresh(request.headers.get("If-None-Match"), saved.etag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=saved.text, content_type="application/json", headers=headers)


@routes.put("/api/workflows/{path:.+}")
@operation(
    "Save a workflow",
    tag="workflows",
    body=Workflow,
    headers={"If-Match": _IF_MATCH, "If-None-Match": "`*`: only if there is none of this name."},
    answers={
        200: Answer("Written over the old text, which stays a version.", WorkflowSaved),
        201: Answer("There was none of this name.", WorkflowSaved),
        403: Answer("It is a template, or a link leads out of the folder."),
        409: Answer("Another file is in the way, maybe one whose name differs in case only."),
        412: Answer("It was changed by somebody else; the current ETag is in the header."),
        422: Answer("It is no workflow."),
        428: Answer("It exists, and `If-Match` is missing."),
        507: Answer("The disk cannot be written to."),
    },
)
async def save_workflow(request: web.Request) -> web.StreamResponse:
    """The text is kept as it is sent. It has to be a workflow, but need not check."""
    state, name = request.app[STATE], workflow_name(request.match_info["path"])
    text = await _document(state, name, await read_text(request))
    saved = await state.shelf.write(
        name, text, request.headers.get("If-Match"), request.headers.get("If-None-Match")
    )
    return _saved(saved)


@routes.delete("/api/workflows/{path:.+}")
@operation(
    "Delete a workflow",
    tag="workflows",
    headers={"If-Match": _IF_MATCH},
    answers={
        204: Answer("It is gone; its versions can still be read."),
        403: Answer("It is a template, or a link leads out of the folder."),
        404: Answer("There is no such workflow."),
        412: Answer("It was changed by somebody else; the current ETag is in the header."),
        428: Answer("`If-Match` is missing."),
    },
)
async def delete_workflow(request: web.Request) -> web.StreamResponse:
    """`GET` with `?version=` reads it still, so that it can be saved again."""
    path = request.match_info["path"]
    await request.app[STATE].shelf.delete(path, request.headers.get("If-Match"))
    return web.Response(status=204)


def _saved(saved: Saved) -> web.Response:
    headers = {"ETag": quoted(saved.etag)}
    if saved.new:
        headers["Location"] = f"/api/workflows/{quote(saved.path)}"
    body = {"path": saved.path, "etag": saved.etag, "modified": saved.modified}
    return answer(body, status=201 if saved.new else 200, headers=headers)


async def _document(state: State, name: str, body: SubmitText) -> bytes:
    """The text of a body, after it was seen to be a workflow.

    Raises:
        HttpError: 400, it is no JSON or no UTF-8.
        WorkflowError: It is JSON, but no workflow.
    """
    if body.file is None:
        text = body.text or b""
        decoded = _decoded(text)
        problems = _unreadable(text, name)
    else:
        try:
            text = await asyncio.to_thread(body.file.read_bytes)
        finally:
            await asyncio.to_thread(body.file.unlink, missing_ok=True)
        decoded = await asyncio.to_thread(_decoded, text)
        # Only the desk's own process can read so much without holding up everybody else.
        found = await state.desk.check(SubmitText(b"{}", workflow=decoded, source=name))
        problems = [problem for problem in found if problem.code in _NO_WORKFLOW]
    if problems and problems[0].code in _NO_TEXT:
        sentence = problems[0].sentence.replace("It is", "The body is", 1)
        raise HttpError(400, sentence, problems=problems)
    if problems:
        raise WorkflowError(problems, name)
    return text


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise HttpError(
            400, f"The body is no UTF-8: byte {error.start} is none of a character."
        ) from error


def _unreadable(text: bytes, name: str) -> list[Problem]:
    try:
        Workflow.parse(text, name)
    except WorkflowError as error:
        return list(error.problems)
    return []
