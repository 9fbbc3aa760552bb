"""`/api/uploads`: pictures from clients, to be loaded by nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, Field

from nodeflow.errors import InputError
from nodeflow.pictures import TooLargeError
from nodeflow.server.operation import Answer, answer, operation, read_query
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE
from nodeflow.server.upload_files import FOLDER, Arriving, Draft, keep, remove_unfinished

routes = web.RouteTableDef()

KEEPING = web.AppKey("keeping", asyncio.Lock)
"""Held while files get their names, so that the same content never gets two."""

MOST_BYTES = 512_000_000
"""Of one request."""

MOST_FILES = 100

_BLOCK = 1 << 20

Read = Callable[[int], Awaitable[bytes]]


async def uploads_context(app: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`: what a killed server has left half written is deleted."""
    app[KEEPING] = asyncio.Lock()
    await asyncio.to_thread(remove_unfinished, app[STATE].settings.inputs / FOLDER)
    yield


class UploadQuery(BaseModel):
    """What a body that is the file itself cannot say.

    Attributes:
        name: Name of the file.
    """

    name: Annotated[str, Field(max_length=1000)] = ""


class Uploaded(BaseModel):
    """A picture that nodes can load now.

    Attributes:
        name: What a file input of a node takes.
        digest: Of the content.
        size: In bytes.
    """

    name: str
    digest: str
    media_type: str
    size: int
    width: int
    height: int


class Uploads(Uploaded):
    """The first file that was sent, and in `files` all of them."""

    files: list[Uploaded]


@routes.post("/api/uploads")
@operation(
    "Upload pictures",
    tag="uploads",
    query=UploadQuery,
    uploads="multipart/form-data",
    answers={
        200: Answer("All of them were there already.", Uploads),
        201: Answer("The pictures can be loaded by nodes.", Uploads),
        400: Answer("The body holds no file, or is cut off."),
        413: Answer("Too many bytes, files or pixels."),
        415: Answer("A file is no PNG, JPEG, WebP, GIF or BMP picture."),
        507: Answer("The disk has no room for it."),
    },
)
async def upload(request: web.Request) -> web.StreamResponse:
    """Either `multipart/form-data` with a file or several, or one file as the body itself, with
    `Content-Type: image/...` and `?name=`. The same content is kept once. If one file of several
    is refused, none is kept.
    """
    query = read_query(request, UploadQuery)
    _refuse_long(request.content_length or 0)
    folder = request.app[STATE].settings.inputs / FOLDER
    arrived: list[Arriving] = []
    try:
        if request.content_type.startswith("multipart/"):
            drafts = await _parts(request, folder, arrived)
        elif request.content_type.startswith("image/"):
            drafts = [await _receive(request.content.read, query.name, folder, arrived)]
        else:
            raise HttpError(
                415,
                f"A body of type '{request.content_type[:80]}' is not taken here; "
                "send multipart/form-data, or a picture as image/png, image/jpeg ...",
            )
        async with request.app[KEEPING]:
            kept = await asyncio.to_thread(keep, drafts, folder)
    except (web.RequestPayloadError, HttpProcessingError) as error:
        reason = error.message if isinstance(error, HttpProcessingError) else str(error)
        raise HttpError(400, f"The body cannot be read: {reason.rstrip('.')}.") from error
    except ConnectionError:
        raise
    except OSError as error:
        raise HttpError(
            507, f"The upload cannot be kept: {error.strerror or error}. Free some room."
        ) from error
    finally:
        await asyncio.to_thread(_discard, arrived)
    files = [
        Uploaded(
            name=place.name,
            digest=draft.digest,
            media_type=draft.header.media_type,
            size=draft.size,
            width=draft.header.width,
            height=draft.header.height,
        )
        for draft, place in zip(drafts, kept, strict=True)
    ]
    status = 201 if any(place.new for place in kept) else 200
    return answer(Uploads(**files[0].model_dump(), files=files), status=status)


async def _parts(request: web.Request, folder: Path, arrived: list[Arriving]) -> list[Draft]:
    """The files of a form.

    Raises:
        HttpError: It cannot be read, or a file is not taken.
    """
    drafts: list[Draft] = []
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise HttpError(400, "A part of the form is a form itself; send files only.")
            if part.filename is None:
                raise HttpError(
                    400, f"The part '{(part.name or '')[:80]}' of the form has no filename; "
                    "send files only."
                )  # fmt: skip
            if len(drafts) == MOST_FILES:
                raise HttpError(413, f"More than {MOST_FILES} files in one request; send several.")
            drafts.append(await _receive(part.read_chunk, part.filename, folder, arrived))
    except (ValueError, RuntimeError, AssertionError) as error:
        raise HttpError(400, f"The form cannot be read: {error or 'it is cut off'}.") from error
    if not drafts:
        raise HttpError(400, "The form holds no file; add one.")
    return drafts


async def _receive(read: Read, name: str, folder: Path, arrived: list[Arriving]) -> Draft:
    """One file, block by block.

    Raises:
        HttpError: It is too large, or no picture.
    """
    arriving = await asyncio.to_thread(Arriving, folder)
    arrived.append(arriving)
    while block := await read(_BLOCK):
        _refuse_long(sum(other.size for other in arrived) + len(block))
        await asyncio.to_thread(arriving.write, block)
    shown = name[:80] or "upload"
    if not arriving.size:
        raise HttpError(400, f"The file '{shown}' is empty; send its content.")
    try:
        return await asyncio.to_thread(arriving.finish, name)
    except InputError as error:
        status = 413 if isinstance(error, TooLargeError) else 415
        # The sentence names the file by its place on this disk, which is not the client's.
        reason = str(error).replace(f"'{arriving.path.name}'", f"'{shown}'")
        raise HttpError(status, f"{reason[:1].upper()}{reason[1:]}.") from error


def _refuse_long(size: int) -> None:
    if size > MOST_BYTES:
        raise HttpError(
            413,
            f"The upload has more than {MOST_BYTES // 1_000_000} MB, the limit of one request; "
            "send files one by one, or make them smaller.",
        )


def _discard(arrived: list[Arriving]) -> None:
    for arriving in arrived:
        arriving.discard()
