"""Rows: records as rows of the tables, written many at a time.

SQLite lets go of Python's lock (the GIL) for each statement, and getting it back from a busy thread
may take longer than the statement. So a statement here takes up to 64 rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from itertools import chain
from typing import Any

from nodeflow.journal.records import JobRecord, Kept, NodeRecord, ResultFile
from nodeflow.journal.texts import decode, encode, storable

_SIZES = (64, 8, 1)

Row = tuple[object, ...]


class Statement:
    """A statement whose middle is `VALUES (...), (...)`."""

    def __init__(self, head: str, width: int, tail: str = "") -> None:
        row = f"({', '.join('?' * width)})"
        # The statements stay in the connection's cache, since they are always the same three.
        self._texts = {size: f"{head}{', '.join([row] * size)}{tail}" for size in _SIZES}

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        at = 0
        for size in _SIZES:
            while len(rows) - at >= size:
                values = tuple(chain.from_iterable(rows[at : at + size]))
                connection.execute(self._texts[size], values)
                at += size


def _insert(table: str, columns: Sequence[str], tail: str = "", verb: str = "INSERT") -> Statement:
    names = ", ".join(f'"{name}"' for name in columns)
    return Statement(f"{verb} INTO {table} ({names}) VALUES ", len(columns), tail)


_RECORD = tuple(item.name for item in fields(JobRecord))
_JOB = tuple(name for name in _RECORD if name != "nodes")
_CHANGING = (
    *("status", "priority", "position", "started", "finished", "attempts"),
    *("seconds", "outputs", "files", "counts", "problem", "total"),
)
_NODE = ("job", "node", *(item.name for item in fields(NodeRecord)))
_RESULT = tuple(item.name for item in fields(ResultFile))

INSERT_DOCUMENTS = _insert(
    "documents", ("digest", "nodes", "size", "text"), verb="INSERT OR IGNORE"
)
INSERT_JOBS = _insert("jobs", _JOB)
INSERT_ONCE = _insert("once", ("key", "job", "fingerprint"))
INSERT_RESULTS = _insert("results", _RESULT)
INSERT_DELIVERIES = _insert("deliveries", ("job", "due", "attempts", "ok", "note"))
INSERT_EVENTS = _insert("events", ("seq", "time", "event", "job", "text"))

UPDATE_JOBS = Statement(
    "UPDATE jobs SET "
    + ", ".join(f"{name} = new.column{place}" for place, name in enumerate(_CHANGING, 2))
    + " FROM (VALUES ",
    1 + len(_CHANGING),
    ") AS new WHERE jobs.number = new.column1",
)

UPSERT_NODES = _insert(
    "nodes",
    _NODE,
    " ON CONFLICT (job, node) DO UPDATE SET outcome = excluded.outcome,"
    " seconds = excluded.seconds, memory = excluded.memory, key = excluded.key,"
    " files = excluded.files, why = iif(excluded.why = '', why, excluded.why),"
    " sentence = iif(excluded.sentence = '', sentence, excluded.sentence),"
    " trace = iif(excluded.trace = '', trace, excluded.trace)",
)
"""What is known of a node replaces what was, but for reasons that are not said again."""

SETTLE_NODES = _insert(
    "nodes",
    _NODE,
    " ON CONFLICT (job, node) DO UPDATE SET outcome = excluded.outcome,"
    " why = iif(excluded.why = '', why, excluded.why),"
    " key = iif(excluded.key = '', key, excluded.key) WHERE outcome = 'running'",
)
"""For nodes of which no event told the end."""

_COLUMNS = ", ".join("documents.nodes" if name == "nodes" else f'jobs."{name}"' for name in _RECORD)
SELECT_JOBS = f"SELECT {_COLUMNS} FROM jobs JOIN documents ON documents.digest = jobs.document"

_TEXTS = tuple(_RECORD.index(name) for name in ("inputs", "only", "outputs", "files", "counts"))


def document_row(digest: str, nodes: int, size: int, text: bytes | None) -> Row:
    """A document; without text it is in a file."""
    return digest, nodes, size, text


def job_row(job: JobRecord) -> Row:
    return (
        *(job.number, job.id, storable(job.name), storable(job.path)),
        *(job.status, job.priority, job.position, job.batch, job.parent),
        *(encode(job.inputs), encode(job.only), storable(job.webhook)),
        *(job.submitted, job.document, job.started, job.finished, job.attempts, job.seconds),
        *(encode(job.outputs), encode(job.files), encode(job.counts), storable(job.problem)),
        job.total,
    )


def change_row(job: JobRecord) -> Row:
    """What may change of a job, behind its number."""
    return (
        *(job.number, job.status, job.priority, job.position),
        *(job.started, job.finished, job.attempts, job.seconds),
        *(encode(job.outputs), encode(job.files), encode(job.counts), storable(job.problem)),
        job.total,
    )


def node_row(job: int, node: str, record: NodeRecord) -> Row:
    return (
        *(job, storable(node), record.outcome, record.seconds, record.memory),
        *(storable(record.why), storable(record.key)),
        *(encode(record.files), storable(record.sentence), storable(record.trace)),
    )


def event_row(event: Kept) -> Row:
    return event.seq, event.time, event.event, event.job, event.text


def result_row(job: int, file: ResultFile) -> Row:
    return (
        *(file.digest, storable(file.path), storable(file.name), file.media_type),
        *(file.size, file.width, file.height, job),
    )


def read_job(row: Sequence[Any]) -> JobRecord:
    """The job of a row of `SELECT_JOBS`."""
    values = list(row)
    for place in _TEXTS:
        values[place] = decode(values[place])
    return JobRecord(*values)
