"""A real server with nothing but the checks of every request, and requests as bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

from aiohttp import web

from nodeflow.server.access import Access
from nodeflow.server.headers import nonce
from nodeflow.server.limits import Limits
from nodeflow.server.problems import problem_middleware
from nodeflow.server.protocol import Runner
from nodeflow.server.security import guard


@dataclass
class Reply:
    """What came back; `status` is 0 if the connection was closed without a word."""

    status: int
    headers: Message
    body: bytes


@dataclass
class Guarded:
    """A server at `port` of 127.0.0.1; `seen` are the requests that came through to a handler."""

    port: int
    seen: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def ask(
        self,
        target: str = "/api/thing",
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        method: str = "GET",
        body: bytes = b"",
        host: str | None = None,
    ) -> Reply:
        """Send a request exactly as it is said; `host=""` sends no Host at all."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        named = self.host if host is None else host
        head = [f"{method} {target} HTTP/1.1", "Connection: close"]
        head += [f"Host: {named}"] if named else []
        head += [f"{name}: {value}" for name, value in pairs]
        if body and not any(name.lower() == "content-length" for name, _ in pairs):
            head.append(f"Content-Length: {len(body)}")
        return await self.send("\r\n".join([*head, "", ""]).encode("latin-1") + body)

    async def send(self, data: bytes) -> Reply:
        """Send bytes, and read until the server closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            await writer.drain()
            return read_reply(await asyncio.wait_for(reader.read(), 20))
        finally:
            writer.close()


def read_reply(data: bytes) -> Reply:
    """A response from its bytes."""
    if not data:
        return Reply(0, Message(), b"")
    head, _, body = data.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    return Reply(int(first.split()[1]), BytesHeaderParser().parsebytes(rest), body)


@asynccontextmanager
async def serving(app: web.Application, limits: Limits | None = None) -> AsyncIterator[Guarded]:
    """An application on a port of its own."""
    runner = Runner(app, limits or Limits(), shutdown_timeout=1, lingering_time=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Guarded(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def guarded(
    access: Access | None = None, limits: Limits | None = None
) -> AsyncIterator[Guarded]:
    """A server whose handlers do hardly anything behind the real checks."""
    app = web.Application(middlewares=[problem_middleware])
    guard(app, access or Access(), limits or Limits())
    seen: list[str] = []

    async def thing(request: web.Request) -> web.StreamResponse:
        seen.append(f"{request.method} {request.path}")
        body = await request.read()
        return web.json_response({"bytes": len(body)})

    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text=f"<p>{nonce(request)}</p>", content_type="text/html")

    async def socket(request: web.Request) -> web.StreamResponse:
        seen.append("socket")
        answer: Any = web.WebSocketResponse()
        await answer.prepare(request)
        await answer.send_str("hello")
        async for _ in answer:
            pass
        return answer  # type: ignore[no-any-return]

    app.router.add_route("*", "/api/thing", thing)
    app.router.add_get("/api/events", socket)
    app.router.add_get("/healthz", thing)
    app.router.add_get("/page", page)
    async with serving(app, limits) as server:
        server.seen = seen
        yield server
