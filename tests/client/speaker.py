"""A small real server that says what a test wants, to see what a client makes of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Got:
    """One request."""

    line: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def said(body: Any = None, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; names of headers with `_` for `-`."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status,
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return answer


def refused(status: int, detail: str, **extra: Any) -> Answer:
    return said({"status": status, "detail": detail, **extra}, status)


async def dropped(request: web.Request) -> web.StreamResponse:
    """The connection is cut after the request was read: the server died, whatever it had done."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def streamed(*pieces: str, hold: bool = False, cut: bool = False) -> Answer:
    """Server-Sent Events; then the end, silence, or a connection that breaks."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece.encode())
        if hold:
            await asyncio.sleep(30)
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return answer


def sse(*events: Mapping[str, Any], after: int = 0, last: int = 0, **facts: Any) -> str:
    """What a server sends: where it begins, then events."""
    opening = {"after": after, "last": last, **facts}
    text = f"retry: 2000\nid: {after}\nevent: position\ndata: {json.dumps(opening)}\n\n"
    for event in events:
        number = f"id: {event['seq']}\n" if "seq" in event else ""
        data = json.dumps(event, ensure_ascii=False)
        text += f"{number}event: {event['event']}\ndata: {data}\n\n"
    return text


@dataclass
class Speaker:
    """Listens in a thread of its own; can be stopped and started again at the same address."""

    got: list[Got] = field(default_factory=list)
    port: int = 0
    _answers: dict[str, list[Answer]] = field(default_factory=dict)

    def answer(self, line: str, *answers: Answer) -> None:
        """Say these in turn to `METHOD /path`, and the last one ever after."""
        self._answers[line] = list(answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[str]:
        return [got.line for got in self.got]

    def start(self) -> Speaker:
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,))
        self._thread.start()
        assert ready.wait(10)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        self._loop.run_until_complete(self._listen(runner))
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _listen(self, runner: web.AppRunner) -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        line = f"{request.method} {request.rel_url.raw_path}"
        self.got.append(Got(line, dict(request.query), dict(request.headers), body))
        answers = self._answers.get(line) or [refused(404, f"There is nothing at '{line}'.")]
        return await (answers.pop(0) if len(answers) > 1 else answers[0])(request)
