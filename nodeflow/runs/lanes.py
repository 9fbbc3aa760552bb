"""Lanes: who computes. One thread for the device, a few for CPU and files, a loop for async."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

from nodeflow.errors import NodeflowError
from nodeflow.spec import Lane

Job = Callable[[], None]

HELP_SECONDS = 0.002
"""A job that takes longer than this is worth another thread for those that wait."""

JOIN_SECONDS = 5.0
"""How long closing waits for a node that does not notice that it was cancelled."""


class _Threads:
    """A heap of jobs and the threads that take from it, started when there is work for them."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._jobs: list[tuple[int, int, Job]] = []
        self._count = itertools.count()
        self._ready = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._idle = self._busy = 0
        self._taken = 0.0
        self._closed = False

    def submit(self, rank: int, job: Job) -> None:
        with self._ready:
            if self._closed:
                raise NodeflowError("The engine is closed, so nothing more can be computed.")
            # Highest rank first; among equals the one that came first.
            heapq.heappush(self._jobs, (-rank, next(self._count), job))
            if self._idle:
                self._ready.notify()
            elif len(self._threads) < self._most:
                name = f"nodeflow-{self._name}-{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        while True:
            with self._ready:
                while not self._closed and not self._may_take():
                    if self._jobs:
                        self._ready.wait(HELP_SECONDS)
                        continue
                    self._idle += 1
                    self._ready.wait()
                    self._idle -= 1
                if not self._jobs:
                    return
                job = heapq.heappop(self._jobs)[2]
                self._busy += 1
                self._taken = time.monotonic()
            try:
                job()
            except BaseException:  # noqa: BLE001
                # A job reports its own failures; one that does not must not take the lane along.
                traceback.print_exc()
            with self._ready:
                self._busy -= 1
            # A value must not stay alive because an idle thread's frame still names its job.
            del job

    def _may_take(self) -> bool:
        """Whether a thread should take a job now.

        While another one gets through its jobs in no time, a second would only fight it for the
        interpreter: two threads ran 10,000 trivial nodes a third slower than one.
        """
        if not self._jobs:
            return False
        return not self._busy or time.monotonic() - self._taken >= HELP_SECONDS

    def close(self) -> None:
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=JOIN_SECONDS)


class Lanes:
    """All lanes of an engine; shared by its runs.

    A job must not raise: what goes wrong in a node is the run's business.
    """

    def __init__(self, cpu_threads: int = 4, io_threads: int = 2) -> None:
        self._threads = {
            "device": _Threads("device", 1),
            "cpu": _Threads("cpu", max(1, cpu_threads)),
            "io": _Threads("io", max(1, io_threads)),
        }
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looping: threading.Thread | None = None
        self._closed = False

    def submit(self, lane: Lane, rank: int, job: Job) -> None:
        """Queue a job; among those that wait, the highest rank runs first."""
        self._threads[lane].submit(rank, job)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that async nodes run on, in a thread of its own."""
        with self._lock:
            if self._closed:
                raise NodeflowError("The engine is closed, so nothing more can be computed.")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._looping = threading.Thread(
                    target=self._loop.run_forever, name="nodeflow-loop", daemon=True
                )
                self._looping.start()
            return self._loop

    def spawn(
        self, begin: Callable[[], Coroutine[Any, Any, None]], ended: Callable[[], None]
    ) -> Callable[[], None]:
        """Start a coroutine on the loop.

        Args:
            ended: Called on the loop once it is over, cancelled before its first step included.

        Returns:
            What cancels it, from any thread.
        """
        loop = self.loop
        tasks: list[asyncio.Task[None]] = []

        def over(task: asyncio.Task[None]) -> None:
            ended()
            if not task.cancelled() and (error := task.exception()) is not None:
                traceback.print_exception(error)

        def start() -> None:
            task = loop.create_task(begin())
            task.add_done_callback(over)
            tasks.append(task)

        def cancel() -> None:
            for task in tasks:
                task.cancel()

        loop.call_soon_threadsafe(start)
        return lambda: _soon(loop, cancel)

    def close(self) -> None:
        """Let all jobs end: cancel their runs before. Nothing is taken any more."""
        for threads in self._threads.values():
            threads.close()
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._looping
        if loop is None or thread is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(_stop, loop)
        thread.join(timeout=JOIN_SECONDS)
        if not thread.is_alive():
            loop.close()


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nothing runs on it any more
        loop.call_soon_threadsafe(call)


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what still runs, and stop once that has had its turn."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    ended = asyncio.gather(*tasks, return_exceptions=True)
    ended.add_done_callback(lambda _: loop.stop())
