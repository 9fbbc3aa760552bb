"""Writer: a thread that takes tasks from any thread and does all that wait in one transaction."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from nodeflow.errors import StoreError
from nodeflow.journal.batch import Batch

logger = logging.getLogger(__name__)

BATCH = 2000
"""So many tasks share a transaction at most, so that none waits long for its own."""


@dataclass(frozen=True, slots=True)
class Task:
    """An operation, and where to say how it ended."""

    operation: Callable[[Batch], Any]
    future: Future[Any]


class Writer:
    """Hands tasks to `transact`, in order, as many at once as wait."""

    def __init__(self, transact: Callable[[Sequence[Task]], None]) -> None:
        self._transact = transact
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()  # nothing enters the queue after its end
        # A daemon, so that an interrupted interpreter does not hang; its owner closes it.
        self._thread = threading.Thread(target=self._run, name="nodeflow-journal", daemon=True)
        self._thread.start()

    def put(self, task: Task) -> None:
        """Take a task; its future fails if the writer is closed."""
        with self._closing:
            if not self._closed:
                self._queue.put(task)
                return
        task.future.set_exception(StoreError("The journal is closed, so nothing was written."))

    def close(self) -> None:
        """Do what waits, take nothing more, and end the thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _do(self, tasks: Sequence[Task]) -> None:
        try:
            self._transact(tasks)
        except Exception as error:
            # A fault of ours must not leave everybody waiting who comes after.
            logger.exception("The journal could not do %d tasks.", len(tasks))
            for task in tasks:
                if not task.future.done():
                    task.future.set_exception(error)

    def _run(self) -> None:
        while (task := self._queue.get()) is not None:
            tasks = [task]
            ended = False
            with suppress(Empty):
                while len(tasks) < BATCH and not ended:
                    further = self._queue.get_nowait()
                    ended = further is None
                    if further is not None:
                        tasks.append(further)
            self._do(tasks)
            if ended:
                return
