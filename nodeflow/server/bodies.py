"""Bodies: what clients send, read piece by piece, never beyond a limit."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError
from blake3 import blake3
from pydantic import BaseModel

from nodeflow.server.desk import INLINE
from nodeflow.server.operation import read_json
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE
from nodeflow.server.submitting import SubmitText

M = TypeVar("M", bound=BaseModel)

SMALL_BYTES = 1 << 20
"""Of JSON that is no workflow."""

_BLOCK = 1 << 20


async def body_pieces(request: web.Request, limit: int, what: str) -> AsyncIterator[bytes]:
    """The body of a request as it comes in.

    Args:
        what: What it is, for the sentence: `a login`.

    Raises:
        HttpError: 413, it has more bytes than `limit`; 400, it is broken off.
    """
    length = request.content_length
    if length is not None and length > limit:
        raise _too_long(f"{length} bytes", limit, what)
    size = 0
    try:
        async for piece in request.content.iter_any():
            size += len(piece)
            if size > limit:
                raise _too_long(f"more than {limit} bytes", limit, what)
            yield piece
    except RequestPayloadError as error:
        raise HttpError(400, f"The body broke off after {size} bytes; send it again.") from error


async def read_body(request: web.Request, limit: int, what: str) -> bytes:
    """The whole body of a request; see `body_pieces`."""
    return b"".join([piece async for piece in body_pieces(request, limit, what)])


async def small_json(request: web.Request, model: type[M]) -> M:
    """A short JSON body, validated.

    Raises:
        HttpError: 400, 413, 415 or 422.
    """
    require_json(request)
    text = await read_body(request, SMALL_BYTES, "this request")
    if not text.strip():
        raise _empty()
    return read_json(text, model)


def require_json(request: web.Request) -> None:
    """See that a body is said to be JSON.

    Raises:
        HttpError: 415. Forms of foreign pages cannot say so, which is one more wall against them.
    """
    if not is_json(request):
        kind = request.content_type[:80]
        raise HttpError(415, f"The body is said to be '{kind}'; send JSON, as 'application/json'.")


def is_json(request: web.Request) -> bool:
    """Whether a body is said to be JSON."""
    kind = request.content_type
    return kind == "application/json" or kind.endswith("+json")


async def read_text(request: web.Request) -> SubmitText:
    """What is handed in to `/api/jobs` and `/api/check`: in memory if short, else in a file.

    Whoever gets it hands it to the desk, which removes the file.

    Raises:
        HttpError: 400 if it is empty or broken off, 413, 415, or 507 if the disk is full.
    """
    state = request.app[STATE]
    require_json(request)
    arriving = _Arriving(state.desk.incoming / f"{secrets.token_hex(16)}.body")
    try:
        async for piece in body_pieces(request, state.limits.json_body, "a JSON body"):
            await arriving.add(piece)
        return await arriving.end()
    except BaseException:
        await asyncio.to_thread(arriving.undo)
        raise


async def read_file(request: web.Request, limit: int, what: str) -> Path:
    """A body as a file among what comes in, which is the caller's to remove.

    Args:
        what: What it is, for the sentence: `a picture`.

    Raises:
        HttpError: 400 if it is empty or broken off, 413, or 507 if the disk is full.
    """
    arriving = _Arriving(request.app[STATE].desk.incoming / f"{secrets.token_hex(16)}.body")
    try:
        async for piece in body_pieces(request, limit, what):
            await arriving.add(piece)
        return await arriving.end_in_file(what)
    except BaseException:
        await asyncio.to_thread(arriving.undo)
        raise


@dataclass
class _Arriving:
    """A body that comes in; from some length on it goes to a file, block by block."""

    path: Path
    block: bytearray = field(default_factory=bytearray)
    file: BinaryIO | None = None
    hasher: blake3 = field(default_factory=blake3)

    async def add(self, piece: bytes) -> None:
        self.block += piece
        if len(self.block) >= _BLOCK:
            await self._flush()

    async def end(self) -> SubmitText:
        if self.file is None and len(self.block) <= INLINE:
            text = bytes(self.block)
            if not text.strip():
                raise _empty()
            return SubmitText(text=text)
        await self._close()
        return SubmitText(file=self.path, digest=self.hasher.hexdigest(16))

    async def end_in_file(self, what: str) -> Path:
        """As `end`, but for a body that is no JSON and in a file even if it is short."""
        if self.file is None and not self.block:
            raise HttpError(400, f"The body is empty; send {what}.")
        await self._close()
        return self.path

    async def _close(self) -> None:
        await self._flush()
        assert self.file is not None
        await asyncio.to_thread(self.file.close)

    async def _flush(self) -> None:
        block, self.block = self.block, bytearray()
        try:
            await asyncio.to_thread(self._write, block)
        except OSError as error:
            raise HttpError(
                507, f"The request cannot be kept: {error.strerror or error}. Free some room."
            ) from error

    def _write(self, block: bytearray) -> None:
        if self.file is None:
            self.file = self.path.open("xb")
        self.hasher.update(block)
        self.file.write(block)

    def undo(self) -> None:
        if self.file is not None:
            self.file.close()
            self.path.unlink(missing_ok=True)


def _too_long(given: str, limit: int, what: str) -> HttpError:
    return HttpError(413, f"The body has {given}; the limit for {what} is {limit} bytes.")


def _empty() -> HttpError:
    return HttpError(400, "The body is empty; send a JSON object.")
