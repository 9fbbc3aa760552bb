"""Writer: a thread that commits many puts in one transaction.

Ctrl-C may raise KeyboardInterrupt in the main thread between any two steps, in the middle of a
`threading.Condition` too, which then stays locked for ever. So the threads meet only at locks and
queues that are written in C, where that cannot happen.
"""

from __future__ import annotations

import logging
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


Commit = Callable[[Sequence[Put]], Sequence[Exception | None]]
"""Stores a first part of what it is given, one at least, and says how each of them ended."""


class Writer:
    """Takes puts from any thread, gives them to `commit` in order, and then calls their `done`.

    A commit starts when `BATCH` puts wait, when the first has waited `LINGER_SECONDS`, or when
    somebody flushes. While `WAITING` puts wait, further ones are held back.
    """

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        # A gate in the queue is opened when all that was put before it is done.
        self._queue: SimpleQueue[Put | _Gate] = SimpleQueue()
        self._at_work = 0
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

    def put(self, key: str, make: Callable[[], Entry], done: Done) -> None:
        """Take one entry; returns at once unless very many wait."""
        while self._queue.qsize() >= WAITING and not self._closed and not self._on_own_thread():
            time.sleep(0.002)
        with self._closing:
            if not self._closed:
                self._queue.put(Put(key, make, done))
                if self._queue.qsize() == BATCH:
                    self._hurry.open()
                return
        done(StoreError("The disk store is closed, so the value was not stored."))

    def flush(self) -> None:
        """Wait until every earlier put is committed and its `done` was called.

        Called by a `done` itself, it returns at once: waiting for itself would never end.
        """
        if self._on_own_thread():
            return
        gate = _Gate()
        with self._closing:
            closed = self._closed
            if not closed:
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
                gate.open()

    def _work(self, batch: list[Put]) -> list[Put]:
        """Commit a first part and tell; the rest. A put must not stay alive in the loop above."""
        outcomes = self._attempt(batch)
        for put, outcome in zip(batch, outcomes, strict=False):
            self._tell(put, outcome)
        return batch[len(outcomes) :]

    def _next_batch(self) -> tuple[list[Put], _Gate | None]:
        """The next puts, and the gate behind them if they go up to one."""
        item = self._queue.get()
        if self._queue.qsize() < BATCH and isinstance(item, Put):
            self._hurry.wait(LINGER_SECONDS)
        batch: list[Put] = []
        with suppress(Empty):
            while isinstance(item, Put):
                batch.append(item)
                self._at_work = len(batch)
                if len(batch) == BATCH:
                    return batch, None
                item = self._queue.get_nowait()
            return batch, item
        return batch, None

    def _attempt(self, batch: Sequence[Put]) -> Sequence[Exception | None]:
        try:
            return self._commit(batch)
        except Exception as error:  # noqa: BLE001  (handed to every `done`; the thread lives on)
            return [error] * len(batch)

    def _tell(self, put: Put, outcome: Exception | None) -> None:
        try:
            put.done(outcome)
        except Exception:
            logger.exception("What follows the storing of '%s' failed.", put.key)
