from __future__ import annotations

import threading

from nodeflow.journal.journal import Journal
from tests.journal.journal_tools import finish, picture, run, start, submit


def test_jobs_are_listed_in_pages_the_newest_first(journal: Journal) -> None:
    run(journal, "a", "b")
    submit(journal, "c", "d", batch="two")
    start(journal, "d")

    assert [job.id for job in journal.jobs()] == ["d", "c", "b", "a"]
    assert [job.id for job in journal.jobs(limit=2)] == ["d", "c"]
    assert [job.id for job in journal.jobs(limit=2, before=3)] == ["b", "a"]
    assert [job.id for job in journal.jobs(status=["queued", "done"])] == ["c", "b", "a"]
    assert [job.id for job in journal.jobs(batch="two", status=["running"])] == ["d"]
    assert journal.jobs(status=["failed"]) == []
    assert journal.counts() == {"done": 2, "queued": 1, "running": 1}


def test_jobs_of_a_saved_workflow_are_listed(journal: Journal) -> None:
    submit(journal, "a", "b", path="cats/one")
    submit(journal, "c")

    assert [job.id for job in journal.jobs(path="cats/one")] == ["b", "a"]
    assert [job.id for job in journal.jobs(path="cats/one", before=2)] == ["a"]
    assert journal.jobs(path="cats") == []


def test_events_of_one_job_are_found(journal: Journal) -> None:
    run(journal, "a", "b")

    assert [kept.seq for kept in journal.events_after(0, job="b")] == [4, 5, 6]
    assert [kept.seq for kept in journal.events_after(4, job="b", limit=1)] == [5]
    assert journal.events_after(0, job="c") == []


def test_an_empty_journal_has_no_bounds_yet(journal: Journal) -> None:
    assert journal.bounds() == (1, 0)
    assert journal.events_after(0) == []
    assert journal.unfinished() == []
    assert journal.counts() == {}


def test_many_threads_read_while_others_write(journal: Journal) -> None:
    wrong: list[str] = []
    ids = [f"j{i}" for i in range(60)]

    def write(part: list[str]) -> None:
        for id in part:
            submit(journal, id)
            start(journal, id)
            finish(journal, id)

    def read() -> None:
        for _ in range(60):
            kept = journal.events_after(0, 10_000)
            if [item.seq for item in kept] != list(range(1, len(kept) + 1)):
                wrong.append("a gap")
            # Rows and events are of one transaction: who is over has its last event.
            over = {job.id for job in journal.jobs(status=["done"])}
            ended = {item.job for item in journal.events_after(0, 10_000)}
            if not over <= ended:
                wrong.append("a job without its event")

    threads = [threading.Thread(target=write, args=(ids[i::3],)) for i in range(3)]
    threads += [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert journal.bounds() == (1, 180)
    assert [job.status for job in journal.jobs(limit=100)] == ["done"] * 60


def test_pictures_of_a_saved_workflow_are_found_the_newest_first(journal: Journal) -> None:
    submit(journal, "a", "b", path="cats/one")
    submit(journal, "c", path="cats/none")
    submit(journal, "d")
    for id in "abd":
        start(journal, id)
        finish(journal, id, results=[picture(id, f"of {id}"), picture(id, media_type="text/plain")])
    start(journal, "c")
    finish(journal, "c", results=[picture("c", media_type="text/plain")])

    assert [file.digest for file in journal.pictures_of("cats/one", 9)] == ["of b", "of a"]
    assert [file.job for file in journal.pictures_of("cats/one", 1)] == ["b"]
    assert journal.pictures_of("cats/none", 9) == []
    assert journal.pictured() == {"cats/one"}
