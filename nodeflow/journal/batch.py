"""Batch: one transaction as it comes together, and what the writer knows without asking."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeflow.errors import StoreError
from nodeflow.job_events import FINISHED
from nodeflow.journal.documents import DocumentFiles
from nodeflow.journal.pending import Pending
from nodeflow.journal.records import Document, JobRecord, Kept, KeyReusedError, Once
from nodeflow.journal.rows import SELECT_JOBS, document_row, read_job
from nodeflow.journal.texts import encode


@dataclass
class Heads:
    """What the writer, who alone changes anything, need not look up.

    Attributes:
        jobs: Those that are not over, by id.
        seq: The last number of an event.
        number: The last number of a job.
        position: The largest of a job.
    """

    jobs: dict[str, JobRecord]
    seq: int
    number: int
    position: float


def read_heads(connection: sqlite3.Connection) -> Heads:
    """The heads of what is in the database."""
    found = connection.execute(f"{SELECT_JOBS} WHERE status IN ('queued', 'running')")
    jobs = {job.id: job for job in map(read_job, found)}
    last = dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    position = max((job.position for job in jobs.values()), default=0.0)
    return Heads(jobs, last.get("events", 0), last.get("jobs", 0), position)


class Batch:
    """What the operations of one transaction do; nothing is written before `write`.

    Attributes:
        connection: In the transaction; `write` comes before it is asked about what may be pending.
        time: When the transaction began.
        pending: Rows that are not written yet.
        kept: The events, in order.
        unneeded: Digests of documents whose rows have gone.
    """

    def __init__(
        self, connection: sqlite3.Connection, files: DocumentFiles, heads: Heads, time: float
    ) -> None:
        self.connection = connection
        self.files = files
        self.time = time
        self.pending = Pending()
        self.kept: list[Kept] = []
        self.unneeded: set[str] = set()
        self._heads = heads
        self._seq, self._number, self._position = heads.seq, heads.number, heads.position
        self._jobs: dict[str, JobRecord] = {}
        self._once: dict[str, tuple[str, list[str]]] = {}
        self._gone: set[str] = set()

    def write(self) -> None:
        """Write what is pending."""
        pending, self.pending = self.pending, Pending()
        pending.write(self.connection, self.files)

    def settle(self) -> None:
        """The transaction is committed: what it did holds from now on."""
        for job in self._jobs.values():
            if job.status in FINISHED:
                self._heads.jobs.pop(job.id, None)
            else:
                self._heads.jobs[job.id] = job
        self._heads.seq, self._heads.number = self._seq, self._number
        # A queue that has emptied starts anew, as it does after a restart.
        self._heads.position = self._position if self._heads.jobs else 0.0
        self.files.remove(self.unneeded)

    def job(self, id: str) -> JobRecord | None:
        """A job that is not over, as it stands here."""
        job = self._jobs.get(id) or self._heads.jobs.get(id)
        return None if job is None or job.status in FINISHED else job

    def knows(self, id: str) -> bool:
        """Whether a job with this id is not over, or was changed here; a look at the rows of all
        others is left to the database, which refuses a second one.
        """
        return id in self._jobs or id in self._heads.jobs

    def next_place(self) -> tuple[int, float]:
        """Number and position of a new job."""
        self._number += 1
        self._position += 1
        return self._number, self._position

    def add(self, job: JobRecord) -> None:
        """A job that has no row yet."""
        self._jobs[job.id] = self.pending.new[job.number] = job

    def change(self, job: JobRecord) -> None:
        self._jobs[job.id] = job
        self._position = max(self._position, job.position)
        self.pending.put(job)

    def forget(self, id: str) -> None:
        """The row of a job that was over has gone."""
        self._gone.add(id)

    def keep(self, body: Mapping[str, Any]) -> None:
        """Keep an event, a JSON object with `event` and perhaps `job`, under the next number."""
        self._seq += 1
        time = round(self.time, 4)
        head = {"seq": self._seq, "time": time}
        text = encode({**head, **body, **head})  # the head comes first, and prevails
        kept = Kept(self._seq, time, body["event"], body.get("job", ""), text)
        self.kept.append(kept)
        self.pending.events.append(kept)

    def add_document(self, document: Document, draft: Path | None) -> int:
        """See that a document is there; how many nodes it has.

        Args:
            draft: A file with it, if it is large.

        Raises:
            StoreError: It comes without a text, and the journal does not have it.
        """
        digest = document.digest
        if draft is not None:
            size = (draft if draft.exists() else self.files.path(digest)).stat().st_size
            self.pending.drafts[digest] = draft
            self.unneeded.discard(digest)
            self.pending.documents[digest] = document_row(digest, document.nodes, size, None)
        elif not document.text:
            return self._nodes_of(digest)
        elif digest not in self.pending.documents:
            text = document.text.encode("utf-8", "surrogatepass")
            self.pending.documents[digest] = document_row(digest, document.nodes, len(text), text)
        return document.nodes

    def add_once(self, once: Once, jobs: list[JobRecord]) -> None:
        """Remember which jobs a request with this key made."""
        self._once[once.key] = once.fingerprint, [job.id for job in jobs]
        self.pending.once += [(once.key, job.number, once.fingerprint) for job in jobs]

    def earlier(self, once: Once) -> list[JobRecord]:
        """The jobs that an earlier request with this key made, if they are in the history.

        Raises:
            KeyReusedError: That was another request.
        """
        if once.key in self._once:
            fingerprint, ids = self._once[once.key]
            jobs = [self._jobs[id] for id in ids]
        else:
            found = self.connection.execute(
                "SELECT job, fingerprint FROM once WHERE key = ? ORDER BY job", (once.key,)
            ).fetchall()
            fingerprint = found[0][1] if found else ""
            jobs = [self._as_it_stands(number) for number, _ in found]
        jobs = [job for job in jobs if job.id not in self._gone]
        if jobs and fingerprint != once.fingerprint:
            raise KeyReusedError(once.key)
        return jobs

    def _as_it_stands(self, number: int) -> JobRecord:
        (row,) = self.connection.execute(f"{SELECT_JOBS} WHERE jobs.number = ?", (number,))
        job = read_job(row)
        return self._jobs.get(job.id) or self._heads.jobs.get(job.id) or job

    def _nodes_of(self, digest: str) -> int:
        if digest in self.pending.documents:
            return int(str(self.pending.documents[digest][1]))
        found = self.connection.execute("SELECT nodes FROM documents WHERE digest = ?", (digest,))
        row: tuple[int] | None = found.fetchone()
        if row is None:
            raise StoreError(
                f"The journal does not have the document '{digest}' any more. Hand its text in."
            )
        return row[0]
