"""Schema: the tables of the journal, and the way to them from every older version.

`PRAGMA user_version` says which version a database has. A change of the schema is one more function
at the end of `MIGRATIONS`; `tests/journal/versions/` holds a dump of each version there ever was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

# `number` and `seq` are AUTOINCREMENT so that a number never comes back after its row has gone.
# What belongs to a job bears its `number`; events bear its id, since they may outlive it.
_VERSION_1 = """
CREATE TABLE documents (
    digest TEXT PRIMARY KEY,
    nodes INTEGER NOT NULL,
    size INTEGER NOT NULL,
    text BLOB
);
CREATE INDEX documents_in_files ON documents (size) WHERE text IS NULL;
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    status TEXT NOT NULL,
    priority INTEGER NOT NULL,
    position REAL NOT NULL,
    batch TEXT NOT NULL,
    parent TEXT NOT NULL,
    inputs TEXT NOT NULL,
    "only" TEXT NOT NULL,
    webhook TEXT NOT NULL,
    submitted REAL NOT NULL,
    document TEXT NOT NULL REFERENCES documents (digest),
    started REAL,
    finished REAL,
    attempts INTEGER NOT NULL,
    seconds REAL,
    outputs TEXT NOT NULL,
    files TEXT NOT NULL,
    counts TEXT NOT NULL,
    problem TEXT NOT NULL
);
CREATE INDEX jobs_by_status ON jobs (status);
CREATE INDEX jobs_by_document ON jobs (document);
CREATE INDEX jobs_by_batch ON jobs (batch) WHERE batch != '';
CREATE INDEX jobs_by_end ON jobs (finished) WHERE finished IS NOT NULL;
CREATE TABLE once (
    key TEXT NOT NULL,
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (key, job)
) WITHOUT ROWID;
CREATE INDEX once_by_job ON once (job);
CREATE TABLE nodes (
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    node TEXT NOT NULL,
    outcome TEXT NOT NULL,
    seconds REAL NOT NULL,
    memory INTEGER NOT NULL,
    why TEXT NOT NULL,
    key TEXT NOT NULL,
    files TEXT NOT NULL,
    sentence TEXT NOT NULL,
    PRIMARY KEY (job, node)
) WITHOUT ROWID;
CREATE TABLE results (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    path TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER,
    height INTEGER
);
CREATE INDEX results_by_digest ON results (digest);
CREATE INDEX results_by_job ON results (job);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
    due REAL,
    attempts INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX deliveries_by_due ON deliveries (due) WHERE due IS NOT NULL;
CREATE INDEX deliveries_by_job ON deliveries (job);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    event TEXT NOT NULL,
    job TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX events_by_job ON events (job);
CREATE INDEX events_without_job ON events (time) WHERE job = '' OR event = 'job_removed';
CREATE TABLE versions (
    path TEXT NOT NULL,
    number INTEGER NOT NULL,
    etag TEXT NOT NULL,
    time REAL NOT NULL,
    text BLOB NOT NULL,
    PRIMARY KEY (path, number)
);
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES ('paused', 0)
"""


_VERSION_2 = """
ALTER TABLE jobs ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN trace TEXT NOT NULL DEFAULT ''
"""


class NewerError(Exception):
    """A database is of a version that this program does not know.

    Attributes:
        version: The database's.
    """

    def __init__(self, version: int) -> None:
        super().__init__(str(version))
        self.version = version


def _create(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_1.split(";\n"):
        connection.execute(statement)


def _add_totals_and_traces(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_2.split(";\n"):
        connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create, _add_totals_and_traces)
"""Each brings a database from the version that is its index to the next."""

VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to today's version in one transaction; an empty one is filled.

    Raises:
        NewerError: It is of a later version.
        sqlite3.Error: It cannot be written, or is no journal.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise NewerError(version)
        for step in MIGRATIONS[version:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
