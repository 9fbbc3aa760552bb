"""AsyncConnection: carries calls to a server without blocking the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, TypeVar

import httpx2

from nodeflow.client import operations
from nodeflow.client.calls import Call, Reply, Steps
from nodeflow.client.tail import ServerEvent, Tail
from nodeflow.client.wire import Deadline, Wire, arguments, reply_of

T = TypeVar("T")

_PIECE = 1 << 18


class AsyncConnection:
    """The one place of the async client that sends and receives; see `Connection`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._http = httpx2.AsyncClient(**wire.options())

    async def close(self) -> None:
        await self._http.aclose()

    async def do(self, steps: Steps[T]) -> T:
        """Carry out an operation; see `Connection.do`."""
        reply: Reply | None = None
        while True:
            # In a thread, as reading a large workflow takes a while.
            step = await asyncio.to_thread(_step, steps, reply)
            if isinstance(step, _Returned):
                return step.value
            reply = (await self._reply(step)).checked()

    async def fetch(self, digest: str, file: IO[bytes]) -> None:
        """Write the content of a result into an open file; see `Connection.fetch`."""
        call = Call("GET", operations.result_path(digest))
        attempts = self._wire.attempts(again=True)
        while True:
            try:
                async with self._http.stream(**arguments(call)) as response:
                    answer = await self._answer(response)
                    wait = attempts.answered(answer)
                    if wait is None:
                        answer.checked()
                        async for piece in response.aiter_bytes():
                            await asyncio.to_thread(file.write, piece)
                        return
            except httpx2.TransportError as error:
                wait = attempts.failed(error)
            file.seek(0)
            file.truncate()
            await asyncio.sleep(wait)

    async def tail(self, tail: Tail, deadline: Deadline) -> AsyncIterator[ServerEvent]:
        """Events in order and without a gap; see `Connection.tail`."""
        attempts = self._wire.attempts(again=True, stream=True)
        while True:
            call = tail.connect()
            timeout = self._wire.listening(deadline)
            try:
                async with self._http.stream(**arguments(call), timeout=timeout) as response:
                    answer = await self._answer(response)
                    wait = attempts.answered(answer)
                    if wait is None:
                        answer.checked()
                        async for text in response.aiter_text():
                            events = tail.feed(text)
                            attempts.heard(events)
                            for event in events:
                                yield event
                            if tail.over:
                                return
                            deadline.check()
                        wait = attempts.ended()
            except httpx2.TransportError as error:
                deadline.check()
                wait = attempts.failed(error)
            await asyncio.sleep(wait)
            if tail.job:
                await self.do(operations.job(tail.job))

    async def _reply(self, call: Call) -> Reply:
        attempts = self._wire.attempts(again=call.again)
        while True:
            try:
                response = await self._http.request(**arguments(call), content=_content(call.body))
            except httpx2.TransportError as error:
                wait = attempts.failed(error)
            else:
                reply = reply_of(response)
                pause = attempts.answered(reply)
                if pause is None:
                    return reply
                wait = pause
            await asyncio.sleep(wait)

    async def _answer(self, response: httpx2.Response) -> Reply:
        if response.status_code >= 300:
            await response.aread()
            return reply_of(response)
        return Reply(response.status_code)


@dataclass(frozen=True)
class _Returned(Generic[T]):
    value: T


def _step(steps: Steps[T], reply: Reply | None) -> Call | _Returned[T]:
    """The next call, or what came of it all: StopIteration cannot leave a thread."""
    try:
        return next(steps) if reply is None else steps.send(reply)
    except StopIteration as ended:
        return _Returned(ended.value)


def _content(body: bytes | Path | None) -> bytes | AsyncIterator[bytes] | None:
    return _pieces(body) if isinstance(body, Path) else body


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
