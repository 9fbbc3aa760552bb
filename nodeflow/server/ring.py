"""Ring: the newest events, encoded, for watchers that are only a little behind."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from operator import attrgetter

from nodeflow.server.frames import Entry

_seq = attrgetter("seq")


class Ring:
    """The last events in order; older ones must be read from the journal.

    Args:
        floor: Number of the last event before the first one here.
        count: How many are kept at most.
        size: How many bytes they may have together.
    """

    def __init__(self, floor: int, count: int = 10_000, size: int = 8 << 20) -> None:
        self.floor = floor
        self._count = count
        self._size = size
        self._entries: list[Entry] = []
        self._bytes = 0

    @property
    def last(self) -> int:
        """Number of the newest event."""
        return self._entries[-1].seq if self._entries else self.floor

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add newer events; the oldest go where there are too many."""
        for entry in entries:
            self._entries.append(entry)
            self._bytes += len(entry.data)
        # A quarter goes at once, since the front of a list is dear to cut.
        if len(self._entries) > self._count or self._bytes > self._size:
            self._shrink(self._count * 3 // 4, self._size * 3 // 4)

    def covers(self, position: int) -> bool:
        """Whether all events after `position` are here."""
        return position >= self.floor

    def between(self, after: int, upto: int, limit: int, size: int) -> list[Entry]:
        """Events after one and up to another, as many as `limit` and `size` allow, but one."""
        first = bisect_right(self._entries, after, key=_seq)
        last = bisect_right(self._entries, upto, key=_seq)
        return within(self._entries[first : min(last, first + limit)], size)

    def _shrink(self, count: int, size: int) -> None:
        going = 0
        while len(self._entries) - going > count or self._bytes > size:
            self._bytes -= len(self._entries[going].data)
            going += 1
        self.floor = self._entries[going - 1].seq
        del self._entries[:going]


def within(entries: list[Entry], size: int) -> list[Entry]:
    """As many of the first events as have `size` bytes together, but at least one."""
    for index, entry in enumerate(entries):
        size -= len(entry.data)
        if size < 0:
            return entries[: max(index, 1)]
    return entries
