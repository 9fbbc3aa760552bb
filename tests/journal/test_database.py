from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nodeflow.errors import StoreError
from nodeflow.journal.journal import Journal
from tests.journal.conftest import OpenJournal
from tests.journal.journal_tools import run, submit

ADVICE = r"is damaged \(.*\)\. Move it away, together with 'journal\.db-wal'"


@pytest.mark.parametrize(
    "junk", [b"this is no database " * 500, b"SQLite format 3\0" + b"\7" * 9000]
)
def test_what_is_no_database_is_refused_and_stays(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "journal.db").write_bytes(junk)

    with pytest.raises(StoreError, match=ADVICE):
        Journal(tmp_path)
    assert (tmp_path / "journal.db").read_bytes() == junk


def test_a_truncated_journal_is_refused_and_stays(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    journal = open_journal()
    for i in range(300):
        submit(journal, f"j{i}")
    journal.close()
    file = tmp_path / "journal" / "journal.db"
    half = file.read_bytes()[: file.stat().st_size // 2]
    file.write_bytes(half)

    with pytest.raises(StoreError, match=ADVICE):
        Journal(tmp_path / "journal")
    assert file.read_bytes() == half


def test_a_journal_that_turns_out_damaged_says_so_at_each_call(
    open_journal: OpenJournal, tmp_path: Path
) -> None:
    journal = open_journal()
    run(journal, *(f"j{i}" for i in range(300)))
    journal.close()
    file = tmp_path / "journal" / "journal.db"
    connection = sqlite3.connect(file)
    query = "SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf'"
    try:
        pages = [page for (page,) in connection.execute(query)]
    except sqlite3.OperationalError:
        pytest.skip("this SQLite cannot tell which page holds what")
    finally:
        connection.close()
    data = bytearray(file.read_bytes())
    for page in pages:
        data[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    file.write_bytes(data)

    journal = open_journal()
    with pytest.raises(StoreError, match=ADVICE):
        journal.events_after(0)
    with pytest.raises(StoreError, match=ADVICE):
        submit(journal, "more")
    assert journal.job("j1") is not None


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("CREATE TABLE jobs (x)")
    connection.close()

    with pytest.raises(StoreError, match="cannot be opened"):
        Journal(tmp_path)


def test_a_journal_of_a_newer_version_is_refused(open_journal: OpenJournal, tmp_path: Path) -> None:
    open_journal().close()
    file = tmp_path / "journal" / "journal.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreError, match=r"newer nodeflow \(version 99 .*Install the newer"):
        Journal(tmp_path / "journal")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"cannot be made.*Set NODEFLOW_DATA"):
        Journal(tmp_path / "file" / "journal")


def test_a_closed_journal_says_so(journal: Journal) -> None:
    journal.close()

    for future in (journal.append([]), journal.expire(days=1, size=1), journal.remove([])):
        with pytest.raises(StoreError, match="The journal is closed"):
            future.result()
    with pytest.raises(StoreError, match="The journal is closed"):
        submit(journal, "a", text="x" * 100_000)
    with pytest.raises(StoreError, match="is closed"):
        journal.bounds()
    journal.close()


def test_what_was_handed_in_before_closing_is_kept(open_journal: OpenJournal) -> None:
    journal = open_journal()
    futures = [journal.append([{"event": "x", "i": i}]) for i in range(500)]

    journal = open_journal()

    assert all(future.done() for future in futures)
    assert journal.bounds() == (1, 500)


def test_every_commit_is_safe_against_a_loss_of_power(tmp_path: Path, journal: Journal) -> None:
    submit(journal, "a")

    pragma = journal._database.writer.execute
    assert pragma("PRAGMA synchronous").fetchone() == (2,)
    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
