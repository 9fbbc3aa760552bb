"""Index: the SQLite database of a disk store, opened safely, read and written by several processes.

The files are named `index-1.sqlite`, `index-2.sqlite` ...; the highest number counts. An index
that is corrupt or of another version is left aside by going on to the next number. Renaming it
would be unsafe: a process that still has it open deletes the log *by name* when it ends.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nodeflow.errors import StoreError

T = TypeVar("T")

VERSION = 1
BUSY_SECONDS = 60.0
SUPERSEDED_SECONDS = 7 * 86_400.0

_SCHEMA = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    outputs BLOB NOT NULL,
    data BLOB NOT NULL,
    meta BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    seconds REAL NOT NULL,
    size INTEGER NOT NULL,
    priority REAL NOT NULL,
    owner TEXT NOT NULL
);
CREATE INDEX entries_by_priority ON entries (priority, size);
CREATE TABLE files (
    file TEXT NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (file, key)
) WITHOUT ROWID;
CREATE INDEX files_by_key ON files (key);
CREATE TABLE pins (
    key TEXT NOT NULL, owner TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (key, owner)
) WITHOUT ROWID;
CREATE INDEX pins_by_owner ON pins (owner);
CREATE TABLE memos (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE promises (
    token TEXT NOT NULL, item INTEGER NOT NULL, path TEXT NOT NULL UNIQUE, at REAL NOT NULL,
    PRIMARY KEY (token, item)
) WITHOUT ROWID;
CREATE TABLE state (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES ('clock', 0), ('tidied', 0);
"""

_NAME = re.compile(r"index-(\d+)\.sqlite")
_UNUSABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_CONTENDED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class _ForeignError(Exception):
    """The index at hand is of another version."""


class _UnusableError(StoreError):
    """The index at `path` is corrupt or gone."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"The index '{path}' of the disk store is corrupt or gone.")
        self.path = path


class Index:
    """The current index in a folder.

    Attributes:
        path: The database's file.
    """

    def __init__(self, folder: Path) -> None:
        """Open it, or begin one.

        Raises:
            StoreError: SQLite cannot open it.
            OSError: The folder cannot be listed.
        """
        self._folder = folder
        self._write_lock = threading.RLock()
        self._read_lock = threading.RLock()
        self._closed = False
        self.path, self._writer, self._reader = self._open_current()

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """What `query` finds; it never waits for somebody who writes.

        Raises:
            StoreError: SQLite cannot read.
        """
        try:
            return self._query(query)
        except _UnusableError as error:
            self._start_anew(error.path)
        return self._query(query)

    def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` in one transaction that no other process can come between.

        `change` is called a second time if the index turns out to be corrupt.

        Raises:
            StoreError: SQLite cannot write; nothing has changed then.
        """
        with self._write_lock:
            try:
                return self._transact(change)
            except _UnusableError as error:
                self._start_anew(error.path)
            return self._transact(change)

    def compact(self) -> None:
        """Give the room of deleted rows back to the file system."""
        with self._write_lock:
            self._check_open()
            try:
                self._writer.execute("VACUUM")
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise self._sentence("compacted", error) from error

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._closed = True
            self._reader.close()
            self._writer.close()

    def remove_superseded(self) -> None:
        """Delete indexes that were left aside and that no process has touched for a week."""
        before = time.time() - SUPERSEDED_SECONDS
        for path in self._folder.glob("index-*.sqlite"):
            family = list(self._folder.glob(f"{path.name}*"))
            if path != self.path and all(part.stat().st_mtime < before for part in family):
                for part in family:
                    part.unlink(missing_ok=True)

    def _query(self, query: Callable[[sqlite3.Connection], T]) -> T:
        with self._read_lock:
            self._check_open()
            try:
                return query(self._reader)
            except sqlite3.Error as error:
                raise self._explained("read", error) from error

    def _transact(self, change: Callable[[sqlite3.Connection], T]) -> T:
        self._check_open()
        self._follow()
        try:
            return _transact(self._writer, change)
        except sqlite3.Error as error:
            raise self._explained("written", error) from error

    def _follow(self) -> None:
        """Go on to the index that another process has begun because this one was broken."""
        number = _number(self.path)
        assert number is not None
        successor = self._file(number + 1)
        if not successor.exists():
            return
        try:
            opened = _open(successor)
        except (_ForeignError, sqlite3.Error):
            return  # another version's; ours stays good for as long as this process lives
        self._adopt(successor, *opened)

    def _start_anew(self, broken: Path) -> None:
        with self._write_lock:
            if self.path != broken:
                return  # another thread has done it
            number = _number(broken)
            assert number is not None
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._adopt(*self._open_current(least=number + 1))
            except OSError as error:
                raise StoreError(
                    f"The disk store in '{self._folder}' is gone and cannot be made again: {error}."
                ) from error

    def _adopt(self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        with self._read_lock:
            self._reader.close()
            self._writer.close()
            self.path, self._writer, self._reader = path, writer, reader

    def _open_current(self, least: int = 1) -> tuple[Path, sqlite3.Connection, sqlite3.Connection]:
        numbers = [number for path in self._folder.iterdir() if (number := _number(path))]
        for number in itertools.count(max([least, *numbers])):
            path = self._file(number)
            try:
                return path, *_open(path)
            except _ForeignError:
                continue
            except sqlite3.Error as error:
                if not _is_unusable(error):
                    raise self._sentence("opened", error) from error
        raise AssertionError("numbers do not end")

    def _file(self, number: int) -> Path:
        return self._folder / f"index-{number}.sqlite"

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"The disk store in '{self._folder}' is closed.")

    def _explained(self, verb: str, error: sqlite3.Error) -> StoreError:
        if _is_unusable(error) or not self.path.exists():
            return _UnusableError(self.path)
        return self._sentence(verb, error)

    def _sentence(self, verb: str, error: sqlite3.Error) -> StoreError:
        return StoreError(
            f"The index of the disk store in '{self._folder}' cannot be {verb} ({error}). "
            "Check that the disk has room and the folder can be written, "
            "or set NODEFLOW_CACHE to another folder."
        )


def _number(path: Path) -> int | None:
    match = _NAME.fullmatch(path.name)
    return int(match.group(1)) if match else None


def _is_unusable(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _UNUSABLE


def _open(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """A connection that writes and one that reads, on an index of this version.

    Raises:
        _ForeignError: It is of another version.
        sqlite3.Error: It is corrupt, or cannot be used.
    """
    writer = _connect(path)
    try:
        _patiently(lambda: _prepare(writer))
        reader = _connect(path)
        reader.execute("PRAGMA query_only = ON")
    except BaseException:
        writer.close()
        raise
    return writer, reader


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit, so that only `Index.write` begins transactions; its locks allow other threads.
    return sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _patiently(action: Callable[[], None]) -> None:
    """Retry while another process has the database: the change to WAL does not wait by itself."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code not in _CONTENDED or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    _transact(connection, _create)


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables if there are none yet."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version == 0 and not tables:
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    elif version != VERSION or not tables:
        raise _ForeignError


def _transact(connection: sqlite3.Connection, change: Callable[[sqlite3.Connection], T]) -> T:
    if connection.in_transaction:  # Ctrl-C came between the lines below
        connection.execute("ROLLBACK")
    try:
        connection.execute("BEGIN IMMEDIATE")
        result = change(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk makes SQLite roll back by itself
            connection.execute("ROLLBACK")
        raise
    return result
