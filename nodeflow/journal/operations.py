"""Operations: everything that is done to the journal, each inside a transaction.

An operation may raise a `NodeflowError` as long as it has changed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nodeflow.errors import NodeflowError
from nodeflow.events import Event
from nodeflow.job_events import JobFinished, JobQueued
from nodeflow.journal.batch import Batch
from nodeflow.journal.projections import keep
from nodeflow.journal.records import Document, JobRecord, NewJob, Once, ResultFile, Submitted
from nodeflow.journal.texts import storable

VERSIONS_KEPT = 100
"""So many versions of one saved workflow are kept, the newest."""


def submit(
    batch: Batch, jobs: Sequence[NewJob], once: Once | None, drafts: Mapping[str, Path]
) -> Submitted:
    """Put jobs into the queue, unless an earlier request with the same key has done so.

    Args:
        drafts: Files with the large documents, by digest.

    Raises:
        KeyReusedError: The key came with another request.
        NodeflowError: There is a job with the same id.
        StoreError: A document comes without its text, and the journal does not have it.
    """
    earlier = batch.earlier(once) if once is not None else []
    if earlier:
        return Submitted(earlier, new=False)
    ids = {job.id for job in jobs}
    if len(ids) < len(jobs) or any(map(batch.knows, ids)):
        raise NodeflowError("A new job has the id of another one. Give each an id of its own.")
    nodes = {}
    # Those without a text come first: they may be refused as long as nothing has changed.
    for document in sorted((job.document for job in jobs), key=_has_content):
        nodes[document.digest] = batch.add_document(document, drafts.get(document.digest))
    records = [_submit(batch, job, nodes[job.document.digest]) for job in jobs]
    if once is not None:
        batch.add_once(once, records)
    return Submitted(records, new=True)


def _has_content(document: Document) -> bool:
    return bool(document.text or document.file)


def _submit(batch: Batch, job: NewJob, nodes: int) -> JobRecord:
    number, position = batch.next_place()
    record = JobRecord(
        number=number,
        id=job.id,
        name=job.name,
        path=job.path,
        status="queued",
        priority=job.priority,
        position=position,
        batch=job.batch,
        parent=job.parent,
        inputs=job.inputs,
        only=job.only,
        webhook=job.webhook,
        submitted=batch.time,
        document=job.document.digest,
        nodes=nodes,
    )
    batch.add(record)
    batch.keep(JobQueued(job.id, job.name, job.priority, position, job.batch).as_json())
    return record


def append(batch: Batch, events: Sequence[Event | Mapping[str, Any]]) -> None:
    for event in events:
        keep(batch, event)


def finish(
    batch: Batch,
    event: JobFinished,
    nodes: Mapping[str, Sequence[str]],
    results: Sequence[ResultFile],
) -> None:
    """End a job; one that is over already stays as it is."""
    if batch.job(event.job) is not None:
        keep(batch, event, nodes, results)


def add_version(batch: Batch, path: str, etag: str, text: str) -> int:
    """Keep a version of a saved workflow, unless the newest is the same; its number."""
    path = storable(path)
    newest = batch.connection.execute(
        "SELECT number, etag FROM versions WHERE path = ? ORDER BY number DESC LIMIT 1", (path,)
    ).fetchone()
    number: int = newest[0] if newest else 0
    if newest and newest[1] == etag:
        return number
    number += 1
    batch.connection.execute(
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?)",
        (path, number, etag, batch.time, text.encode("utf-8", "surrogatepass")),
    )
    batch.connection.execute(
        "DELETE FROM versions WHERE path = ? AND number <= ?", (path, number - VERSIONS_KEPT)
    )
    return number


def delivered(batch: Batch, id: int, ok: bool, next_try: float | None, note: str) -> None:
    """An attempt to deliver a webhook has ended; without `next_try` it was the last."""
    batch.write()  # the delivery itself may be pending
    batch.connection.execute(
        "UPDATE deliveries SET attempts = attempts + 1, ok = ?, due = ?, note = ? WHERE id = ?",
        (ok, None if ok else next_try, storable(note), id),
    )
