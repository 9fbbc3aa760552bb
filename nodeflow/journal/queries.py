"""Queries: what is read from the journal; each takes a connection that reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from nodeflow.job_events import JobStatus
from nodeflow.journal.documents import DocumentFiles
from nodeflow.journal.records import (
    Delivery,
    Document,
    JobRecord,
    Kept,
    NodeRecord,
    ResultFile,
    Version,
)
from nodeflow.journal.rows import SELECT_JOBS, read_job
from nodeflow.journal.texts import decode, storable

_IN_QUEUE_ORDER = (
    " WHERE status IN ('queued', 'running')"
    " ORDER BY status = 'running' DESC, priority DESC, position, number"
)
_NODES = (
    "SELECT node, outcome, nodes.seconds, memory, why, key, nodes.files, sentence, trace"
    " FROM jobs JOIN nodes ON nodes.job = jobs.number WHERE jobs.id = ? ORDER BY node"
)
_COPIES = (
    "SELECT digest, results.path, results.name, media_type, size, width, height, jobs.id"
    " FROM results JOIN jobs ON jobs.number = results.job"
    " WHERE digest = ? ORDER BY results.id DESC"
)
_RESULT = f"{_COPIES} LIMIT 1"
_RESULTS = (
    "SELECT results.id, digest, results.path, results.name, media_type, size, width, height,"
    " jobs.id FROM results JOIN jobs ON jobs.number = results.job"
    " WHERE media_type LIKE 'image/%' AND results.id < ? AND NOT EXISTS (SELECT 1 FROM results"
    " AS newer WHERE newer.digest = results.digest AND newer.id > results.id)"
    " ORDER BY results.id DESC LIMIT ?"
)
_PICTURES_OF = (
    "SELECT digest, results.path, results.name, media_type, size, width, height, jobs.id"
    " FROM results JOIN jobs ON jobs.number = results.job"
    " WHERE jobs.path = ? AND media_type LIKE 'image/%' ORDER BY results.id DESC LIMIT ?"
)
_PICTURED = (
    "SELECT DISTINCT path FROM jobs WHERE path != '' AND EXISTS (SELECT 1 FROM results"
    " WHERE results.job = jobs.number AND media_type LIKE 'image/%')"
)
_DELIVERIES = (
    "SELECT deliveries.id, jobs.id, jobs.webhook, deliveries.attempts"
    " FROM deliveries JOIN jobs ON jobs.number = deliveries.job WHERE due <= ? ORDER BY due"
)
_BOUNDS = (
    "SELECT (SELECT min(seq) FROM events),"
    " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)"
)


def job(connection: sqlite3.Connection, id: str) -> JobRecord | None:
    row = connection.execute(f"{SELECT_JOBS} WHERE jobs.id = ?", (id,)).fetchone()
    return None if row is None else read_job(row)


def jobs(
    connection: sqlite3.Connection,
    status: Sequence[JobStatus],
    batch: str,
    path: str,
    before: int | None,
    limit: int,
) -> list[JobRecord]:
    conditions: list[str] = []
    values: list[Any] = []
    if status:
        conditions.append(f"status IN ({', '.join('?' * len(status))})")
        values += status
    if batch:
        conditions.append("batch = ? AND batch != ''")  # as the index says it
        values.append(batch)
    if path:
        conditions.append("path = ?")
        values.append(storable(path))
    if before is not None:
        conditions.append("number < ?")
        values.append(before)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    # The numbers alone first: they are in the indexes, and whole jobs may be many and large.
    newest = f"SELECT number FROM jobs{where} ORDER BY number DESC LIMIT ?"
    found = connection.execute(
        f"{SELECT_JOBS} WHERE number IN ({newest}) ORDER BY number DESC", (*values, limit)
    )
    return [read_job(row) for row in found]


def unfinished(connection: sqlite3.Connection) -> list[JobRecord]:
    return [read_job(row) for row in connection.execute(SELECT_JOBS + _IN_QUEUE_ORDER)]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall())


def nodes(connection: sqlite3.Connection, job: str) -> dict[str, NodeRecord]:
    return {
        node: NodeRecord(outcome, seconds, memory, why, key, decode(files), *failure)
        for node, outcome, seconds, memory, why, key, files, *failure in connection.execute(
            _NODES, (job,)
        )
    }


def document(connection: sqlite3.Connection, digest: str, files: DocumentFiles) -> Document | None:
    row = connection.execute(
        "SELECT text, nodes FROM documents WHERE digest = ?", (digest,)
    ).fetchone()
    if row is None:
        return None
    text, count = row
    if text is None:
        return Document(digest, file=str(files.path(digest)), nodes=count)
    return Document(digest, text.decode("utf-8", "surrogatepass"), nodes=count)


def events_after(connection: sqlite3.Connection, seq: int, limit: int, job: str) -> list[Kept]:
    of_job = " AND job = ?" if job else ""
    found = connection.execute(
        f"SELECT seq, time, event, job, text FROM events WHERE seq > ?{of_job}"
        " ORDER BY seq LIMIT ?",
        (seq, *((job,) if job else ()), limit),
    )
    return [Kept(*row) for row in found]


def bounds(connection: sqlite3.Connection) -> tuple[int, int]:
    oldest, last = connection.execute(_BOUNDS).fetchone()
    return (last + 1 if oldest is None else oldest), last


def paused(connection: sqlite3.Connection) -> bool:
    (value,) = connection.execute("SELECT value FROM state WHERE name = 'paused'").fetchone()
    return bool(value)


def result(connection: sqlite3.Connection, digest: str) -> ResultFile | None:
    row = connection.execute(_RESULT, (digest,)).fetchone()
    return None if row is None else ResultFile(*row)


def copies(connection: sqlite3.Connection, digest: str) -> list[ResultFile]:
    return [ResultFile(*row) for row in connection.execute(_COPIES, (storable(digest),))]


def results(
    connection: sqlite3.Connection, before: int | None, limit: int
) -> list[tuple[int, ResultFile]]:
    highest = 2**63 - 1 if before is None else before
    found = connection.execute(_RESULTS, (highest, limit))
    return [(number, ResultFile(*row)) for number, *row in found]


def pictures_of(connection: sqlite3.Connection, path: str, limit: int) -> list[ResultFile]:
    return [ResultFile(*row) for row in connection.execute(_PICTURES_OF, (storable(path), limit))]


def pictured(connection: sqlite3.Connection) -> set[str]:
    return {path for (path,) in connection.execute(_PICTURED)}


def versions(connection: sqlite3.Connection, path: str) -> list[Version]:
    found = connection.execute(
        "SELECT number, etag, time FROM versions WHERE path = ? ORDER BY number DESC", (path,)
    )
    return [Version(*row) for row in found]


def version(connection: sqlite3.Connection, path: str, number: int) -> str | None:
    row: tuple[bytes] | None = connection.execute(
        "SELECT text FROM versions WHERE path = ? AND number = ?", (path, number)
    ).fetchone()
    return None if row is None else row[0].decode("utf-8", "surrogatepass")


def deliveries(connection: sqlite3.Connection, now: float) -> list[Delivery]:
    return [Delivery(*row) for row in connection.execute(_DELIVERIES, (now,))]


def documents_in_files(connection: sqlite3.Connection) -> set[str]:
    """Digests of the documents that are too large for a row."""
    found = connection.execute("SELECT digest FROM documents WHERE text IS NULL")
    return {digest for (digest,) in found}
