"""A journal that can be closed and opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nodeflow.journal.journal import Journal
from tests.journal.journal_tools import Clock

OpenJournal = Callable[[], Journal]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_journal(tmp_path: Path, clock: Clock) -> Iterator[OpenJournal]:
    """Opens the journal of the test's folder; the one that was open before is closed."""
    opened: list[Journal] = []

    def open_it() -> Journal:
        for journal in opened:
            journal.close()
        opened[:] = [Journal(tmp_path / "journal", clock=clock)]
        return opened[0]

    yield open_it
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: OpenJournal) -> Journal:
    return open_journal()
