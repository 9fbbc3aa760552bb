"""A hub on a real server, with a list as its journal, and clients that look at it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from bisect import bisect_right
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from nodeflow.journal.records import Kept
from nodeflow.server.catching_up import Bars
from nodeflow.server.event_socket import watch_by_socket
from nodeflow.server.event_stream import watch_by_stream
from nodeflow.server.hub import Hub
from nodeflow.server.problems import problem_middleware
from nodeflow.server.watcher import Want

PATIENCE = 30.0
"""How long a test waits for what must come."""

QUICK = Bars(high=50_000, low=20_000, patience=0.4, chunk=50, chunk_bytes=20_000, grace=1.0)
"""Bars that are reached within a test."""


def kept(seq: int, event: str = "node_log", job: str = "a", **body: Any) -> Kept:
    text = json.dumps({"seq": seq, "time": 1.5, "event": event, "job": job} | body)
    return Kept(seq, 1.5, event, job, text)


@dataclass
class Feed:
    """A hub and its journal; `journal` may begin with events from before the hub was there."""

    journal: list[Kept] = field(default_factory=list)
    bars: Bars | None = None
    ring: int = 10_000
    reads: int = 0

    def __post_init__(self) -> None:
        self.hub = Hub(self.read, self.bounds, bars=self.bars, ring=self.ring)

    async def read(self, after: int, limit: int, job: str) -> list[Kept]:
        self.reads += 1
        await asyncio.sleep(0)
        first = bisect_right(self.journal, after, key=lambda item: item.seq)
        return [item for item in self.journal[first:] if job in ("", item.job)][:limit]

    def bounds(self) -> tuple[int, int]:
        last = self.journal[-1].seq if self.journal else 0
        return (self.journal[0].seq if self.journal else last + 1), last

    def happen(self, count: int = 1, event: str = "node_log", job: str = "a", **body: Any) -> None:
        """Events that are committed and published at once."""
        last = self.bounds()[1]
        new = [kept(last + 1 + index, event, job, **body) for index in range(count)]
        self.journal += new
        self.hub.publish(new)


@dataclass
class House:
    """A server with a feed."""

    feed: Feed
    port: int
    session: aiohttp.ClientSession

    @property
    def hub(self) -> Hub:
        return self.feed.hub

    async def watch(self, **query: Any) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket whose first frame is still to be read."""
        url = f"http://127.0.0.1:{self.port}/api/events"
        return await self.session.ws_connect(url, params=query, max_msg_size=0)

    async def joined(self, **query: Any) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket whose first frame was read."""
        watching = await self.watch(**query)
        assert (await watching.receive_json(timeout=PATIENCE))["events"] == []
        return watching

    async def raw(self, **query: Any) -> socket.socket:
        """A client that asked for a WebSocket and has read nothing since; it holds little."""
        loop = asyncio.get_running_loop()
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", self.port))
        words = "&".join(f"{name}={value}" for name, value in query.items())
        await loop.sock_sendall(
            client,
            f"GET /api/events?{words} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode(),
        )
        await until(lambda: len(self.hub._watchers) > 0)
        return client


@asynccontextmanager
async def house(feed: Feed, *, beat: float = 15.0) -> AsyncIterator[House]:
    """Serve a feed; whoever still watches at the end is sent away."""

    async def handler(request: web.Request) -> web.StreamResponse:
        feed.hub.admit()
        after = request.query.get("after") or request.headers.get("Last-Event-ID")
        want = Want(
            None if after is None else int(after),
            request.query.get("job", ""),
            "previews" in request.query,
        )
        if "Upgrade" in request.headers:
            return await watch_by_socket(request, feed.hub, want)
        return await watch_by_stream(request, feed.hub, want, beat)

    async def close(app: web.Application) -> None:
        await feed.hub.close()

    app = web.Application(middlewares=[problem_middleware])
    app.router.add_get("/api/events", handler)
    app.on_shutdown.append(close)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            yield House(feed, port, session)
    finally:
        await runner.cleanup()


async def until(true: Any, seconds: float = PATIENCE) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def events(watching: aiohttp.ClientWebSocketResponse, last: int) -> list[dict[str, Any]]:
    """All events up to the one with a number."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE):
        while last not in (event.get("seq") for event in found[-1000:]):
            found += (await watching.receive_json())["events"]
    return found


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in found if "seq" in event]


async def read_all(client: socket.socket) -> bytes:
    """What a raw client gets until the server ends the connection."""
    loop = asyncio.get_running_loop()
    body = bytearray()
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                part = await loop.sock_recv(client, 1 << 16)
            except ConnectionError:
                break
            if not part:
                break
            body += part
    return bytes(body)


def frames(body: bytes) -> list[tuple[int, bytes]]:
    """Kind and payload of the WebSocket frames after the head of an answer; a cut one is lost."""
    rest = body.split(b"\r\n\r\n", 1)[1]
    found = []
    while len(rest) >= 2:
        kind, length, start = rest[0] & 0x0F, rest[1], 2
        if length == 126:
            length, start = struct.unpack(">H", rest[2:4])[0], 4
        elif length == 127:
            length, start = struct.unpack(">Q", rest[2:10])[0], 10
        if len(rest) < start + length:
            break
        found.append((kind, rest[start : start + length]))
        rest = rest[start + length :]
    return found
