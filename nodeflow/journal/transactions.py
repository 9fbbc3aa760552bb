"""Transactions: tasks become rows together; a task that fails fails alone."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence

from nodeflow.errors import NodeflowError, StoreError
from nodeflow.journal.batch import Batch, Heads
from nodeflow.journal.database import Database
from nodeflow.journal.documents import DocumentFiles
from nodeflow.journal.records import Kept
from nodeflow.journal.writer import Task

logger = logging.getLogger(__name__)

Committed = Callable[[Sequence[Kept]], None]
Timed = Callable[[float], None]

_Ended = list[tuple[Task, object]]


class Transactions:
    """Does tasks on the writer's thread.

    Args:
        committed: Told of the events of each transaction before the futures of its tasks are set.
        timed: Told the seconds that each commit took.
    """

    def __init__(
        self,
        database: Database,
        files: DocumentFiles,
        heads: Heads,
        clock: Callable[[], float],
        committed: Committed,
        timed: Timed = lambda seconds: None,
    ) -> None:
        self._database = database
        self._files = files
        self._heads = heads
        self._clock = clock
        self._committed = committed
        self._timed = timed

    def run(self, tasks: Sequence[Task]) -> None:
        """Do tasks in one transaction. If a row of it is refused, each gets one of its own."""
        try:
            ended = self._transact(tasks)
        except (StoreError, sqlite3.OperationalError) as error:
            # The disk is full or the file is damaged, which is nobody's fault and meets all.
            self._fail(tasks, error)
        except Exception as error:  # noqa: BLE001  (whoever asked for it is told)
            if len(tasks) > 1:
                for task in tasks:
                    self.run([task])
            else:
                self._fail(tasks, error)
        else:
            for task, outcome in ended:
                if isinstance(outcome, NodeflowError):
                    task.future.set_exception(outcome)
                else:
                    task.future.set_result(outcome)

    def _transact(self, tasks: Sequence[Task]) -> _Ended:
        connection = self._database.writer
        batch = Batch(connection, self._files, self._heads, self._clock())
        try:
            connection.execute("BEGIN IMMEDIATE")
            ended: _Ended = [(task, _outcome(task, batch)) for task in tasks]
            batch.write()
            started = time.perf_counter()
            connection.execute("COMMIT")
            seconds = time.perf_counter() - started
        except BaseException:
            if connection.in_transaction:  # a full disk makes SQLite roll back by itself
                connection.execute("ROLLBACK")
            raise
        batch.settle()
        self._tell(batch.kept)
        self._timed(seconds)
        return ended

    def _tell(self, kept: Sequence[Kept]) -> None:
        if not kept:
            return
        try:
            self._committed(kept)
        except Exception:
            logger.exception("What follows the events up to %d failed.", kept[-1].seq)

    def _fail(self, tasks: Sequence[Task], error: Exception) -> None:
        for task in tasks:
            task.future.set_exception(self._told(error))

    def _told(self, error: Exception) -> Exception:
        if isinstance(error, sqlite3.IntegrityError):
            return StoreError(f"The journal cannot take this, since {error}.")
        try:
            with self._database.explained("written"):
                raise error
        except Exception as explained:  # noqa: BLE001  (it goes to whoever asked)
            return explained


def _outcome(task: Task, batch: Batch) -> object:
    try:
        return task.operation(batch)
    except NodeflowError as error:  # nothing was changed, so the others may go on
        return error
