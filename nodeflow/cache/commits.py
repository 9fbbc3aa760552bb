"""Commits: puts and notes become rows of the index, each batch in one transaction."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

from nodeflow.cache import evictor, rows
from nodeflow.cache.files import ValueFiles
from nodeflow.cache.index import Index
from nodeflow.cache.rows import Row
from nodeflow.cache.writer import Note, Put
from nodeflow.errors import StoreError

PREPARE_SECONDS = 0.1
"""After this long a commit goes ahead with what is written down so far."""


class Commits:
    """Stores what the writer gives it, and evicts what is too much.

    Attributes:
        evicted: How many entries had to go.
    """

    def __init__(self, index: Index, files: ValueFiles, budget: int) -> None:
        self.evicted = 0
        self._index = index
        self._files = files
        self._budget = budget
        self._owner = secrets.token_hex(8)
        self._used: dict[str, None] = {}
        self._room = 0  # bytes that may be put before the budget is looked at again

    def commit(self, batch: Sequence[Put | Note]) -> list[Exception | None]:
        """Store a first part of `batch` in one transaction; see `nodeflow.cache.writer.Commit`."""
        outcomes: list[Exception | None] = []
        ready: dict[str, Row] = {}
        notes: list[Note] = []
        deadline = time.monotonic() + PREPARE_SECONDS
        size = 0
        for item in batch:
            if isinstance(item, Note):
                notes.append(item)
                outcomes.append(None)
                continue
            made = self._prepare(item)
            if isinstance(made, Row):
                if made.key in ready:
                    rows.discard(ready[made.key], self._files)
                ready[made.key] = made
                size += made.size
            outcomes.append(made if isinstance(made, Exception) else None)
            if size > self._budget // 16 or time.monotonic() > deadline:
                break
        try:
            if ready or notes:
                self._store(list(ready.values()), size, notes)
        except StoreError as error:
            for row in ready.values():
                rows.discard(row, self._files)
            return [outcome or error for outcome in outcomes]
        return outcomes

    def was_read(self, key: str) -> None:
        """An entry was used; the next commit writes that down, for the order of eviction."""
        self._used[key] = None

    def note_use(self) -> None:
        """Write down at once what was read since the last commit."""
        used, self._used = self._used, {}
        if used:
            self._index.write(lambda connection: evictor.refresh(connection, used))

    def evict(self, limit: int) -> None:
        """Evict down to so many bytes."""
        self._account(self._index.write(lambda found: evictor.evict(found, limit, spare="")))

    def remove_unused(self, files: Collection[str]) -> None:
        """Delete those of `files` that no entry refers to."""
        if files:
            self._index.write(lambda found: evictor.remove_unused(found, self._files, files))

    def _prepare(self, put: Put) -> Row | Exception:
        try:
            row = rows.make_row(put.key, put.make(), self._files)
        except Exception as error:  # noqa: BLE001  (handed to `done`: a codec may raise anything)
            return error
        if row.size <= self._budget:
            return row
        rows.discard(row, self._files)
        return StoreError(
            f"A value of {row.size} bytes does not fit into the disk store's budget of "
            f"{self._budget} bytes; raise NODEFLOW_DISK to keep it for the next run."
        )

    def _store(self, ready: Sequence[Row], size: int, notes: Sequence[Note]) -> None:
        """Make room for `ready`, of `size` bytes, and commit it and `notes`, in one transaction."""
        if any(row.large for row in ready):
            self._files.sync(draft for row in ready for draft, _ in row.large)
        crowded = size > self._room
        used, self._used = self._used, {}

        def change(connection: sqlite3.Connection) -> tuple[int, list[str], int]:
            for note in notes:
                note.change(connection)
            if used:
                evictor.refresh(connection, used)
            if not ready:
                return 0, [], self._room
            count, released, room = 0, evictor.release_files(connection, [r.key for r in ready]), 0
            if crowded:
                # The newcomers come in last, as in the paper: they never make room for each other.
                room = self._budget - size - evictor.used_bytes(connection)
                if room < 0:
                    limit = self._budget - self._budget // 16 - size
                    count, more = evictor.evict(connection, limit, spare=self._owner)
                    released += more
                    room = self._budget - size - evictor.used_bytes(connection)
            level = evictor.clock(connection)
            connection.executemany(rows.INSERT, [row.values(level, self._owner) for row in ready])
            self._publish(connection, ready)
            return count, released, room

        count, released, room = self._index.write(change)
        # Other processes put too, so the budget is looked at again before the room is used up.
        self._room = min(room, self._budget // 16) if crowded else self._room - size
        self._account((count, released))

    def _publish(self, connection: sqlite3.Connection, ready: Sequence[Row]) -> None:
        for row in ready:
            for draft, payload in row.large:
                if not self._files.publish(draft):  # evicted since it was looked for
                    again = self._files.draft(payload)
                    self._files.sync([again])
                    self._files.publish(again)
                connection.execute(
                    "INSERT OR REPLACE INTO files (file, key, size) VALUES (?, ?, ?)",
                    (draft.file, row.key, draft.size),
                )

    def _account(self, evicted: tuple[int, list[str]]) -> None:
        self.evicted += evicted[0]
        with suppress(StoreError):  # what is committed is; orphans are deleted another day
            self.remove_unused(evicted[1])
