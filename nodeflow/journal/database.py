"""Database: the journal's SQLite file, opened safely; one connection writes, others read."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from nodeflow.errors import StoreError
from nodeflow.journal.schema import VERSION, NewerError, migrate

T = TypeVar("T")

BUSY_SECONDS = 30.0

CHECKPOINT_PAGES = 4000
"""The log is copied into the database at this length: 16 MB, some 3,000 small jobs."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Database:
    """The file `journal.db` of a folder.

    Attributes:
        path: The file.
        writer: The connection that writes; for one thread.
    """

    def __init__(self, folder: Path) -> None:
        """Open it, begin it, or bring it to today's version.

        Raises:
            StoreError: It is damaged or cannot be used; nothing was changed then.
        """
        self.path = folder / "journal.db"
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder '{folder}' of the journal cannot be made: {error}. "
                "Set NODEFLOW_DATA to a folder that can be written."
            ) from error
        with self.explained("opened"):
            self.writer = self._connect()
            try:
                _prepare(self.writer)
            except BaseException:
                self.writer.close()
                raise

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """What `query` finds, from any thread; it does not wait for what is being written.

        Raises:
            StoreError: It cannot be read.
        """
        with self.explained("read"):
            connection = self._lend()
            try:
                return query(connection)
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Close all connections; queries that are under way end first."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        self.writer.close()

    @contextmanager
    def explained(self, verb: str) -> Iterator[None]:
        """Make a `StoreError` that says what to do of every error of SQLite."""
        try:
            yield
        except NewerError as error:
            raise StoreError(
                f"The journal '{self.path}' was written by a newer nodeflow (version "
                f"{error.version} of its tables; this one knows up to {VERSION}). "
                "Install the newer nodeflow again, or set NODEFLOW_DATA to another folder."
            ) from error
        except sqlite3.Error as error:
            raise self._sentence(verb, error) from error

    def _sentence(self, verb: str, error: sqlite3.Error) -> StoreError:
        # Python itself says OperationalError for a text that is not UTF-8, which has no code.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        if code in _DAMAGED:
            return StoreError(
                f"The journal '{self.path}' is damaged ({error}). Move it away, together with "
                f"'{self.path.name}-wal' and '{self.path.name}-shm' if they are there, and start "
                "again: a new one is begun. Saved workflows and outputs are not in it."
            )
        return StoreError(
            f"The journal '{self.path}' cannot be {verb} ({error}). "
            "Check that the disk has room and that the folder can be written."
        )

    def _connect(self) -> sqlite3.Connection:
        # Autocommit, so that only the writer begins transactions.
        return sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )

    def _lend(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreError(f"The journal '{self.path}' is closed.")
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # heeded by an empty database only
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection)
