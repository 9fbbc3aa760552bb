from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest

from nodeflow.server.limits import Limits
from tests.server.guarded_tools import guarded


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=range(9),
)
async def test_what_is_no_http_is_a_problem_and_no_error_of_ours(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with guarded() as server:
        reply = await server.send(data)
    assert reply.status == 400
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert json.loads(reply.body)["detail"].startswith("This is no good request: ")
    assert not caplog.records


async def test_a_broken_chunk_is_not_our_error_either(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with guarded() as server:
        reply = await server.send(
            b"POST /api/thing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n\r\n"
        )
    assert reply.status == 400
    assert not caplog.records


async def test_a_head_that_does_not_end_is_not_waited_for() -> None:
    async with guarded(limits=Limits(head_seconds=0.3)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        started = time.monotonic()
        writer.write(f"GET / HTTP/1.1\r\nHost: {server.host}\r\n".encode())
        closed = asyncio.create_task(reader.read())
        while not closed.done() and time.monotonic() - started < 10:
            writer.write(b"X: y\r\n")
            await asyncio.sleep(0.05)
        assert await closed == b""
        assert time.monotonic() - started < 5
        writer.close()


async def test_a_connection_is_kept_for_the_next_request() -> None:
    async with guarded() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for _ in range(3):
            writer.write(f"GET /healthz HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            assert b" 200 " in head
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
        writer.close()
