"""DeskCalls: work for the desk's helper process, each piece with the answer that belongs to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from nodeflow.errors import Problem, WorkflowError
from nodeflow.server.desk_messages import Found, Made, Named, Opened, Refused, Work
from nodeflow.server.problems import HttpError
from nodeflow.server.worker_process import WorkerProcess
from nodeflow.worker.messages import Message

START_SECONDS = 30.0
WORK_SECONDS = 300.0


class DeskCalls:
    """Sends work and waits for what comes of it.

    Args:
        process: The helper; its callbacks belong to this object from now on.
        patience: Seconds that one piece of work may take; then the helper is taken to hang.
    """

    def __init__(self, process: WorkerProcess, *, patience: float = WORK_SECONDS) -> None:
        self._process = process
        self._patience = patience
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._alive = asyncio.Event()
        process.on_message = self._on_message
        process.on_started = self._alive.set
        process.on_death = self._on_death
        if process.pid is not None:
            self._alive.set()

    async def do(self, work: Work) -> Made | Found | Named | Opened:
        """Have work done.

        Raises:
            HttpError: It was refused, or 503 if the helper died of it.
            WorkflowError: The workflow does not check.
        """
        await self._until_alive()
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._process.send(replace(work, number=number))
        try:
            async with asyncio.timeout(self._patience):
                found = await answer
        except TimeoutError as error:
            self._alive.clear()  # what is sent to it from now on would be lost
            self._process.kill()
            raise _unavailable(f"it took longer than {self._patience:g} s") from error
        finally:
            del self._waiting[number]
        if isinstance(found, Refused):
            raise _raised(found)
        assert isinstance(found, Made | Found | Named | Opened)
        return found

    async def _until_alive(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._alive.wait()
        except TimeoutError as error:
            raise _unavailable("the process for it does not start") from error

    def _on_message(self, message: Message) -> None:
        if isinstance(message, Made | Found | Named | Opened | Refused):
            answer = self._waiting.get(message.number)
            if answer is not None and not answer.done():
                answer.set_result(message)
            elif files := _files(message):
                # Who asked has gone: nobody else knows of these files.
                asyncio.get_running_loop().run_in_executor(None, _remove, files)

    def _on_death(self, sentence: str) -> None:
        self._alive.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(_unavailable(sentence.rstrip(".")))


def _files(message: Message) -> list[str]:
    """The files that an answer hands over."""
    if isinstance(message, Made):
        return [item["file"] for item in message.documents if item["file"]]
    return [message.file] if isinstance(message, Opened) else []


def _remove(files: Sequence[str]) -> None:
    for file in files:
        Path(file).unlink(missing_ok=True)


def _unavailable(why: str) -> HttpError:
    return HttpError(
        503,
        f"The request could not be prepared: {why}. Send it again.",
        headers={"Retry-After": "1"},
    )


def _raised(refused: Refused) -> HttpError | WorkflowError:
    problems = [Problem(**item) for item in refused.problems]
    if refused.source:
        return WorkflowError(problems, refused.source)
    return HttpError(refused.status, refused.detail, problems=problems)
