"""DiskStore: what nodes have made, kept for the next process and shared with others."""

from __future__ import annotations

import atexit
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from nodeflow.cache import evictor, memo, names, rows
from nodeflow.cache.entry import Entry
from nodeflow.cache.files import ValueFiles
from nodeflow.cache.index import Index
from nodeflow.cache.rows import Row
from nodeflow.cache.writer import Done, Put, Writer
from nodeflow.errors import StoreError

T = TypeVar("T")

PREPARE_SECONDS = 0.1
"""After this long a commit goes ahead with what is written down so far."""

PIN_SECONDS = 7 * 86_400.0
"""Pins older than this belong to a process that was killed."""

TIDY_SECONDS = 86_400.0


class DiskStore:
    """Entries by key in a folder, under a byte budget, safe for several threads and processes.

    Values below 16 kB are inside an SQLite index, larger ones in files named by their content. An
    entry is there whole or not at all, whenever a process is killed.

    Attributes:
        folder: Where everything is.
        budget: Bytes that values may take.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        """Open the store, and make its folder if needed.

        Raises:
            StoreError: The folder cannot be made, read or written.
        """
        self.folder = folder = folder.absolute()
        self.budget = budget
        try:
            self._files = ValueFiles(folder)
            self._index = Index(folder)
            self._files.check_writable()
        except OSError as error:
            raise StoreError(
                f"The folder '{folder}' cannot hold the disk store: {error.strerror or error}. "
                "Set NODEFLOW_CACHE to a folder that can be written, or run with --no-cache."
            ) from error
        self._owner = secrets.token_hex(8)
        self._names = names.Names()
        self._used: dict[str, None] = {}
        self._hits = self._misses = self._dropped = self._evicted = 0
        self._room = 0  # bytes that may be put before the budget is looked at again
        self._writer = Writer(self._commit)
        atexit.register(self.close)

    def present(self, keys: Collection[str]) -> set[str]:
        """Those of `keys` that have an entry; whether it is sound shows when it is read."""
        listed = json.dumps(list(keys))
        # One row with everything: see `memo.recall`.
        text = self._index.read(
            lambda connection: connection.execute(
                """
                SELECT json_group_array(key) FROM entries
                WHERE key IN (SELECT value FROM json_each(?))
                """,
                (listed,),
            ).fetchone()[0]
        )
        return set(json.loads(text))

    def get(self, key: str) -> Entry | None:
        """The entry of `key`; None if there is none, or it was damaged and is dropped now."""
        entry = self._sound(key, lambda found: rows.read_row(found, self._files))
        if entry is None:
            self._misses += 1
        else:
            self._hits += 1
            self._used[key] = None
        return entry

    def head(self, key: str) -> Mapping[str, JsonValue] | None:
        """The `meta` of an entry, without reading its files; None as for `get`."""
        return self._sound(key, rows.read_meta)

    def put(self, key: str, make: Callable[[], Entry], done: Done) -> None:
        """Store what `make` returns; both are called by the writer's thread.

        Args:
            done: Called once the entry is safe, or with what went wrong: a StoreError if it could
                not be written, or what `make` raised. Calls come in the order of the puts.
        """
        self._writer.put(key, make, done)

    def flush(self) -> None:
        """Wait until every earlier put is committed and its `done` was called."""
        self._writer.flush()

    def close(self) -> None:
        """Commit what waits and let go of the files; further puts are refused."""
        atexit.unregister(self.close)
        self._writer.close()
        with suppress(StoreError):  # only housekeeping, which can wait
            self._note_use()
            self._tidy_if_due()
        self._index.close()

    def pin(self, owner: str, keys: Iterable[str]) -> None:
        """Keep these, here already or not, from eviction by any process until `owner` unpins."""
        now = time.time()
        pins = [(key, owner, now) for key in keys]
        self._index.write(
            lambda connection: connection.executemany(
                "INSERT OR REPLACE INTO pins (key, owner, at) VALUES (?, ?, ?)", pins
            )
        )

    def unpin(self, owner: str) -> None:
        """Let go of all that `owner` has pinned."""
        self._index.write(
            lambda connection: connection.execute("DELETE FROM pins WHERE owner = ?", (owner,))
        )

    def remember(self, kind: str, items: Mapping[str, JsonValue]) -> None:
        """Keep small facts for later processes; the oldest are forgotten some day."""
        if items:
            self._index.write(lambda connection: memo.remember(connection, kind, items))

    def recall(self, kind: str, keys: Collection[str]) -> dict[str, JsonValue]:
        """Those of `keys` that are remembered under `kind`."""
        return self._index.read(lambda connection: memo.recall(connection, kind, keys))

    def reserve(self, token: str, item: int, folder: Path, stem: str, suffix: str) -> Path:
        """A free name `stem_0001` with `suffix` in `folder`, promised before it is written.

        The same token and item get the same name again until `settle`, in a later process too.
        """
        return self._index.write(
            lambda connection: self._names.reserve(connection, token, item, (folder, stem, suffix))
        )

    def settle(self, token: str) -> None:
        """All that was promised to `token` is written: forget the promises."""
        self._index.write(lambda connection: names.settle(connection, token))

    def info(self) -> dict[str, JsonValue]:
        """Counts and bytes, for people; hits, misses and evictions are those of this process."""

        def count(connection: sqlite3.Connection) -> dict[str, JsonValue]:
            counts: dict[str, JsonValue] = {}
            for table in ("entries", "pins", "memos", "promises"):
                (counts[table],) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            (counts["files"],) = connection.execute(
                "SELECT count(DISTINCT file) FROM files"
            ).fetchone()
            return counts | {"bytes": evictor.used_bytes(connection)}

        return self._index.read(count) | {
            "folder": str(self.folder),
            "index": str(self._index.path),
            "budget": self.budget,
            "waiting": self._writer.waiting,
            "hits": self._hits,
            "misses": self._misses,
            "dropped": self._dropped,
            "evicted": self._evicted,
        }

    def clear(self) -> None:
        """Forget all entries, pinned ones too, and all memos. Promises of names are kept."""

        def forget(connection: sqlite3.Connection) -> list[str]:
            connection.execute("DELETE FROM memos")
            return evictor.delete(
                connection, [key for (key,) in connection.execute("SELECT key FROM entries")]
            )

        self.flush()
        self._remove_unused(self._index.write(forget))
        self._tidy()
        self._index.compact()

    def prune(self, budget: int | None = None) -> None:
        """Evict down to `budget` (that of the store if None) and delete what nobody refers to."""
        limit = self.budget if budget is None else budget
        self.flush()
        self._note_use()
        self._account(self._index.write(lambda found: evictor.evict(found, limit, spare="")))
        self._tidy()
        self._index.compact()

    def _commit(self, puts: Sequence[Put]) -> list[Exception | None]:
        """Store a first part of `puts` in one transaction; see `nodeflow.cache.writer.Commit`."""
        outcomes: list[Exception | None] = []
        ready: dict[str, Row] = {}
        deadline = time.monotonic() + PREPARE_SECONDS
        size = 0
        for put in puts:
            made = self._prepare(put)
            if isinstance(made, Row):
                if put.key in ready:
                    rows.discard(ready[put.key], self._files)
                ready[put.key] = made
                size += made.size
            outcomes.append(made if isinstance(made, Exception) else None)
            if size > self.budget // 16 or time.monotonic() > deadline:
                break
        try:
            if ready:
                self._store(list(ready.values()), size)
        except StoreError as error:
            for row in ready.values():
                rows.discard(row, self._files)
            return [outcome or error for outcome in outcomes]
        return outcomes

    def _prepare(self, put: Put) -> Row | Exception:
        try:
            row = rows.make_row(put.key, put.make(), self._files)
        except Exception as error:  # noqa: BLE001  (handed to `done`: a codec may raise anything)
            return error
        if row.size <= self.budget:
            return row
        rows.discard(row, self._files)
        return StoreError(
            f"A value of {row.size} bytes does not fit into the disk store's budget of "
            f"{self.budget} bytes; raise NODEFLOW_DISK to keep it for the next run."
        )

    def _store(self, ready: Sequence[Row], size: int) -> None:
        """Make room for `ready`, of `size` bytes, and commit it, in one transaction."""
        self._files.sync(draft for row in ready for draft, _ in row.large)
        crowded = size > self._room
        used, self._used = self._used, {}

        def insert(connection: sqlite3.Connection) -> tuple[int, list[str], int]:
            if used:
                evictor.refresh(connection, used)
            count, released, room = 0, evictor.release_files(connection, [r.key for r in ready]), 0
            if crowded:
                # The newcomers come in last, as in the paper: they never make room for each other.
                room = self.budget - size - evictor.used_bytes(connection)
                if room < 0:
                    limit = self.budget - self.budget // 16 - size
                    count, more = evictor.evict(connection, limit, spare=self._owner)
                    released += more
                    room = self.budget - size - evictor.used_bytes(connection)
            level = evictor.clock(connection)
            connection.executemany(rows.INSERT, [row.values(level, self._owner) for row in ready])
            self._publish(connection, ready)
            return count, released, room

        count, released, room = self._index.write(insert)
        # Other processes put too, so the budget is looked at again before the room is used up.
        self._room = min(room, self.budget // 16) if crowded else self._room - size
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
        self._evicted += evicted[0]
        with suppress(StoreError):  # what is committed is; orphans are deleted another day
            self._remove_unused(evicted[1])

    def _remove_unused(self, files: Collection[str]) -> None:
        if files:
            self._index.write(lambda found: evictor.remove_unused(found, self._files, files))

    def _note_use(self) -> None:
        """Write down what was read since the last commit, for the order of eviction."""
        used, self._used = self._used, {}
        if used:
            self._index.write(lambda connection: evictor.refresh(connection, used))

    def _sound(self, key: str, read: Callable[[rows.Found], T]) -> T | None:
        """What `read` makes of the row of `key`; a damaged entry is dropped and gives None."""
        found = self._index.read(
            lambda connection: connection.execute(rows.SELECT, (key,)).fetchone()
        )
        if found is None:
            return None
        try:
            return read(found)
        except rows.DamagedError as error:
            damaged = error.file
        self._dropped += 1
        with suppress(StoreError):  # a full disk: it stays a miss whenever it is read
            self._remove_unused(
                self._index.write(
                    lambda found: evictor.drop_damaged(found, self._files, key, damaged)
                )
            )
        return None

    def _tidy_if_due(self) -> None:
        def is_due(connection: sqlite3.Connection) -> bool:
            (last,) = connection.execute("SELECT value FROM state WHERE name = 'tidied'").fetchone()
            return bool(last < time.time() - TIDY_SECONDS)

        if self._index.read(is_due):
            self._tidy()

    def _tidy(self) -> None:
        """Delete what killed processes and earlier versions have left behind."""
        old = self._files.orphans()

        def tidy(connection: sqlite3.Connection) -> None:
            now = time.time()
            evictor.remove_unused(connection, self._files, old)
            connection.execute("DELETE FROM pins WHERE at < ?", (now - PIN_SECONDS,))
            memo.prune(connection)
            names.prune(connection)
            connection.execute("UPDATE state SET value = ? WHERE name = 'tidied'", (now,))

        self._index.write(tidy)
        self._files.remove_unfinished()
        self._index.remove_superseded()
