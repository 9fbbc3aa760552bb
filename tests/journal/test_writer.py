from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from nodeflow.errors import StoreError
from nodeflow.journal.batch import Batch
from nodeflow.journal.writer import BATCH, Task, Writer


def nothing(batch: Batch) -> None:
    """An operation that is not looked at."""


def task() -> Task:
    return Task(nothing, Future())


def test_what_waits_goes_together_in_order_but_not_without_end() -> None:
    gate = threading.Event()
    groups: list[list[Task]] = []

    def transact(tasks: Sequence[Task]) -> None:
        assert gate.wait(10)
        groups.append(list(tasks))

    writer = Writer(transact)
    tasks = [task() for _ in range(BATCH * 2 + 50)]
    for item in tasks:
        writer.put(item)
    gate.set()
    writer.close()

    assert [item for group in groups for item in group] == tasks
    assert len(groups) <= 4
    assert max(map(len, groups)) == BATCH


def test_after_a_fault_the_thread_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def transact(tasks: Sequence[Task]) -> None:
        calls.append(len(tasks))
        if len(calls) == 1:
            raise RuntimeError("oh")
        for item in tasks:
            item.future.set_result("done")

    writer = Writer(transact)
    first, second = task(), task()
    with caplog.at_level(logging.ERROR):
        writer.put(first)
        assert isinstance(first.future.exception(10), RuntimeError)
    writer.put(second)

    assert second.future.result(10) == "done"
    assert "The journal could not do 1 tasks." in caplog.text
    writer.close()


def test_a_closed_writer_refuses_and_may_be_closed_again() -> None:
    done: list[Any] = []
    writer = Writer(done.extend)
    first, second = task(), task()
    writer.put(first)
    writer.close()
    writer.close()
    writer.put(second)

    assert done == [first]
    with pytest.raises(StoreError, match="The journal is closed"):
        second.future.result(1)
