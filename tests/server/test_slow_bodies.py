from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time

import pytest
from aiohttp import web

from nodeflow.server.access import Access
from nodeflow.server.limits import Limits
from nodeflow.server.problems import problem_middleware
from nodeflow.server.security import guard
from tests.server.guarded_tools import Guarded, Reply, guarded, read_reply, serving

QUICK = Limits(body_seconds=0.4, body_rate=1000)


async def drip(
    server: Guarded, pieces: int, piece: bytes, pause: float, length: int | None = None
) -> tuple[Reply, float]:
    """A body that comes in pieces; what came back, and after how long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    total = pieces * len(piece) if length is None else length
    head = f"POST /api/thing HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n"
    started = time.monotonic()
    answer = asyncio.create_task(read_all(reader))
    try:
        writer.write(f"{head}Content-Length: {total}\r\n\r\n".encode())
        for _ in range(pieces):
            if answer.done():
                break
            writer.write(piece)
            await asyncio.sleep(pause)
        data = await asyncio.wait_for(answer, 20)
        return read_reply(data), time.monotonic() - started
    finally:
        writer.close()


async def read_all(reader: asyncio.StreamReader) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionResetError):  # it was written to once more
        while piece := await reader.read(1 << 16):
            data += piece
    return data


async def test_a_body_that_stops_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with guarded(limits=QUICK) as server:
        reply, seconds = await drip(server, 1, b"x" * 10, 0, length=1000)
    assert reply.status == 408
    assert "came too slowly: 10 bytes" in json.loads(reply.body)["detail"]
    assert 0.3 < seconds < 5
    assert not caplog.records


async def test_a_body_that_drips_is_given_up_though_it_never_stops() -> None:
    async with guarded(limits=QUICK) as server:
        reply, _ = await drip(server, 1000, b"x", 0.02)
    assert reply.status == 408


async def test_a_body_that_comes_fast_enough_may_take_its_time() -> None:
    async with guarded(limits=QUICK) as server:
        reply, seconds = await drip(server, 20, b"x" * 200, 0.08)
    assert reply.status == 200
    assert json.loads(reply.body) == {"bytes": 4000}
    assert seconds > 3 * QUICK.body_seconds


async def test_a_handler_that_reads_slowly_is_not_the_clients_fault() -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        size = 0
        while piece := await request.content.read(1 << 18):
            size += len(piece)
            await asyncio.sleep(0.2)
        return web.Response(text=str(size))

    app = web.Application(middlewares=[problem_middleware])
    guard(app, Access(), QUICK)
    app.router.add_post("/api/thing", slow)
    async with serving(app, QUICK) as server:
        reply, seconds = await drip(server, 1, b"x" * (2 << 20), 0)
    assert (reply.status, reply.body) == (200, str(2 << 20).encode())
    assert seconds > 2 * QUICK.body_seconds


async def test_others_are_served_while_bodies_drip() -> None:
    async with guarded(limits=QUICK) as server:
        dripping = [asyncio.create_task(drip(server, 200, b"x", 0.02)) for _ in range(20)]
        await asyncio.sleep(0.1)
        assert (await server.ask()).status == 200
        assert {reply.status for reply, _ in await asyncio.gather(*dripping)} == {408}
