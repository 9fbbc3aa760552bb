from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from nodeflow.errors import StoreError
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Kept, KeyReusedError, Once
from tests.journal.journal_tools import finished, new_job, submit


class Held:
    """Holds the writer back, so that what is handed in meanwhile shares a transaction."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.told: list[list[int]] = []
        self._entered = threading.Event()
        self._gate = threading.Event()

    def __enter__(self) -> Held:
        self.journal.committed = self._hold
        self.journal.append([{"event": "hold"}])
        assert self._entered.wait(10)
        self.journal.committed = self._tell
        return self

    def __exit__(self, *_: object) -> None:
        self._gate.set()

    def _hold(self, kept: Sequence[Kept]) -> None:
        self._entered.set()
        assert self._gate.wait(10)

    def _tell(self, kept: Sequence[Kept]) -> None:
        self.told.append([item.seq for item in kept])


def test_what_waits_together_is_committed_together_and_told_in_order(journal: Journal) -> None:
    with Held(journal) as held:
        futures = [journal.submit([new_job(f"j{i}"), new_job(f"k{i}")]) for i in range(50)]
    numbers = [[job.number for job in future.result().jobs] for future in futures]

    assert numbers == [[2 * i + 1, 2 * i + 2] for i in range(50)]
    assert held.told == [list(range(2, 102))]


@pytest.mark.parametrize("bad", [object(), {1, 2}, 1 << 80])
def test_a_task_that_cannot_be_written_fails_alone(journal: Journal, bad: Any) -> None:
    submit(journal, "a")
    with Held(journal):
        before = journal.append([finished("a", "before")])
        wrong: list[Future[Any]] = [
            journal.append([finished("a", "half"), finished("a", "n", memory=bad)]),
            journal.append([{"job": "a"}]),
        ]
        after = journal.append([finished("a", "after")])
    for future in wrong:
        assert future.exception(10) is not None
    assert before.result() is after.result() is None

    assert sorted(journal.nodes("a")) == ["after", "before"]
    assert [kept.seq for kept in journal.events_after(0)] == [1, 2, 3, 4]


def test_a_reused_key_fails_alone_in_its_transaction(journal: Journal) -> None:
    with Held(journal) as held:
        first = journal.submit([new_job("a")], Once("k", "one"))
        again = journal.submit([new_job("b")], Once("k", "one"))
        other = journal.submit([new_job("c")], Once("k", "two"))
        last = journal.submit([new_job("d")])

    assert isinstance(other.exception(10), KeyReusedError)
    assert [future.result().jobs[0].id for future in (first, again, last)] == ["a", "a", "d"]
    assert not again.result().new
    assert held.told == [[2, 3]]


def test_a_future_cannot_be_cancelled(journal: Journal) -> None:
    with Held(journal):
        future = journal.append([{"event": "x"}])
        assert not future.cancel()
    future.result(10)

    assert journal.bounds()[1] == 2


def test_futures_are_set_after_the_events_were_told(journal: Journal) -> None:
    seen: list[bool] = []
    with Held(journal):
        future = journal.append([{"event": "x"}])
        journal.committed = lambda kept: seen.append(future.done())
    future.result(10)

    assert seen == [False]


def test_events_can_be_read_when_they_are_told(journal: Journal) -> None:
    seen: list[Kept] = []
    journal.committed = lambda kept: seen.extend(journal.events_after(kept[0].seq - 1))
    journal.append([{"event": "x"}]).result()

    assert seen == journal.events_after(0)


def test_a_listener_that_fails_stops_nobody(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(kept: Sequence[Kept]) -> None:
        raise RuntimeError("oh")

    journal.committed = fail
    with caplog.at_level(logging.ERROR):
        submit(journal, "a")

    assert journal.job("a") is not None
    assert "What follows the events up to 1 failed." in caplog.text


FULL = """
import resource, sys
from pathlib import Path
from nodeflow.errors import StoreError
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Document, NewJob

journal = Journal(Path(sys.argv[1]))
size = int(sys.argv[2])

def submit(i):
    return journal.submit([NewJob(f"j{i}", "a", Document(f"d{i}", "x" * size))])

submit(0).result()
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
failed = {}
for i in range(1, 20):
    error = submit(i).exception()
    if error is not None:
        failed[i] = error
assert failed, "the disk was never full"
for error in failed.values():
    assert isinstance(error, StoreError), repr(error)
    assert "Check that the disk has room" in str(error), str(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
submit(99).result()
found = {job.id for job in journal.jobs()}
assert found == {"j0", "j99"} | {f"j{i}" for i in range(1, 20) if i not in failed}, found
numbers = [kept.seq for kept in journal.events_after(0)]
assert numbers == list(range(1, len(found) + 1)), numbers
journal.close()
print("as it should be")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
@pytest.mark.parametrize("size", [50_000, 500_000])
def test_a_full_disk_fails_what_waits_and_later_all_goes_on(tmp_path: Path, size: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(size)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "as it should be\n"
    again = Journal(tmp_path)
    assert again.job("j99") is not None
    again.close()


def test_a_sentence_of_sqlite_is_not_a_stack_trace(journal: Journal) -> None:
    writer = journal._database.writer
    writer.execute("PRAGMA max_page_count = 1")  # SQLite makes it as many as there are
    with pytest.raises(StoreError, match=r"cannot be written \(database or disk is full\)"):
        submit(journal, "a", text="x" * 60_000)
    writer.execute("PRAGMA max_page_count = 1000000")

    assert submit(journal, "a", text="x" * 60_000)[0].number == 1
