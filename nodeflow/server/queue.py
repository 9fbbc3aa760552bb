"""Queue: what people ask for: submit, order, pause, cancel, wait, run again."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from nodeflow.errors import NodeflowError
from nodeflow.job_events import JobFinished, JobMoved, JobStatus, QueueChanged
from nodeflow.journal.records import Document, JobRecord, NewJob, Once, Submitted
from nodeflow.server.dispatcher import Dispatcher
from nodeflow.server.ledger import Ledger, ending_of
from nodeflow.server.line import Waiting
from nodeflow.server.problems import HttpError
from nodeflow.server.shelf_files import workflow_name
from nodeflow.server.submitting import Prepared
from nodeflow.server.worker_process import WorkerProcess

T = TypeVar("T")

FREE_SECONDS = 2.0
"""How long a request waits for workers to unload; one that runs a job does it later."""


class Queue:
    """The jobs that are not over. A job is told of only once the journal has it.

    Everything here happens on the event loop.
    """

    def __init__(self, ledger: Ledger, dispatcher: Dispatcher) -> None:
        self._ledger = ledger
        self._journal = ledger.journal
        self._dispatcher = dispatcher
        self._line = dispatcher.line
        self._hands = dispatcher.hands
        self._turn = asyncio.Lock()
        dispatcher.paused = self._journal.paused()

    @property
    def workers(self) -> Mapping[str, WorkerProcess]:
        """The worker processes, by name."""
        return {name: hand.worker for name, hand in self._hands.items()}

    @property
    def paused(self) -> bool:
        """Whether jobs wait though a worker is free."""
        return self._dispatcher.paused

    @property
    def deaths(self) -> int:
        """How many workers have died."""
        return self._dispatcher.deaths

    @property
    def running(self) -> list[str]:
        """Ids of the jobs that run now."""
        return [hand.running for hand in self._hands.values() if hand.running]

    def start(self) -> None:
        """Take up what an earlier server left: what it ran goes on where it was."""
        for record in self._journal.unfinished():
            job = Waiting.of(record)
            if record.status == "running":
                self._dispatcher.take_up(job, "the server was started again")
            else:
                self._line.add(job)
        self._dispatcher.fill()

    async def whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something to its end, though the client that asked for it may go away."""
        return await self._ledger.whole(work)

    async def submit(self, prepared: Prepared, once: Once | None = None) -> Submitted:
        """Queue jobs; they are safe when this returns.

        Args:
            once: Names the request, so that it makes one job however often it is sent.

        Raises:
            KeyReusedError: The key came before with another request.
            StoreError: The journal cannot be written.
        """
        body = prepared.body
        saved = body.path or body.origin
        batch = secrets.token_hex(8) if len(prepared.documents) > 1 else ""
        jobs = [
            NewJob(
                id=secrets.token_hex(8),
                name=prepared.name,
                document=document,
                path=workflow_name(saved) if saved else "",
                inputs=body.inputs,
                only=body.only,
                priority=body.priority,
                batch=batch,
                webhook=body.webhook or "",
                parent=body.job or "",
            )
            for document in prepared.documents
        ]
        return await self._submit(jobs, once)

    async def retry(self, job: str) -> Submitted:
        """Queue a job again that is over, as a new one; what it finished is not computed again.

        Raises:
            HttpError: 404, no such job; 409, it is not over.
        """
        record = self.record(job)
        if record.finished is None:
            raise HttpError(409, f"The job '{job}' is {record.status}; cancel it first.")
        new = NewJob(
            id=secrets.token_hex(8),
            name=record.name,
            document=self._document(record.document),
            path=record.path,
            inputs=record.inputs,
            only=record.only,
            priority=record.priority,
            batch="",
            webhook=record.webhook,
            parent=job,
        )
        return await self._submit([new], None)

    async def _submit(self, jobs: Sequence[NewJob], once: Once | None) -> Submitted:
        # A client that goes away must not leave jobs that are written and in no line.
        return await self._ledger.whole(self._line_up(jobs, once))

    async def _line_up(self, jobs: Sequence[NewJob], once: Once | None) -> Submitted:
        writing = asyncio.wrap_future(self._journal.submit(jobs, once))
        # Whether a key was seen before is known only once it is written.
        begun = self._dispatcher.begin_ahead(jobs[0]) if once is None and len(jobs) == 1 else None
        try:
            submitted = await writing
        except NodeflowError:
            if begun is not None and self._line.take(begun.id) is None:
                self._dispatcher.cancel(begun.id)
            raise
        if begun is not None:
            self._dispatcher.settle(begun, submitted.jobs[0])
        elif submitted.new:
            self._add(submitted.jobs)
        return submitted

    def _add(self, records: Iterable[JobRecord]) -> None:
        jobs = [Waiting.of(record) for record in records]
        for job in jobs:
            self._line.add(job)
        highest = max((job.priority for job in jobs), default=0)
        if any(job.priority < highest for hand in self._hands.values() for job in hand.ahead()):
            self._dispatcher.recall()
        self._dispatcher.fill()

    async def wait(self, job: str) -> JobFinished:
        """Until a job is over.

        Raises:
            HttpError: 404, there is no such job.
        """
        record = self.record(job)
        return ending_of(record) if record.finished is not None else await self._ledger.wait(job)

    async def cancel(self, job: str) -> None:
        """Take a job out of the queue, or stop it; one that is over stays as it is.

        Raises:
            HttpError: 404, there is no such job.
        """
        if self._line.take(job) is not None:
            await self._ledger.whole(self._ledger.finished(JobFinished(job, "cancelled")))
            return
        if not self._dispatcher.cancel(job):
            self.record(job)

    async def cancel_all(self, status: Sequence[JobStatus] = ("queued", "running")) -> int:
        """Cancel what waits, what runs, or both; how many those were."""
        jobs = [job.id for job in self._line.all()] if "queued" in status else []
        for hand in self._hands.values():
            jobs += [job.id for job in hand.ahead()] if "queued" in status else []
            jobs += [hand.running] if "running" in status and hand.running else []
        await asyncio.gather(*(self.cancel(job) for job in jobs))
        return len(jobs)

    async def move(
        self,
        job: str,
        *,
        priority: int | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> None:
        """Give a queued job another priority, or a place beside another job.

        Raises:
            HttpError: 404, no such job; 409, it waits no more.
        """
        await self._ledger.whole(self._move(job, priority, before, after))

    async def _move(
        self, job: str, priority: int | None, before: str | None, after: str | None
    ) -> None:
        async with self._turn, self._dispatcher.held():
            moved = self._line.find(job)
            if moved is None:
                status = self.record(job).status
                raise HttpError(409, f"The job '{job}' is {status}; only queued jobs can be moved.")
            level = moved.priority if priority is None else priority
            position = moved.position
            beside = before or after
            if beside is not None:
                neighbour = self._line.find(beside)
                if neighbour is None or neighbour is moved:
                    raise HttpError(409, f"Nothing can be put beside '{beside}': it is not queued.")
                level = neighbour.priority
                position = self._line.beside(neighbour, before=before is not None)
            self._line.move(job, level, position)
            await self._ledger.written([JobMoved(job, level, position)])

    async def pause(self) -> None:
        """Begin no job until `resume`; what runs goes on."""
        await self._ledger.whole(self._set_paused(True))

    async def resume(self) -> None:
        """Begin jobs again."""
        await self._ledger.whole(self._set_paused(False))

    async def _set_paused(self, paused: bool) -> None:
        # In turn, so that the journal and what is done agree whoever asks at the same moment.
        async with self._turn, self._dispatcher.held():
            self._dispatcher.paused = paused
            await self._ledger.written([QueueChanged(paused)])

    async def remove(self, job: str) -> None:
        """Take a job that is over out of the history.

        Raises:
            HttpError: 404, no such job; 409, it is not over.
        """
        record = self.record(job)
        if record.finished is None:
            raise HttpError(409, f"The job '{job}' is {record.status}; cancel it first.")
        await self._ledger.whole(self._remove(job))

    async def _remove(self, job: str) -> None:
        await asyncio.wrap_future(self._journal.remove([job]))
        self._dispatcher.forget([job])

    async def free(self) -> dict[str, int | None]:
        """Let workers unload their models and forget their values.

        Returns:
            By worker, the bytes that it holds now; None if it will do so when its job is over.
        """
        freeing = self._dispatcher.free()
        if freeing:
            await asyncio.wait(freeing.values(), timeout=FREE_SECONDS)
        return {name: done.result() if done.done() else None for name, done in freeing.items()}

    def _document(self, digest: str) -> Document:
        found = self._journal.document(digest)
        if found is None:
            raise HttpError(410, "The job's workflow is gone from the journal; submit it anew.")
        return found

    def record(self, job: str) -> JobRecord:
        """A job as the journal has it; may be called from any thread.

        Raises:
            HttpError: 404, there is no such job.
        """
        record = self._journal.job(job)
        if record is None:
            raise HttpError(
                404, f"There is no job '{job[:80]}'; '/api/jobs' lists those there are."
            )
        return record
