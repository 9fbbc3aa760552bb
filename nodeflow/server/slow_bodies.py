"""Slow bodies: a client that hardly sends holds a connection and a handler; here it loses both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import StreamReader, web

from nodeflow.server.limits import Limits
from nodeflow.server.problems import HttpError


@asynccontextmanager
async def watched_body(request: web.Request, limits: Limits) -> AsyncIterator[None]:
    """Have whoever reads the body of a request fail with 408 once it comes too slowly."""
    if not request.can_read_body:
        yield
        return
    watch = _Watch(request.content, limits)
    try:
        yield
    finally:
        watch.stop()


class _Watch:
    """Looks at a body now and then; only the time counts in which somebody waits for it."""

    def __init__(self, body: StreamReader, limits: Limits) -> None:
        self._body = body
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._tick = limits.body_seconds / 10
        self._waited = 0.0
        self._silent = 0.0
        self._bytes = body.total_bytes
        self._refused = False
        self._handle = self._loop.call_later(self._tick, self._look)

    def stop(self) -> None:
        self._handle.cancel()
        if self._refused:
            # aiohttp goes on reading what a handler left, and takes only this for the end of it.
            self._body.set_exception(TimeoutError())

    def _look(self) -> None:
        if self._body.is_eof():
            return
        if _is_awaited(self._body):
            self._waited += self._tick
            came = self._body.total_bytes > self._bytes
            self._silent = 0.0 if came else self._silent + self._tick
        self._bytes = self._body.total_bytes
        if self._silent >= self._limits.body_seconds or self._is_dripping():
            self._refused = True
            self._body.set_exception(self._refusal())
            return
        self._handle = self._loop.call_later(self._tick, self._look)

    def _is_dripping(self) -> bool:
        late = self._waited - self._limits.body_seconds
        return late >= 0 and self._bytes < late * self._limits.body_rate

    def _refusal(self) -> HttpError:
        return HttpError(
            408,
            f"The body came too slowly: {self._bytes} bytes in {self._waited:.0f} s of waiting. "
            "Send it again over a better connection.",
            headers={"Connection": "close"},
        )


def _is_awaited(body: StreamReader) -> bool:
    # A handler that is busy with what it has read is not the client's fault, and only the reader
    # itself knows whether somebody waits for more; a test holds aiohttp to this name.
    return body._waiter is not None
