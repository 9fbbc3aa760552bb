"""Journal: the door to all that is kept. What it has promised survives a crash and a power cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from nodeflow.errors import StoreError
from nodeflow.events import Event
from nodeflow.job_events import JobFinished, JobStatus
from nodeflow.journal import operations, queries, removal
from nodeflow.journal.batch import Batch, read_heads
from nodeflow.journal.database import Database
from nodeflow.journal.documents import DocumentFiles, is_large
from nodeflow.journal.records import (
    Delivery,
    Document,
    JobRecord,
    Kept,
    NewJob,
    NodeRecord,
    Once,
    ResultFile,
    Submitted,
    Version,
)
from nodeflow.journal.transactions import Transactions
from nodeflow.journal.writer import Task, Writer

T = TypeVar("T")


class Journal:
    """Jobs, what became of their nodes, and every event.

    What changes something returns at once; the future is set after the commit, and cannot be
    cancelled. What only reads blocks for as long as that takes. Both may be called from any thread.

    Attributes:
        committed: Called with the events of each transaction after its commit, in the order of
            their numbers, on a thread of the journal; the futures are set after it returns.
        timed: Called there with the seconds that each commit took.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open the journal in a folder, or begin one. Only one process may have it open.

        Raises:
            StoreError: It is damaged, of a newer version, or cannot be written.
        """
        self.committed: Callable[[Sequence[Kept]], None] = _nobody
        self.timed: Callable[[float], None] = lambda seconds: None
        self._database = Database(folder)
        try:
            with self._database.explained("opened"):
                heads = read_heads(self._database.writer)
                in_files = queries.documents_in_files(self._database.writer)
            self._files = DocumentFiles(folder)
            self._files.tidy(in_files)
        except BaseException:
            self._database.close()
            raise
        transactions = Transactions(
            self._database,
            self._files,
            heads,
            clock,
            lambda kept: self.committed(kept),
            lambda seconds: self.timed(seconds),
        )
        self._writer = Writer(transactions.run)
        # Large documents are written down here, so that no commit waits for them.
        self._drafter = ThreadPoolExecutor(1, "nodeflow-documents")

    def submit(self, jobs: Sequence[NewJob], once: Once | None = None) -> Future[Submitted]:
        """Put jobs into the queue behind all others of their priority.

        With a key that an earlier request had, the future gives that request's jobs; it fails with
        `KeyReusedError` if that was another request, and with `StoreError` if a document comes
        without its text and the journal does not have it.
        """
        large = [job.document for job in jobs if is_large(job.document)]
        if not large:
            return self._do(partial(operations.submit, jobs=jobs, once=once, drafts={}))
        future: Future[Submitted] = _running()
        task = partial(self._submit_drafts, jobs, once, large, future)
        try:
            self._drafter.submit(task)
        except RuntimeError:
            future.set_exception(StoreError("The journal is closed, so nothing was written."))
        return future

    def append(self, events: Sequence[Event | Mapping[str, Any]]) -> Future[None]:
        """Keep events, and what they mean for jobs and nodes.

        Events of a run bear `run` or, as JSON objects, `job`. What comes after the last event of a
        job, or of a job that is not in the journal, is not kept.
        """
        return self._do(partial(operations.append, events=events))

    def finish(
        self,
        event: JobFinished,
        nodes: Mapping[str, Sequence[str]] | None = None,
        results: Sequence[ResultFile] = (),
    ) -> Future[None]:
        """End a job, unless it is over already; its webhook is due from now on.

        Args:
            nodes: Outcome, reason and maybe the key of each node whose end no event told.
            results: What the job made.
        """
        return self._do(partial(operations.finish, event=event, nodes=nodes or {}, results=results))

    def remove(self, jobs: Sequence[str]) -> Future[None]:
        """Take jobs that are over out of the history, with all that only they refer to.

        The future fails with `UnfinishedError` if one is not over; then none is removed.
        """
        return self._do(partial(removal.remove, ids=jobs))

    def remove_result(self, digest: str, paths: Sequence[str]) -> Future[bool]:
        """Forget files of this content that were deleted; whether none is left."""
        return self._do(partial(removal.remove_result, digest=digest, paths=paths))

    def expire(self, *, days: float, size: int) -> Future[list[str]]:
        """Take jobs out that ended more than `days` ago, and the oldest while the journal holds
        more than `size` bytes; the future gives their ids.
        """
        removed: list[str] = []
        future: Future[list[str]] = _running()

        def ended(part: Future[list[str]]) -> None:
            if error := part.exception():
                future.set_exception(error)
            elif ids := part.result():
                removed.extend(ids)
                go_on()
            else:
                future.set_result(removed)

        def go_on() -> None:
            # In several transactions, so that others come in between.
            self._do(partial(removal.expire, days=days, size=size)).add_done_callback(ended)

        go_on()
        return future

    def job(self, id: str) -> JobRecord | None:
        return self._database.read(partial(queries.job, id=id))

    def jobs(
        self,
        *,
        status: Sequence[JobStatus] = (),
        batch: str = "",
        path: str = "",
        before: int | None = None,
        limit: int = 100,
    ) -> list[JobRecord]:
        """Jobs with one of these states, of this batch, of this saved workflow, and with a number
        below `before`; the newest first.
        """
        return self._database.read(
            partial(queries.jobs, status=status, batch=batch, path=path, before=before, limit=limit)
        )

    def unfinished(self) -> list[JobRecord]:
        """Jobs that run, then those that wait, in the order in which their turn comes."""
        return self._database.read(queries.unfinished)

    def counts(self) -> dict[str, int]:
        """How many jobs have each status that occurs."""
        return self._database.read(queries.counts)

    def nodes(self, job: str) -> dict[str, NodeRecord]:
        """What is known of the nodes of a job, by id; empty if there is no such job."""
        return self._database.read(partial(queries.nodes, job=job))

    def document(self, digest: str) -> Document | None:
        """What a job ran, with its text or the path of a file."""
        return self._database.read(partial(queries.document, digest=digest, files=self._files))

    def events_after(self, seq: int, limit: int = 1000, job: str = "") -> list[Kept]:
        """The next events with a higher number, of one job if it is named."""
        return self._database.read(partial(queries.events_after, seq=seq, limit=limit, job=job))

    def bounds(self) -> tuple[int, int]:
        """Number of the oldest event that is kept, and of the last one there ever was."""
        return self._database.read(queries.bounds)

    def paused(self) -> bool:
        """Whether the queue rests."""
        return self._database.read(queries.paused)

    def result(self, digest: str) -> ResultFile | None:
        """The file with this content that was made last."""
        return self._database.read(partial(queries.result, digest=digest))

    def copies(self, digest: str) -> list[ResultFile]:
        """All files with this content, the newest first."""
        return self._database.read(partial(queries.copies, digest=digest))

    def results(self, before: int | None = None, limit: int = 100) -> list[tuple[int, ResultFile]]:
        """Pictures with their numbers, which count up; those below `before`, the newest first.

        Of the same content only the newest counts.
        """
        return self._database.read(partial(queries.results, before=before, limit=limit))

    def pictures_of(self, path: str, limit: int) -> list[ResultFile]:
        """Pictures that jobs of a saved workflow made, the newest first."""
        return self._database.read(partial(queries.pictures_of, path=path, limit=limit))

    def pictured(self) -> set[str]:
        """The saved workflows whose jobs made pictures."""
        return self._database.read(queries.pictured)

    def add_version(self, path: str, etag: str, text: str) -> Future[int]:
        """Keep a version of a saved workflow; the future gives its number.

        The same `etag` as that of the newest is not kept again.
        """
        return self._do(partial(operations.add_version, path=path, etag=etag, text=text))

    def versions(self, path: str) -> list[Version]:
        """The versions of a saved workflow, the newest first."""
        return self._database.read(partial(queries.versions, path=path))

    def version(self, path: str, number: int) -> str | None:
        """The text of a version."""
        return self._database.read(partial(queries.version, path=path, number=number))

    def deliveries(self, now: float) -> list[Delivery]:
        """Webhooks that are due, the oldest first."""
        return self._database.read(partial(queries.deliveries, now=now))

    def delivered(
        self, id: int, *, ok: bool, next_try: float | None, note: str = ""
    ) -> Future[None]:
        """An attempt has ended; the delivery is due again at `next_try`, or never."""
        return self._do(partial(operations.delivered, id=id, ok=ok, next_try=next_try, note=note))

    def close(self) -> None:
        """Do what waits, and close the files."""
        self._drafter.shutdown()
        self._writer.close()
        self._database.close()

    def _do(self, operation: Callable[[Batch], T]) -> Future[T]:
        future: Future[T] = _running()
        self._writer.put(Task(operation, future))
        return future

    def _submit_drafts(
        self,
        jobs: Sequence[NewJob],
        once: Once | None,
        large: Sequence[Document],
        future: Future[Submitted],
    ) -> None:
        try:
            drafts = self._files.drafts(large)
        except Exception as error:  # noqa: BLE001  (whoever submitted is told)
            future.set_exception(error)
            return
        # What was not needed, since the request is an old one or was refused.
        future.add_done_callback(lambda _: self._files.discard(drafts))
        operation = partial(operations.submit, jobs=jobs, once=once, drafts=drafts)
        self._writer.put(Task(operation, future))


def _running() -> Future[Any]:
    """A future that cannot be cancelled: who stops waiting does not undo what was promised."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def _nobody(kept: Sequence[Kept]) -> None:
    """Where events go while nobody asks for them."""
