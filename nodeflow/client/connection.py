"""Connection: carries calls to a server, and waits where that helps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TypeVar

import httpx2

from nodeflow.client import operations
from nodeflow.client.calls import Call, Reply, Steps
from nodeflow.client.tail import ServerEvent, Tail
from nodeflow.client.wire import Deadline, Wire, arguments, reply_of

T = TypeVar("T")


class Connection:
    """The one place of the sync client that sends and receives."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._http = httpx2.Client(**wire.options())

    def close(self) -> None:
        self._http.close()

    def do(self, steps: Steps[T]) -> T:
        """Carry out an operation.

        Raises:
            WorkflowError, ServerError, ServerUnreachable: As `Reply.checked` and `Attempts` say.
        """
        try:
            call = next(steps)
            while True:
                call = steps.send(self._reply(call).checked())
        except StopIteration as ended:
            result: T = ended.value
            return result

    def fetch(self, digest: str, file: IO[bytes]) -> None:
        """Write the content of a result into an open file.

        Raises:
            ServerError: The server has it no more.
        """
        call = Call("GET", operations.result_path(digest))
        attempts = self._wire.attempts(again=True)
        while True:
            try:
                with self._http.stream(**arguments(call)) as response:
                    answer = self._answer(response)
                    wait = attempts.answered(answer)
                    if wait is None:
                        answer.checked()
                        for piece in response.iter_bytes():
                            file.write(piece)
                        return
            except httpx2.TransportError as error:
                wait = attempts.failed(error)
            file.seek(0)
            file.truncate()
            time.sleep(wait)

    def tail(self, tail: Tail, deadline: Deadline) -> Iterator[ServerEvent]:
        """Events in order and without a gap, over as many connections as it takes.

        Raises:
            TimeoutError: The deadline is past.
            ServerUnreachable: The server is away for too long.
        """
        attempts = self._wire.attempts(again=True, stream=True)
        while True:
            call = tail.connect()
            timeout = self._wire.listening(deadline)
            try:
                with self._http.stream(**arguments(call), timeout=timeout) as response:
                    answer = self._answer(response)
                    wait = attempts.answered(answer)
                    if wait is None:
                        answer.checked()
                        for text in response.iter_text():
                            events = tail.feed(text)
                            attempts.heard(events)
                            yield from events
                            if tail.over:
                                return
                            deadline.check()
                        wait = attempts.ended()
            except httpx2.TransportError as error:
                deadline.check()
                wait = attempts.failed(error)
            time.sleep(wait)
            if tail.job:
                # If it was removed meanwhile there is nothing to wait for, and this says so.
                self.do(operations.job(tail.job))

    def _reply(self, call: Call) -> Reply:
        attempts = self._wire.attempts(again=call.again)
        while True:
            try:
                with _content(call.body) as content:
                    response = self._http.request(**arguments(call), content=content)
            except httpx2.TransportError as error:
                wait = attempts.failed(error)
            else:
                reply = reply_of(response)
                pause = attempts.answered(reply)
                if pause is None:
                    return reply
                wait = pause
            time.sleep(wait)

    def _answer(self, response: httpx2.Response) -> Reply:
        """The answer to a stream: only its status if all is well."""
        if response.status_code >= 300:
            response.read()
            return reply_of(response)
        return Reply(response.status_code)


@contextmanager
def _content(body: bytes | Path | None) -> Iterator[bytes | IO[bytes] | None]:
    with ExitStack() as stack:
        yield stack.enter_context(body.open("rb")) if isinstance(body, Path) else body
