from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nodeflow.journal import schema
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Document, Once
from nodeflow.journal.schema import MIGRATIONS, VERSION, migrate
from tests.journal.conftest import OpenJournal
from tests.journal.journal_tools import TEXT, finish, picture, submit
from tests.journal.write_version import VERSIONS

KNOWN = sorted(int(path.stem) for path in VERSIONS.glob("*.sql"))


def load(version: int, file: Path) -> None:
    file.parent.mkdir(parents=True)
    connection = sqlite3.connect(file)
    connection.executescript((VERSIONS / f"{version}.sql").read_text(encoding="ascii"))
    connection.close()


def shape(file: Path) -> list[tuple[str, str, str]]:
    """What the database declares, however it is written down."""
    connection = sqlite3.connect(file)
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
    ).fetchall()
    connection.close()
    return [(kind, name, " ".join(sql.split())) for kind, name, sql in rows]


def test_there_is_a_dump_of_every_version() -> None:
    assert list(range(1, VERSION + 1)) == KNOWN


@pytest.mark.parametrize("version", KNOWN)
def test_a_journal_of_any_version_is_brought_to_todays(
    open_journal: OpenJournal, tmp_path: Path, version: int
) -> None:
    file = tmp_path / "journal" / "journal.db"
    load(version, file)
    journal = open_journal()

    done, waits = journal.job("done"), journal.job("waits")
    assert done is not None
    assert waits is not None
    assert (done.status, done.attempts, done.nodes, done.seconds) == ("done", 1, 2, 1.5)
    assert (waits.inputs, list(waits.only), waits.priority) == ({"seed": 3}, ["n"], 7)
    assert [job.id for job in journal.unfinished()] == ["runs", "waits"]
    assert {name: node.outcome for name, node in journal.nodes("done").items()} == {
        "m": "skipped",
        "n": "ran",
    }
    assert journal.document("d1") == Document("d1", TEXT, nodes=2)
    assert journal.result("f1") == picture("done")
    assert [item.url for item in journal.deliveries(1e12)] == ["http://localhost/hook"]
    assert journal.version("a.json", 1) == "{}"
    assert journal.paused()
    # The next numbers, a repeated request and a removal show that the tables still fit together.
    _, last = journal.bounds()
    assert submit(journal, "x", once=Once("key", "same"))[0].id == "done"
    assert submit(journal, "new")[0].number == 5
    finish(journal, "new")
    journal.remove(["new", "done"]).result()
    assert journal.bounds()[1] == last + 4
    assert journal.document("d1") is not None
    journal.close()
    fresh = Journal(tmp_path / "fresh")
    fresh.close()
    assert shape(file) == shape(tmp_path / "fresh" / "journal.db")


def test_a_change_of_the_tables_is_a_new_version(tmp_path: Path) -> None:
    """If this fails, add a migration and run `python -m tests.journal.write_version`."""
    load(VERSION, tmp_path / "dump" / "journal.db")
    Journal(tmp_path / "fresh").close()

    dumped = shape(tmp_path / "dump" / "journal.db")
    assert dumped == shape(tmp_path / "fresh" / "journal.db")
    assert len(dumped) > 15


def test_each_migration_runs_once_and_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def second(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE jobs ADD COLUMN color TEXT NOT NULL DEFAULT 'blue'")

    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    connection.execute("INSERT INTO documents VALUES ('d1', 1, 1, x'00')")
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, second))
    monkeypatch.setattr(schema, "VERSION", VERSION + 1)
    migrate(connection)
    migrate(connection)

    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
    assert connection.execute("SELECT count(color) FROM jobs").fetchone() == (0,)
    assert connection.execute("SELECT digest FROM documents").fetchone() == ("d1",)
    connection.close()


def test_a_migration_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def second(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE results")
        connection.execute("DROP TABLE of_mistake")

    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    monkeypatch.setattr(schema, "MIGRATIONS", (*MIGRATIONS, second))
    monkeypatch.setattr(schema, "VERSION", VERSION + 1)
    with pytest.raises(sqlite3.OperationalError, match="of_mistake"):
        migrate(connection)

    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert connection.execute("SELECT count(*) FROM results").fetchone() == (0,)
    connection.close()
