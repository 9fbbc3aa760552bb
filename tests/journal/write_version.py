"""Writes `versions/N.sql`, a dump of a journal with something in every table; once per version.

Run it after a migration was added: `python -m tests.journal.write_version`.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from nodeflow.events import RunStarted
from nodeflow.job_events import QueueChanged
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Once
from nodeflow.journal.schema import VERSION
from tests.journal.journal_tools import (
    Clock,
    finish,
    finished,
    picture,
    run,
    start,
    started,
    submit,
)

VERSIONS = Path(__file__).parent / "versions"


def fill(journal: Journal) -> None:
    """What `test_schema.py` expects to find in a journal of any version."""
    run(journal, "gone")
    submit(journal, "done", once=Once("key", "same"), webhook="http://localhost/hook")
    start(journal, "done")
    journal.append([RunStarted("done", "job done", 2)])
    journal.append([started("done", "n"), finished("done", "n", files=["f1"])])
    finish(journal, "done", nodes={"m": ["skipped", "not needed"]}, results=[picture("done")])
    submit(journal, "waits", inputs={"seed": 3}, only=["n"], priority=7, path="a.json")
    submit(journal, "runs", digest="big", text="x" * 70_000)
    start(journal, "runs")
    journal.append([QueueChanged(True)])
    journal.add_version("a.json", "e1", "{}")
    journal.remove(["gone"]).result()


def write(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), clock=Clock())
        fill(journal)
        journal.close()
        connection = sqlite3.connect(Path(folder) / "journal.db")
        lines = [*connection.iterdump(), f"PRAGMA user_version = {VERSION};"]
        connection.close()
    target.write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    write(VERSIONS / f"{VERSION}.sql")
