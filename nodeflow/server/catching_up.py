"""Catching up: what a watcher that is behind gets next, and when to give it up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nodeflow.journal.records import Kept
from nodeflow.server.frames import Entry
from nodeflow.server.ring import Ring, within
from nodeflow.server.watcher import Watcher

Read = Callable[[int, int, str], Awaitable[list[Kept]]]
"""Events of the journal: after a number, so many at most, of one job or, if empty, of all."""


@dataclass(frozen=True)
class Bars:
    """What a watcher may do before something is done about it.

    Attributes:
        high: Bytes in its buffer above which it is live no more.
        low: Bytes in its buffer above which nothing is written while it catches up.
        patience: Seconds that it may read nothing while more waits for it.
        behind: Events that it may fall further behind while it does not read.
        chunk: Events that are read for it at a time.
        chunk_bytes: Bytes that are written to it at a time.
        preview: Bytes in its buffer above which it gets no preview.
        watchers: How many there may be.
        grace: Seconds that it has for reading the rest when it is ended.
    """

    high: int = 1 << 20
    low: int = 1 << 18
    patience: float = 20.0
    behind: int = 50_000
    chunk: int = 500
    chunk_bytes: int = 1 << 17
    preview: int = 1 << 14
    watchers: int = 2_000
    grace: float = 5.0


class Replay:
    """Writes what was sent before to those who do not have it, from the ring or the journal."""

    def __init__(self, ring: Ring, read: Read, bars: Bars) -> None:
        self._ring = ring
        self._read = read
        self._bars = bars
        self._turn = asyncio.Lock()

    async def next(self, watcher: Watcher, upto: int) -> None:
        """Write one chunk of the events up to a number, and move the watcher past it."""
        # One at a time: hundreds that come back after a restart must not hold up the others.
        async with self._turn:
            began = time.thread_time()
            if self._ring.covers(watcher.position):
                entries, position = self._remembered(watcher, upto)
            else:
                kept = await self._read(watcher.position, self._bars.chunk, watcher.job)
                began = time.thread_time()
                entries, position = self._kept(kept, upto)
            if entries:
                watcher.write(watcher.wire.events(entries))
            watcher.position = position
            await asyncio.sleep(2 * (time.thread_time() - began))

    def _remembered(self, watcher: Watcher, upto: int) -> tuple[list[Entry], int]:
        bars = self._bars
        entries = self._ring.between(watcher.position, upto, bars.chunk, bars.chunk_bytes)
        position = entries[-1].seq if entries else upto
        if watcher.job:
            entries = [entry for entry in entries if entry.job == watcher.job]
        return entries, position

    def _kept(self, kept: list[Kept], upto: int) -> tuple[list[Entry], int]:
        # The journal may know of events that were not sent to anybody yet: those come later.
        found = [Entry.of(item) for item in kept if item.seq <= upto]
        entries = within(found, self._bars.chunk_bytes)
        exhausted = len(entries) == len(found) and (
            len(kept) < self._bars.chunk or kept[-1].seq >= upto
        )
        return entries, upto if exhausted else entries[-1].seq


class Patience:
    """Whether a watcher that is behind still reads.

    Args:
        lag: How many events it is behind now.
    """

    def __init__(self, bars: Bars, lag: int) -> None:
        self._bars = bars
        self._lag = lag
        self._unread = 0
        self._since = 0.0

    def is_lost(self, unread: int, lag: int, now: float) -> bool:
        """Whether it is to be given up, asked while its buffer is not empty enough to write."""
        if unread < self._unread or not self._since:
            self._since = now
        self._unread = unread
        waited = now - self._since
        return waited > self._bars.patience or lag - self._lag > self._bars.behind

    def read(self) -> None:
        """It read enough to be written to again."""
        self._since = 0.0
