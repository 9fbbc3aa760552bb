"""Pending: what a transaction will write, each row once, however often it changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nodeflow.journal.documents import DocumentFiles
from nodeflow.journal.records import JobRecord, Kept, NodeRecord, ResultFile
from nodeflow.journal.rows import (
    INSERT_DELIVERIES,
    INSERT_DOCUMENTS,
    INSERT_EVENTS,
    INSERT_JOBS,
    INSERT_ONCE,
    INSERT_RESULTS,
    SETTLE_NODES,
    UPDATE_JOBS,
    UPSERT_NODES,
    Row,
    change_row,
    event_row,
    job_row,
    node_row,
    result_row,
)
from nodeflow.journal.texts import storable

COMPUTED = ("ran", "memory", "disk")
"""Outcomes after which a node's value is there, so that a retry does not run it again."""

_FORGET_NODES = (
    f"DELETE FROM nodes WHERE job IN (SELECT value FROM json_each(?)) AND outcome NOT IN {COMPUTED}"
)
_END_NODES = (
    "UPDATE nodes SET outcome = 'cancelled' WHERE outcome = 'running'"
    " AND job IN (SELECT value FROM json_each(?))"
)


@dataclass
class Pending:
    """Rows that wait.

    Attributes:
        documents: By digest.
        drafts: Files of those that are large.
        new: Jobs that have no row yet, by number; like `changed`, those that have one.
        once: Idempotency-Keys.
        requeued: Jobs whose unfinished nodes are forgotten, before `nodes` are written.
        nodes: What events told, by job and node.
        settled: Rows of nodes whose end no event told.
        ended: Jobs none of whose nodes may be running any more.
        paused: Whether the queue rests, if that has changed.
    """

    documents: dict[str, Row] = field(default_factory=dict)
    drafts: dict[str, Path] = field(default_factory=dict)
    new: dict[int, JobRecord] = field(default_factory=dict)
    changed: dict[int, JobRecord] = field(default_factory=dict)
    once: list[Row] = field(default_factory=list)
    requeued: set[int] = field(default_factory=set)
    nodes: dict[int, dict[str, NodeRecord]] = field(default_factory=dict)
    settled: list[Row] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    events: list[Kept] = field(default_factory=list)
    paused: bool | None = None

    def put(self, job: JobRecord) -> None:
        """A job has changed."""
        (self.new if job.number in self.new else self.changed)[job.number] = job

    def requeue(self, job: int) -> None:
        """Forget the nodes of a job that did not get done."""
        self.requeued.add(job)
        known = self.nodes.get(job, {})
        self.nodes[job] = {
            node: record for node, record in known.items() if record.outcome in COMPUTED
        }

    def end(
        self,
        job: JobRecord,
        nodes: Mapping[str, Sequence[str]],
        results: Sequence[ResultFile],
        time: float,
    ) -> None:
        """What is known of a job at its end; `nodes` are those whose end no event told."""
        told = self.nodes.get(job.number, {})
        for node, (outcome, why, *key) in nodes.items():
            known = told.get(storable(node))
            if known is None or known.outcome == "running":
                # The statement leaves alone what an event told in an earlier transaction.
                end = NodeRecord(outcome, why=why, key="".join(key))  # type: ignore[arg-type]  # from the wire
                self.settled.append(node_row(job.number, node, end))
        self.ended.append(job.number)
        self.results += [result_row(job.number, file) for file in results]
        if job.webhook:
            self.deliveries.append((job.number, time, 0, 0, ""))

    def write(self, connection: sqlite3.Connection, files: DocumentFiles) -> None:
        """Write everything, in an order in which what is referred to is there."""
        if self.drafts:
            files.publish(self.drafts)
        INSERT_DOCUMENTS.run(connection, list(self.documents.values()))
        INSERT_JOBS.run(connection, [job_row(job) for job in self.new.values()])
        INSERT_ONCE.run(connection, self.once)
        UPDATE_JOBS.run(connection, [change_row(job) for job in self.changed.values()])
        self._write_nodes(connection)
        INSERT_RESULTS.run(connection, self.results)
        INSERT_DELIVERIES.run(connection, self.deliveries)
        INSERT_EVENTS.run(connection, [event_row(event) for event in self.events])
        if self.paused is not None:
            connection.execute("INSERT OR REPLACE INTO state VALUES ('paused', ?)", (self.paused,))

    def _write_nodes(self, connection: sqlite3.Connection) -> None:
        if self.requeued:
            connection.execute(_FORGET_NODES, (json.dumps(list(self.requeued)),))
        rows = [
            node_row(job, node, record)
            for job, nodes in self.nodes.items()
            for node, record in nodes.items()
        ]
        UPSERT_NODES.run(connection, rows)
        SETTLE_NODES.run(connection, self.settled)
        if self.ended:
            connection.execute(_END_NODES, (json.dumps(self.ended),))
