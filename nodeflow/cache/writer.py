"""Writer: a thread that commits many puts in one transaction.

Ctrl-C may raise KeyboardInterrupt in the main thread between any two steps, in the middle of a
`threading.Condition` too, which then stays locked for ever. So the threads meet only at locks and
queues that are written in C, where that cannot happen.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from nodeflow.cache.entry import Entry
from nodeflow.errors import StoreError

BATCH = 1000
LINGER_SECONDS = 0.02
WAITING = 20_000

Done = Callable[[Exception | None], None]

logger = logging.getLogger(__name__)


class Put(NamedTuple):
    """One entry on its way to the disk."""

    key: str
    make: Callable[[], Entry]
    done: Done


class Note(NamedTuple):
    """A small change of the index that goes along with the next commit."""

    change: Callable[[sqlite3.Connection], object]
    done: Done


class _Gate:
    """Closed at first; `open` lets one waiting thread through."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def open(self) -> None:
        with suppress(RuntimeError):  # it is open already
            self._lock.release()

    def wait(self, seconds: float = -1) -> None:
        """Wait until it is open, or for so many seconds; then it is closed again."""
        self._lock.acquire(timeout=seconds)


Commit = Callable[[Sequence[Put | Note]], Sequence[Exception | None]]
"""Stores a first part of what it is given, one at least, and says how each of them ended."""


class Writer:
    """Takes puts from any thread, gives them to `commit` in order, and then calls their `done`.

    A commit starts when `BATCH` puts wait, when the first has waited `LINGER_SECONDS`, or when
    somebody flushes. While `WAITING` puts wait, further ones are held back. Notes count as puts.
    """

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        # A gate in the queue is opened when all that was put before it is done.
        self._queue: SimpleQueue[Put | Note | _Gate] = SimpleQueue()
        self._at_work = 0
        self._taken = self._told = 0  # puts
        self._awaited = self._opened = 0  # gates
        self._hurry = _Gate()
        self._end = _Gate()
        self._closed = False
        self._closing = threading.Lock()  # nothing enters the queue after its end
        # A daemon, so that an interrupted interpreter does not hang; its owner closes it at exit.
        self._thread = threading.Thread(target=self._run, name="nodeflow-store", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Puts that are not committed yet, about."""
        return self._queue.qsize() + self._at_work

    def put(self, put: Put | Note) -> None:
        """Take one entry or note; returns at once unless very many wait."""
        while self._queue.qsize() >= WAITING and not self._closed and not self._on_own_thread():
            time.sleep(0.002)
        with self._closing:
            if not self._closed:
                self._taken += 1
                self._queue.put(put)
                if self._queue.qsize() == BATCH:
                    self._hurry.open()
                return
        put.done(StoreError("The disk store is closed, so the value was not stored."))

    def flush(self) -> None:
        """Wait until every earlier put is committed and its `done` was called.

        Called by a `done` itself, it returns at once: waiting for itself would never end.
        """
        if self._on_own_thread():
            return
        gate = _Gate()
        with self._closing:
            closed = self._closed
            if self._told == self._taken and not closed:
                return
            if not closed:
                self._awaited += 1
                self._queue.put(gate)
                self._hurry.open()
        if closed:
            self._thread.join()
        else:
            gate.wait()

    def close(self) -> None:
        """Commit what waits, take nothing more, and end the thread."""
        with self._closing:
            self._closed = True
            self._awaited += 1
            self._queue.put(self._end)  # once more if it is closed twice, which hurts nobody
            self._hurry.open()
        if not self._on_own_thread():
            self._thread.join()

    def _on_own_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        gate: _Gate | None = None
        while gate is not self._end:
            batch, gate = self._next_batch()
            while batch:
                batch = self._work(batch)
                self._at_work = len(batch)
            if gate is not None:
                self._opened += 1
                gate.open()

    def _work(self, batch: list[Put | Note]) -> list[Put | Note]:
        """Commit a first part and tell; the rest. A put must not stay alive in the loop above."""
        outcomes = self._attempt(batch)
        for put, outcome in zip(batch, outcomes, strict=False):
            self._tell(put, outcome)
            self._told += 1
        return batch[len(outcomes) :]

    def _next_batch(self) -> tuple[list[Put | Note], _Gate | None]:
        """The next puts, and the gate behind them if they go up to one."""
        batch: list[Put | Note] = []
        # While there is work it looks by itself: being woken by each put would cost more.
        item = None
        self._linger()
        if self._queue.empty():
            self._opened = self._awaited  # they differ if Ctrl-C came in the middle of a flush
            item = self._queue.get()
            self._linger()
        with suppress(Empty):
            item = item or self._queue.get_nowait()
            while not isinstance(item, _Gate):
                batch.append(item)
                self._at_work = len(batch)
                if len(batch) == BATCH:
                    return batch, None
                item = self._queue.get_nowait()
            return batch, item
        return batch, None

    def _linger(self) -> None:
        """Wait for more puts, but not if there are enough or somebody waits for these."""
        if self._queue.qsize() < BATCH and self._awaited == self._opened:
            self._hurry.wait(LINGER_SECONDS)

    def _attempt(self, batch: Sequence[Put | Note]) -> Sequence[Exception | None]:
        try:
            return self._commit(batch)
        except Exception as error:  # noqa: BLE001  (handed to every `done`; the thread lives on)
            return [error] * len(batch)

    def _tell(self, put: Put | Note, outcome: Exception | None) -> None:
        try:
            put.done(outcome)
        except BaseException:  # whatever it is, those who wait for this thread must not wait on
            logger.exception("What follows the storing of %s failed.", _name(put))


def _name(put: Put | Note) -> str:
    return f"'{put.key}'" if isinstance(put, Put) else "a note"
