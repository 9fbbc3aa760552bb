"""Inbox: what a worker has to do, in order; errands between jobs go before the next job."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

from nodeflow.worker.messages import (
    Begin,
    Cancel,
    Forget,
    Free,
    JobEnded,
    Message,
    ReadPacks,
    Recall,
    Stop,
    Watch,
)

Errand = Free | ReadPacks | Forget


@dataclass(slots=True)
class Running:
    """A job that has begun; set `cancel` to end it."""

    begin: Begin
    cancel: threading.Event = field(default_factory=threading.Event)


class Inbox:
    """Filled by the thread that reads the pipe, emptied by the one that works.

    Attributes:
        stopped: Whether there is nothing more to do; what runs is cut short then.

    Args:
        answer: Sends a message at once.
    """

    def __init__(self, answer: Callable[[Message], None]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._waiting: dict[str, Begin] = {}
        self._errands: deque[Errand] = deque()
        self._running: Running | None = None
        self._watched = False
        # One for each thing to do, and perhaps some too many: they only wake the one who works.
        self._tokens: SimpleQueue[None] = SimpleQueue()
        self.stopped = False

    def receive(self, message: Message) -> None:
        """Take a message of the server."""
        match message:
            case Begin():
                with self._lock:
                    self._waiting[message.job] = message
                    self._watched = message.watched
            case Free() | ReadPacks() | Forget():
                self._errands.append(message)
            case Cancel():
                if not self._drop(message.job):
                    self._cancel(message.job)
            case Recall():
                self._drop(message.job)
            case Watch():
                self._watched = message.watched
            case Stop():
                self.stop()
            case _:
                raise ValueError(f"a worker has no use for '{message.kind}'")
        self._tokens.put(None)

    def _drop(self, job: str) -> bool:
        with self._lock:
            waited = self._waiting.pop(job, None) is not None
        if waited:
            self._answer(JobEnded(job, "cancelled"))
        return waited

    def _cancel(self, job: str) -> None:
        with self._lock:
            running = self._running
        if running is not None and running.begin.job == job:
            running.cancel.set()

    def stop(self) -> None:
        """Let `next` give None from now on, and cut short what runs."""
        with self._lock:
            self.stopped = True
            running = self._running
        if running is not None:
            running.cancel.set()
        self._tokens.put(None)

    def watched(self) -> bool:
        """Whether anybody looks at previews just now."""
        return self._watched

    def next(self) -> Running | Errand | None:
        """Wait for the next thing to do; None if there will be nothing more.

        A job runs from here on until `next` is called again.
        """
        with self._lock:
            self._running = None
        while True:
            self._tokens.get()
            with self._lock:
                if self.stopped:
                    return None
                if self._errands:
                    return self._errands.popleft()
                if self._waiting:
                    begin = self._waiting.pop(next(iter(self._waiting)))
                    self._running = Running(begin)
                    return self._running
