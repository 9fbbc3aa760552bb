"""Meter: how much memory the process held at most while a node ran."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

SAMPLE_SECONDS = 0.05
FRESH_SECONDS = 0.005
"""So long a reading stands for now."""

_STATM = "/proc/self/statm"

REST_SAMPLES = 20
"""So many samples without a running node, and the sampler sleeps until one begins."""


@dataclass(eq=False, slots=True)
class Reading:
    """What was seen since a node began; `peak` is in bytes."""

    peak: int


class Meter:
    """Reads the memory of the process when nodes begin and end, and in between if they take long.

    Nodes that follow each other in no time share a reading. The sampler's thread comes with the
    first node, and sleeps when none has run for a while.
    """

    def __init__(self) -> None:
        self._rss = _reader()
        self._known = 0
        self._known_until = 0.0
        self._open: dict[int, Reading] = {}
        self._lock = threading.Lock()
        self._asleep = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def rss(self) -> int:
        """Bytes of memory that the process occupies now."""
        return self._rss()

    def _about(self) -> int:
        """Bytes as of a few milliseconds ago at most."""
        now = time.monotonic()
        if now >= self._known_until:
            self._known = self._rss()
            self._known_until = now + FRESH_SECONDS
        return self._known

    def begin(self) -> Reading:
        """A node begins."""
        reading = Reading(self._about())
        with self._lock:
            self._open[id(reading)] = reading
            if self._asleep:
                self._asleep = False
                self._wake.set()
            elif self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._sample, name="nodeflow-meter", daemon=True
                )
                self._thread.start()
        return reading

    def end(self, reading: Reading) -> int:
        """A node is over; the most that was seen while it ran. Asked again, the same."""
        with self._lock:
            if self._open.pop(id(reading), None) is None:
                return reading.peak
        reading.peak = max(reading.peak, self._about())
        return reading.peak

    def close(self) -> None:
        """Let the sampler end."""
        with self._lock:
            self._closed = True
        self._wake.set()

    def _sample(self) -> None:
        rest = 0
        while not self._closed:
            time.sleep(SAMPLE_SECONDS)
            with self._lock:
                if self._open:
                    rest = 0
                    now = self._rss()
                    for reading in self._open.values():
                        reading.peak = max(reading.peak, now)
                    continue
                rest += 1
                if rest < REST_SAMPLES:
                    continue
                self._asleep = True
                self._wake.clear()
            rest = 0
            if not self._closed:
                self._wake.wait()


def _reader() -> Callable[[], int]:
    """What tells the memory of this process fastest."""
    process = psutil.Process()
    if not os.path.exists(_STATM):
        return lambda: int(process.memory_info().rss)
    page = os.sysconf("SC_PAGE_SIZE")

    def read() -> int:
        # A third of what psutil costs.
        statm = os.open(_STATM, os.O_RDONLY)
        try:
            return int(os.read(statm, 256).split(None, 2)[1]) * page
        finally:
            os.close(statm)

    return read
