"""`/api/results`: the files that jobs made, named by their content."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from nodeflow.server.operation import Answer, answer, operation, read_query
from nodeflow.server.problems import HttpError
from nodeflow.server.result_files import delete, locate
from nodeflow.server.sending import THUMBS, FormQuery, Source, send
from nodeflow.server.state import STATE, State
from nodeflow.server.thumbs import Thumbs
from nodeflow.server.views import FileView

routes = web.RouteTableDef()

LARGEST = 2**63 - 1
"""No number of the journal is larger."""

_FOREVER = "public, max-age=31536000, immutable"


class GalleryQuery(BaseModel):
    """Which part of the gallery is wanted.

    Attributes:
        before: Only pictures with a lower number.
        limit: So many at most.
    """

    before: Annotated[int, Field(ge=1, le=LARGEST)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class Picture(FileView):
    """A picture of the gallery.

    Attributes:
        number: Counts up; the newest has the highest.
        job: What made it.
    """

    number: int
    job: str


class Gallery(BaseModel):
    """Pictures, the newest first.

    Attributes:
        next: What `before` has to be for those that follow; null if these are the last.
    """

    results: list[Picture]
    next: int | None


@routes.get("/api/results")
@operation(
    "List the pictures that jobs made",
    tag="results",
    query=GalleryQuery,
    answers={
        200: Answer("Pictures, the newest first.", Gallery),
        400: Answer("The query is wrong."),
    },
)
async def list_results(request: web.Request) -> web.StreamResponse:
    """The same content is listed once, where it was made last."""
    query = read_query(request, GalleryQuery)
    journal = request.app[STATE].journal
    found = await asyncio.to_thread(journal.results, query.before, query.limit)
    pictures = [
        Picture(
            number=number,
            digest=file.digest,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            width=file.width,
            height=file.height,
            job=file.job,
        )
        for number, file in found
    ]
    further = pictures[-1].number if len(pictures) == query.limit else None
    return answer(Gallery(results=pictures, next=further))


@routes.get("/api/results/{digest}")
@operation(
    "Get a file that a job made",
    tag="results",
    query=FormQuery,
    headers={
        "Range": "Only some of the bytes.",
        "If-None-Match": "The ETag of what is known; nothing is sent if it is the same.",
    },
    answers={
        200: Answer("The file. It never changes.", media_type="*/*"),
        206: Answer("The bytes that were asked for.", media_type="*/*"),
        304: Answer("Nothing has changed."),
        400: Answer(
            "The query is wrong, or the file is no picture and another form was asked for."
        ),
        404: Answer("No job made such a file."),
        410: Answer("The file was deleted or changed since."),
        413: Answer("The picture has too many pixels to be put into another form."),
        416: Answer("There are no such bytes."),
        422: Answer("The picture is damaged and cannot be put into another form."),
        507: Answer("The disk has no room for the other form."),
    },
)
async def get_result(request: web.Request) -> web.StreamResponse:
    """Pictures come as they are, smaller (`thumb`), or in another format; a thumb is WebP if no
    format is named. Other types than pictures, video, audio, JSON and text are attachments.
    """
    query = read_query(request, FormQuery)
    source = await asyncio.to_thread(_locate, request.app[STATE], request.match_info["digest"])
    return await send(request, source, query, _FOREVER)


@routes.delete("/api/results/{digest}")
@operation(
    "Delete a file that a job made",
    tag="results",
    answers={
        204: Answer("It is gone, wherever it lay."),
        404: Answer("No job made such a file."),
        409: Answer("A file cannot be deleted, so it is still listed."),
    },
)
async def delete_result(request: web.Request) -> web.StreamResponse:
    """Every file with this content in the folder of outputs is deleted, and `result_removed` tells
    so. Jobs that made it stay in the history; one that is run again makes it again.
    """
    state, digest = request.app[STATE], request.match_info["digest"]
    await state.queue.whole(_delete(state, request.app[THUMBS], digest))
    return web.Response(status=204)


async def _delete(state: State, thumbs: Thumbs, digest: str) -> None:
    """Delete files first: if the server dies in between, what is listed says 410, and can be
    deleted again; the other way round the files would stay for ever without anybody's knowing.

    Raises:
        HttpError: 404 if no job made it, 409 if a file cannot be deleted.
    """
    copies = await asyncio.to_thread(state.journal.copies, digest)
    if not copies:
        raise _unknown(digest)

    def files() -> None:
        for copy in copies:
            delete(state.outputs, copy)
        thumbs.forget(digest)

    await asyncio.to_thread(files)
    paths = [copy.path for copy in copies]
    await asyncio.wrap_future(state.journal.remove_result(digest, paths))


def _unknown(digest: str) -> HttpError:
    return HttpError(
        404,
        f"No job made a file with the digest '{digest[:80]}', or it was deleted, or its history "
        "was cleared.",
    )


def _locate(state: State, digest: str) -> Source:
    """A result and its file.

    Raises:
        HttpError: 404 if no job made it, 410 as for `locate`.
    """
    result = state.journal.result(digest)
    if result is None:
        raise _unknown(digest)
    return locate(state.outputs, result)
