"""Ledger: writes down what happens to jobs, and tells those who wait for the end of one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from nodeflow.errors import NodeflowError
from nodeflow.events import Event
from nodeflow.job_events import JobFinished
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import JobRecord, ResultFile

logger = logging.getLogger(__name__)

T = TypeVar("T")

AGAIN_SECONDS = 5.0
"""After this long a write that failed (full disk) is tried again."""


class Ledger:
    """The journal as the queue uses it. Everything here happens on the event loop."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._waiters: dict[str, asyncio.Future[JobFinished]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def keep(self, events: Sequence[Event | Mapping[str, Any]]) -> None:
        """Write events in the background, in the order of the calls."""
        self.journal.append(events).add_done_callback(_complain)

    async def written(self, events: Sequence[Event]) -> None:
        """Write events; they are safe when this returns."""
        await asyncio.wrap_future(self.journal.append(events))

    def finish(
        self,
        event: JobFinished,
        nodes: Mapping[str, Sequence[str]] | None = None,
        results: Sequence[ResultFile] = (),
    ) -> None:
        """Write down in the background how a job ended, then tell who waits for it."""
        self.task(self.finished(event, nodes, results))

    async def finished(
        self,
        event: JobFinished,
        nodes: Mapping[str, Sequence[str]] | None = None,
        results: Sequence[ResultFile] = (),
    ) -> None:
        """As `finish`; it is safe when this returns, however often a full disk refuses it."""
        while True:
            try:
                await asyncio.wrap_future(self.journal.finish(event, nodes or {}, results))
                break
            except NodeflowError as error:
                logger.error("How job %s ended is not written: %s", event.job, error)
                await asyncio.sleep(AGAIN_SECONDS)
        waiter = self._waiters.pop(event.job, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(event)

    async def wait(self, job: str) -> JobFinished:
        """Until a job is over that is not yet."""
        loop = asyncio.get_running_loop()
        # Several may wait; one of them giving up must not cancel the others.
        return await asyncio.shield(self._waiters.setdefault(job, loop.create_future()))

    def close(self) -> None:
        """Stop waiting for anything."""
        for task in self._tasks:
            task.cancel()
        for waiter in self._waiters.values():
            waiter.cancel()

    async def whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for something that is done to its end, though who asked for it may go away."""
        return await asyncio.shield(self.task(work))

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do something to its end, whoever still waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def ending_of(record: JobRecord) -> JobFinished:
    """The last event of a job that is over, from its record.

    Raises:
        ValueError: It is not over.
    """
    if record.status == "queued" or record.status == "running":
        raise ValueError(f"the job '{record.id}' is {record.status}")
    return JobFinished(
        record.id,
        record.status,
        record.seconds or 0.0,
        record.outputs,
        record.files,
        record.counts,
        record.problem,
    )


def _complain(written: Future[None]) -> None:
    error = written.exception()
    if error is not None:
        logger.error("Events are not in the journal: %s", error)
