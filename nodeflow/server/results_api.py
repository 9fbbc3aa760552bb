"""`/api/results`: the files that jobs made, named by their content."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from nodeflow.errors import InputError
from nodeflow.journal.records import ResultFile
from nodeflow.pictures import TooLargeError
from nodeflow.server.media import Served, disposition, served_as
from nodeflow.server.operation import Answer, answer, operation, read_query
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE, State
from nodeflow.server.thumbs import Format, Thumbs, Wanted
from nodeflow.server.views import FileView

routes = web.RouteTableDef()

THUMBS = web.AppKey("thumbs", Thumbs)

LARGEST = 2**63 - 1
"""No number of the journal is larger."""

_FOREVER = "public, max-age=31536000, immutable"
_QUALITY = 80


async def thumbs_context(app: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`: what makes smaller pictures, for as long as the application runs."""
    app[THUMBS] = Thumbs(app[STATE].settings.cache / "thumbs")
    yield
    await asyncio.to_thread(app[THUMBS].close)


class ResultQuery(BaseModel):
    """Which form of a result is wanted.

    Attributes:
        thumb: Longer side in pixels of a smaller picture.
        format: Another format than the file's.
        quality: For WebP and JPEG.
        download: To be saved, not shown.
    """

    thumb: Annotated[int, Field(ge=16, le=1024)] | None = None
    format: Format | None = None
    quality: Annotated[int, Field(ge=1, le=100)] = _QUALITY
    download: bool = False

    @property
    def wanted(self) -> Wanted | None:
        """The form of the picture; None for the file as it is."""
        if self.thumb is None and self.format is None:
            return None
        return Wanted(self.format or "webp", self.thumb or 0, self.quality)


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


@dataclass(frozen=True)
class _Located:
    """A result whose file is there."""

    result: ResultFile
    path: Path
    served: Served


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
    query=ResultQuery,
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
    query = read_query(request, ResultQuery)
    state = request.app[STATE]
    found = await asyncio.to_thread(_locate, state, request.match_info["digest"])
    path, name, served = found.path, Path(found.result.name).name or found.path.name, found.served
    if query.wanted is not None:
        path = await _made(request.app[THUMBS], found, query.wanted)
        name = f"{Path(name).stem}.{query.wanted.format}"
        served = Served(f"image/{query.wanted.format}", inline=True)
    if "Range" in request.headers:
        _refuse_range(request, name, await asyncio.to_thread(path.stat))
    return web.FileResponse(
        path,
        headers={
            "Content-Type": served.content_type,
            "Content-Disposition": disposition(
                name, attachment=query.download or not served.inline
            ),
            "Cache-Control": _FOREVER,
            "X-Content-Type-Options": "nosniff",
        },
    )


def _locate(state: State, digest: str) -> _Located:
    """A result and its file.

    Raises:
        HttpError: 404 if no job made it, 410 if its file is not what it was.
    """
    result = state.journal.result(digest)
    if result is None:
        raise HttpError(
            404, f"No job made a file with the digest '{digest[:80]}', or its history was cleared."
        )
    outputs = state.outputs.resolve()
    path = (outputs / result.path).resolve()
    try:
        if not path.is_relative_to(outputs) or path.stat().st_size != result.size:
            raise _gone(result, "was changed or moved")
        return _Located(result, path, served_as(path))
    except OSError as error:
        raise _gone(result, "was deleted or cannot be read") from error


def _refuse_range(request: web.Request, name: str, status: os.stat_result) -> None:
    """Refuse bytes that are not there; aiohttp would do it without a word.

    Raises:
        HttpError: 416.
    """
    if request.if_range is not None and status.st_mtime > request.if_range.timestamp():
        return  # the whole file is sent
    try:
        start = request.http_range.start
    except ValueError:
        start = status.st_size
    if start is not None and start >= status.st_size:
        shown = request.headers["Range"][:80]
        raise HttpError(
            416,
            f"'{name}' has {status.st_size} bytes, and none of them are in {shown!r}; "
            "ask for bytes that are there, as 'bytes=0-99'.",
            headers={"Content-Range": f"bytes */{status.st_size}"},
        )


def _gone(result: ResultFile, what: str) -> HttpError:
    return HttpError(
        410,
        f"The file '{result.name}' {what} since the job '{result.job}' made it. "
        f"POST /api/jobs/{result.job}/retry makes it again.",
    )


async def _made(thumbs: Thumbs, found: _Located, wanted: Wanted) -> Path:
    """The file of another form.

    Raises:
        HttpError: There can be none.
    """
    name = found.result.name
    if not found.served.is_picture:
        raise HttpError(
            400,
            f"'{name}' is {found.served.media_type}, not a picture; "
            "leave out 'thumb' and 'format' to get it as it is.",
        )
    try:
        return await thumbs.get(found.path, found.result.digest, wanted)
    except TooLargeError as error:
        raise HttpError(413, _sentence(error)) from error
    except InputError as error:
        raise HttpError(422, _sentence(error)) from error
    except OSError as error:
        raise HttpError(
            507, f"The picture '{name}' cannot be made: {error.strerror or error}. Free some room."
        ) from error


def _sentence(error: InputError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
