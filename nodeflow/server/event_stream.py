"""Event stream: a watcher that came by plain HTTP, such as `curl -N` or an `EventSource`."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import HttpVersion11, web

from nodeflow.server.frames import CHUNKED, PLAIN
from nodeflow.server.hub import Hub
from nodeflow.server.watcher import Want, Watcher

BEAT_SECONDS = 15.0
"""How often a comment says that the connection is alive."""

LOOK_SECONDS = 1.0
"""How often it is looked whether the client is still there."""

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    # Asks nginx to pass events on at once.
    "X-Accel-Buffering": "no",
}


async def watch_by_stream(
    request: web.Request, hub: Hub, want: Want, beat: float = BEAT_SECONDS
) -> web.StreamResponse:
    """Send events to a client until it goes, or the server stops."""
    response = web.StreamResponse(headers=HEADERS)
    # The connection may be cut off at any time, so no other request must follow on it.
    response.force_close()
    await response.prepare(request)
    if request.transport is None:
        return response
    wire = CHUNKED if request.version >= HttpVersion11 else PLAIN
    watcher = Watcher(request.transport, wire, want, _say_nothing, grace=hub.bars.grace)
    loop = asyncio.get_running_loop()
    try:
        await hub.join(watcher)
        due = loop.time() + beat
        while not watcher.gone:
            with suppress(TimeoutError):
                await asyncio.wait_for(watcher.ended.wait(), min(beat, LOOK_SECONDS))
            if loop.time() >= due and not watcher.unread:
                watcher.write(wire.beat())
                due = loop.time() + beat
    finally:
        hub.leave(watcher)
    return response


def _say_nothing(code: int, reason: str) -> None:
    """An event stream has no close frame; it ends, and the client asks again with its last id."""
