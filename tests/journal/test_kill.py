"""The journal in a process of its own that is killed at any moment."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from nodeflow.journal.documents import LARGE
from nodeflow.journal.journal import Journal

ROUNDS = 10

ENDLESS = """
import itertools, random, sys
from pathlib import Path
from nodeflow.job_events import JobFinished, JobStarted
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Document, NewJob, Once

journal = Journal(Path(sys.argv[1]))
turn = sys.argv[2]
chance = random.Random(turn)

def say(id):
    # At once, and from the thread that has made the commit.
    sys.stdout.write(id + "\\n")
    sys.stdout.flush()

for i in itertools.count():
    id = f"{turn}-{i}"
    size = chance.choice([10, 1000, 30_000, int(sys.argv[3]) + 10])
    job = NewJob(id, "a", Document(f"{turn}-{i % 7}-{size}", "x" * size))
    future = journal.submit([job], Once(id, id))
    future.add_done_callback(lambda future, id=id: say(id) if future.result().new else None)
    if i % 3 == 0:
        future.result()
        journal.append([JobStarted(id, "cpu")])
        ended = journal.finish(JobFinished(id, "done"))
        ended.add_done_callback(lambda future, id=id: say(f"{id} done"))
    if i % 30 == 0:
        journal.expire(days=1, size=1 << 40).result()
    if i % 50 == 0:
        future.result()
"""


def test_what_a_killed_process_was_told_is_kept_is_there(tmp_path: Path) -> None:
    chance = random.Random(11)
    told: list[str] = []
    for turn in range(ROUNDS):
        process = subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(tmp_path), str(turn), str(LARGE)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        told.append(process.stdout.readline().strip())
        time.sleep(chance.uniform(0.0, 0.2))
        process.kill()
        rest, _ = process.communicate()
        # The last line may be cut in two.
        told += rest.rsplit("\n", 1)[0].split("\n") if "\n" in rest else []
        audit(tmp_path, told)
    assert len(told) > 10 * ROUNDS


def audit(folder: Path, told: list[str]) -> None:
    connection = sqlite3.connect(folder / "journal.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    journal = Journal(folder)
    jobs = {job.id: job for job in journal.jobs(limit=1_000_000)}
    for line in told:
        id, _, status = line.partition(" ")
        assert id in jobs
        assert not status or jobs[id].status == status
    for digest in {job.document for job in jobs.values()}:
        document = journal.document(digest)
        assert document is not None
        size = len(document.text) if document.text else Path(document.file).stat().st_size
        assert size == int(digest.rpartition("-")[2])
    assert list((folder / "documents").glob("*.draft")) == []
    seqs = [kept.seq for kept in journal.events_after(0, 1_000_000)]
    assert seqs == list(range(1, len(seqs) + 1))
    journal.close()
