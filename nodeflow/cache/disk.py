"""DiskStore: what nodes have made, kept for the next process and shared with others."""

from __future__ import annotations

import atexit
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from nodeflow.cache import evictor, memo, names, pins, rows
from nodeflow.cache.commits import Commits
from nodeflow.cache.entry import Entry, StoredOutput
from nodeflow.cache.files import ValueFiles
from nodeflow.cache.index import Index
from nodeflow.cache.writer import Done, Note, Put, Writer
from nodeflow.errors import StoreError

T = TypeVar("T")

TIDY_SECONDS = 86_400.0


def _ignore(error: Exception | None) -> None:
    """What is pinned, or not, then only changes what is evicted first."""


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
        self._names = names.Names()
        self._hits = self._misses = self._dropped = 0
        self._commits = Commits(self._index, self._files, budget)
        self._writer = Writer(self._commits.commit)
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
            self._commits.was_read(key)
        return entry

    def head(self, key: str) -> Mapping[str, JsonValue] | None:
        """The `meta` of an entry, without reading its files; None as for `get`."""
        return self._sound(key, rows.read_meta)

    def look(self, key: str, type: str, most: int) -> StoredOutput | None:
        """The first output of a socket type, for somebody who looks but does not compute: it counts
        as no use, and outputs of more than `most` bytes are left alone. None also as for `get`.
        """
        return self._sound(key, lambda found: rows.read_first(found, self._files, type, most))

    def put(self, key: str, make: Callable[[], Entry], done: Done) -> None:
        """Store what `make` returns; both are called by the writer's thread.

        Args:
            done: Called once the entry is safe, or with what went wrong: a StoreError if it could
                not be written, or what `make` raised. Calls come in the order of the puts.
        """
        self._writer.put(Put(key, make, done))

    def flush(self) -> None:
        """Wait until all that was put, pinned or noted is committed and its `done` was called."""
        self._writer.flush()

    def close(self) -> None:
        """Commit what waits and let go of the files; further puts are refused."""
        atexit.unregister(self.close)
        self._writer.close()
        with suppress(StoreError):  # only housekeeping, which can wait
            self._commits.note_use()
            self._tidy_if_due()
        self._index.close()

    def pin(self, owner: str, keys: Iterable[str], done: Done = _ignore) -> None:
        """Keep these, here already or not, from eviction by any process until `owner` unpins.

        In force with the next commit. An owner `job:...` outlives the process; what others have
        pinned is let go after a week.
        """
        listed = tuple(keys)
        self._writer.put(Note(lambda connection: pins.pin(connection, owner, listed), done))

    def pin_only(self, owner: str, keys: Iterable[str], done: Done = _ignore) -> None:
        """Keep these, and let go of all else that `owner` has pinned; as `pin`."""
        listed = tuple(keys)
        self._writer.put(Note(lambda connection: pins.pin_only(connection, owner, listed), done))

    def unpin(self, owners: Iterable[str], done: Done = _ignore) -> None:
        """Let go of all that these have pinned, with the next commit."""
        listed = tuple(owners)
        self._writer.put(Note(lambda connection: pins.unpin(connection, listed), done))

    def remember(self, kind: str, items: Mapping[str, JsonValue]) -> None:
        """Keep small facts for later processes; the oldest are forgotten some day."""
        if items:
            self._index.write(lambda connection: memo.remember(connection, kind, items))

    def remember_soon(self, kind: str, items: Mapping[str, JsonValue], done: Done) -> None:
        """As `remember`, with the next commit."""
        self._writer.put(Note(lambda connection: memo.remember(connection, kind, items), done))

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
            "evicted": self._commits.evicted,
        }

    def clear(self) -> None:
        """Forget all entries, pinned ones too, and all memos. Promises of names are kept."""

        def forget(connection: sqlite3.Connection) -> list[str]:
            connection.execute("DELETE FROM memos")
            return evictor.delete(
                connection, [key for (key,) in connection.execute("SELECT key FROM entries")]
            )

        self.flush()
        self._commits.remove_unused(self._index.write(forget))
        self._tidy()
        self._index.compact()

    def prune(self, budget: int | None = None) -> None:
        """Evict down to `budget` (that of the store if None) and delete what nobody refers to."""
        limit = self.budget if budget is None else budget
        self.flush()
        self._commits.note_use()
        self._commits.evict(limit)
        self._tidy()
        self._index.compact()

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
            self._commits.remove_unused(
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
            pins.prune(connection)
            memo.prune(connection)
            names.prune(connection)
            connection.execute("UPDATE state SET value = ? WHERE name = 'tidied'", (now,))

        self._index.write(tidy)
        self._files.remove_unfinished()
        self._index.remove_superseded()
