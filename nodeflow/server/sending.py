"""Sending: a file as it is, or a picture smaller or in another format."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from aiohttp import web
from blake3 import blake3
from pydantic import BaseModel, Field

from nodeflow.errors import InputError
from nodeflow.pictures import TooLargeError
from nodeflow.server.media import Served, disposition, served_as
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE
from nodeflow.server.thumbs import Format, Thumbs, Wanted

THUMBS = web.AppKey("thumbs", Thumbs)

_QUALITY = 80


async def thumbs_context(app: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`: what makes smaller pictures, for as long as the application runs."""
    app[THUMBS] = Thumbs(app[STATE].settings.cache / "thumbs")
    yield
    await asyncio.to_thread(app[THUMBS].close)


class FormQuery(BaseModel):
    """Which form of a file is wanted.

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


@dataclass(frozen=True)
class Source:
    """A file that can be sent.

    Attributes:
        name: What it is called in messages and when it is saved.
        digest: Stands for its content.
    """

    path: Path
    name: str
    digest: str
    served: Served


def source_of(path: Path, name: str = "") -> Source:
    """A file that may be another the next time.

    Args:
        path: With no links in it.
        name: What it is called, if not as its file.

    Raises:
        OSError: It cannot be read.
    """
    status = path.stat()
    # Another content has another time, and a link that is bent has another place.
    stamp = f"{path}\0{status.st_ino}\0{status.st_size}\0{status.st_mtime_ns}"
    digest = blake3(f"file\0{stamp}".encode("utf-8", "surrogateescape")).hexdigest(16)
    return Source(path, name or path.name, digest, served_as(path))


async def send(
    request: web.Request, source: Source, query: FormQuery, cache: str
) -> web.StreamResponse:
    """The file in the form that is wanted.

    Args:
        cache: The header `Cache-Control`.

    Raises:
        HttpError: 400, 413, 422 or 507 if there can be no such form; 416 if there are no such
            bytes.
    """
    path, name, served = source.path, source.name, source.served
    if query.wanted is not None:
        path = await _made(request.app[THUMBS], source, query.wanted)
        name = f"{Path(name).stem}.{query.wanted.format}"
        served = Served(f"image/{query.wanted.format}", inline=True)
    shown = disposition(name, attachment=query.download or not served.inline)
    headers = {"Cache-Control": cache, "Content-Disposition": shown}
    return await send_file(request, path, name, {"Content-Type": served.content_type} | headers)


async def send_file(
    request: web.Request, path: Path, name: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """A file, or the bytes of it that are wanted.

    Args:
        name: For messages.

    Raises:
        HttpError: 416, there are no such bytes.
    """
    if "Range" in request.headers:
        _refuse_range(request, name, await asyncio.to_thread(path.stat))
    return web.FileResponse(path, headers={**headers, "X-Content-Type-Options": "nosniff"})


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


async def _made(thumbs: Thumbs, source: Source, wanted: Wanted) -> Path:
    """The file of another form.

    Raises:
        HttpError: There can be none.
    """
    name = source.name
    if not source.served.is_picture:
        raise HttpError(
            400,
            f"'{name}' is {source.served.media_type}, not a picture; "
            "leave out 'thumb' and 'format' to get it as it is.",
        )
    try:
        return await thumbs.get(source.path, source.digest, wanted)
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
