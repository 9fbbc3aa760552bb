from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nodeflow.job_events import WorkerChanged
from nodeflow.journal.documents import LARGE
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import UnfinishedError
from nodeflow.journal.removal import SPARE_PAGES, STEP
from tests.journal.conftest import OpenJournal
from tests.journal.journal_tools import Clock, finish, finished, new_job, picture, run, submit

BIG = "x" * LARGE
EVERYTHING = 1 << 40


def rows(folder: Path, table: str) -> int:
    connection = sqlite3.connect(folder / "journal" / "journal.db")
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(count)


def test_a_removed_job_takes_all_that_is_its_own(journal: Journal, tmp_path: Path) -> None:
    submit(journal, "a", digest="only a", webhook="http://localhost/hook")
    submit(journal, "big", digest="big", text=BIG)
    journal.append([finished("a", "n")])
    finish(journal, "a", results=[picture("a")])
    finish(journal, "big")
    run(journal, "b")

    journal.remove(["a", "unknown", "big"]).result()

    assert [job.id for job in journal.jobs()] == ["b"]
    assert journal.result("f1") is None
    assert journal.document("only a") is None
    assert list((tmp_path / "journal" / "documents").iterdir()) == []
    tables = ["jobs", "nodes", "results", "deliveries", "documents"]
    assert [rows(tmp_path, table) for table in tables] == [1, 0, 0, 0, 1]
    assert [kept.event for kept in journal.events_after(0)] == [
        *("job_queued", "job_started", "job_finished", "job_removed", "job_removed")
    ]
    assert [kept.event for kept in journal.events_after(0, job="a")] == ["job_removed"]


def test_a_document_stays_for_as_long_as_a_job_runs_it(journal: Journal, tmp_path: Path) -> None:
    submit(journal, "a", "b", text=BIG)
    finish(journal, "a")
    finish(journal, "b")

    journal.remove(["a"]).result()
    document = journal.document("d1")
    assert document is not None
    assert Path(document.file).read_text() == BIG
    journal.remove(["b"])
    submit(journal, "c", text=BIG)
    assert Path(document.file).read_text() == BIG


def test_a_job_that_is_not_over_cannot_be_removed(journal: Journal) -> None:
    submit(journal, "a", "b")
    finish(journal, "b")

    with pytest.raises(UnfinishedError, match="Job 'a' is queued"):
        journal.remove(["b", "a"]).result()
    assert journal.job("b") is not None


def test_numbers_of_jobs_and_events_never_return(open_journal: OpenJournal, clock: Clock) -> None:
    journal = open_journal()
    run(journal, "a")
    journal.remove(["a"]).result()
    assert journal.bounds() == (4, 4)
    clock.now += 86_400 * 9
    journal.expire(days=8, size=EVERYTHING).result()

    assert journal.bounds() == (5, 4)
    journal = open_journal()
    assert journal.bounds() == (5, 4)
    assert submit(journal, "b")[0].number == 2
    assert journal.bounds() == (5, 5)


def test_what_is_too_old_goes(journal: Journal, clock: Clock) -> None:
    run(journal, "old", "older")
    submit(journal, "waits")
    journal.append([WorkerChanged("cpu", "ready")]).result()
    clock.now += 86_400 * 2
    run(journal, "new")
    journal.append([WorkerChanged("cpu", "died")]).result()

    assert journal.expire(days=1.5, size=EVERYTHING).result() == ["old", "older"]

    assert [job.id for job in journal.jobs()] == ["new", "waits"]
    assert [kept.event for kept in journal.events_after(0)] == [
        *("job_queued", "job_queued", "job_started", "job_finished"),
        *("worker_changed", "job_removed", "job_removed"),
    ]


def test_the_oldest_go_until_the_rest_is_within_its_size(journal: Journal, clock: Clock) -> None:
    names = [f"j{i:02}" for i in range(40)]
    for name in names:
        clock.now += 1
        submit(journal, name, digest=name, text="x" * 50_000)
        finish(journal, name)

    removed = journal.expire(days=1, size=1_000_000).result()

    assert 15 < len(removed) < 30
    assert removed == names[: len(removed)]
    assert journal.expire(days=1, size=1_000_000).result() == []


def test_documents_in_files_count(journal: Journal, clock: Clock, tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d", "e", "f", "g", "h"):
        clock.now += 1
        submit(journal, name, digest=name, text="x" * 1_000_000)
        finish(journal, name)

    removed = journal.expire(days=1, size=4_000_000).result()

    assert removed == ["a", "b", "c", "d", "e"]
    files = sorted(path.name for path in (tmp_path / "journal" / "documents").iterdir())
    assert files == ["f.json", "g.json", "h.json"]


def test_more_than_one_transactions_worth_goes_and_others_stay(
    journal: Journal, tmp_path: Path
) -> None:
    ids = [f"j{i}" for i in range(STEP * 2 + 3)]
    journal.submit([new_job(id) for id in ids])
    for id in ids:
        journal.append([finished(id, "n")])
        finish(journal, id)
    submit(journal, "waits")

    assert journal.expire(days=1, size=0).result() == ids

    assert [job.id for job in journal.jobs()] == ["waits"]
    assert rows(tmp_path, "nodes") == 0


def test_the_disk_gets_room_back(open_journal: OpenJournal, tmp_path: Path) -> None:
    journal = open_journal()
    file = tmp_path / "journal" / "journal.db"
    for i in range(400):
        journal.submit([new_job(f"j{i}", digest=f"d{i}", text="x" * 60_000)])
        finish(journal, f"j{i}")
    journal = open_journal()
    before = file.stat().st_size

    assert len(journal.expire(days=0, size=EVERYTHING).result()) == 400
    journal.close()

    assert before > 24_000_000
    assert file.stat().st_size < (SPARE_PAGES + 200) * 4096


def test_a_deleted_result_is_forgotten_unless_it_was_made_anew_meanwhile(
    journal: Journal, tmp_path: Path
) -> None:
    submit(journal, "a", "b")
    finish(journal, "a", results=[picture("a"), picture("a", "f2")])
    finish(journal, "b", results=[picture("b", path="out/later.png")])
    last = journal.bounds()[1]

    assert not journal.remove_result("f1", ["out/f1.png"]).result()
    assert [file.path for file in journal.copies("f1")] == ["out/later.png"]
    assert journal.events_after(last) == []
    assert journal.remove_result("f1", ["out/later.png"]).result()
    assert journal.result("f1") is None
    assert [kept.event for kept in journal.events_after(last)] == ["result_removed"]
    assert journal.remove_result("f1", ["out/later.png"]).result()
    assert len(journal.events_after(last)) == 1
    assert journal.result("f2") is not None
