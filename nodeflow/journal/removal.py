"""Removal: jobs that are over leave the history, by request or because they are over a budget."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from nodeflow.job_events import JobRemoved, ResultRemoved
from nodeflow.journal.batch import Batch
from nodeflow.journal.records import UnfinishedError

_DAY = 86_400.0

STEP = 50
"""So many jobs leave in one transaction, so that nobody waits long for the next."""

SPARE_PAGES = 2500
"""Empty pages that are kept for what comes next; the file system gets back those beyond."""

SHRINK_PAGES = 5000
"""So many are given back at once, so that nobody waits long; the next time more."""

Found = list[tuple[int, str]]


def remove(batch: Batch, ids: Sequence[str]) -> None:
    """Take jobs out of the history; those that are not in it are passed over.

    Raises:
        UnfinishedError: One is not over.
    """
    for id in ids:
        if job := batch.job(id):
            raise UnfinishedError(id, job.status)
    batch.write()
    found = batch.connection.execute(
        "SELECT number, id FROM jobs WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    )
    _remove(batch, found.fetchall())


def remove_result(batch: Batch, digest: str, paths: Sequence[str]) -> bool:
    """Forget files that were deleted; whether none with this content is left.

    Args:
        paths: As the rows have them; one that was written meanwhile stays.
    """
    batch.write()
    run = batch.connection.execute
    gone = run(
        "DELETE FROM results WHERE digest = ? AND path IN (SELECT value FROM json_each(?))",
        (digest, json.dumps(paths)),
    ).rowcount
    left = run("SELECT 1 FROM results WHERE digest = ? LIMIT 1", (digest,)).fetchone()
    if gone and left is None:
        batch.keep(ResultRemoved(digest).as_json())
    return left is None


def expire(batch: Batch, days: float, size: int) -> list[str]:
    """Take some jobs out that are too old or too many, the oldest first.

    Returns:
        Their ids; empty if the history is within its budget, or nothing can be taken out.
    """
    batch.write()
    before = batch.time - days * _DAY
    batch.connection.execute(
        "DELETE FROM events WHERE (job = '' OR event = 'job_removed') AND time < ?", (before,)
    )
    oldest = "SELECT number, id FROM jobs WHERE finished IS NOT NULL"
    by_age = f"{oldest} AND finished <= ? ORDER BY finished, number LIMIT ?"
    found: Found = batch.connection.execute(by_age, (before, STEP)).fetchall()
    if found:
        _remove(batch, found)
    elif (over := size_of(batch.connection) - size) > 0:
        by_end = f"{oldest} ORDER BY finished, number LIMIT ?"
        found = _until(batch, batch.connection.execute(by_end, (STEP,)).fetchall(), over)
    if not found:
        _shrink(batch.connection)
    return [id for _, id in found]


def _until(batch: Batch, found: Found, over: int) -> Found:
    """Remove some of `found`, until so many bytes are free or all have gone."""
    target = size_of(batch.connection) - over
    for at in range(0, len(found), 5):
        _remove(batch, found[at : at + 5])
        if size_of(batch.connection) <= target:
            return found[: at + 5]
    return found


def size_of(connection: sqlite3.Connection) -> int:
    """Bytes that the journal holds: pages in use, and documents in files."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    (files,) = connection.execute(
        "SELECT coalesce(sum(size), 0) FROM documents WHERE text IS NULL"
    ).fetchone()
    return int((pages - free) * page + files)


def _remove(batch: Batch, found: Found) -> None:
    if not found:
        return
    numbers = json.dumps([number for number, _ in found])
    ids = json.dumps([id for _, id in found])
    run = batch.connection.execute
    digests = run(
        "SELECT DISTINCT document FROM jobs WHERE number IN (SELECT value FROM json_each(?))",
        (numbers,),
    ).fetchall()
    run("DELETE FROM events WHERE job IN (SELECT value FROM json_each(?))", (ids,))
    run("DELETE FROM jobs WHERE number IN (SELECT value FROM json_each(?))", (numbers,))
    gone = run(
        "DELETE FROM documents WHERE digest IN (SELECT value FROM json_each(?))"
        " AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.document = documents.digest)"
        " RETURNING digest, text IS NULL",
        (json.dumps([digest for (digest,) in digests]),),
    ).fetchall()
    batch.unneeded |= {digest for digest, in_file in gone if in_file}
    for _, id in found:
        batch.forget(id)
        batch.keep(JobRemoved(id).as_json())
    # The events are written at once, so that the next deletion counts them as what is there.
    batch.write()


def _shrink(connection: sqlite3.Connection) -> None:
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    for _ in range(min(free - SPARE_PAGES, SHRINK_PAGES)):
        # Python makes one step of this statement, which gives one page back, whatever it says.
        connection.execute("PRAGMA incremental_vacuum(1)")
