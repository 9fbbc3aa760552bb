"""MemoryStore: live values under byte budgets, evicted by greedy-dual-size.

P. Cao and S. Irani, "Cost-Aware WWW Proxy Caching Algorithms", USENIX 1997: an item enters, and is
refreshed on every hit, with H = L + cost / size; the item of least H leaves, and L becomes its H.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from nodeflow.heap import give_back

LOOSE = 64 << 20
"""Bytes of evicted values after which freed memory is handed back to the system."""


@dataclass(slots=True)
class _Item:
    value: object
    size: int
    worth: float
    pool: _Pool
    h: float
    queued: bool = False


@dataclass(slots=True)
class _Pool:
    """One budget, its clock L, and its heap of (a lower bound of H, order, key, item)."""

    budget: int
    used: int = 0
    clock: float = 0.0
    heap: list[tuple[float, int, str, _Item]] = field(default_factory=list)


class MemoryStore:
    """Values by key; safe for use from several threads.

    Values in RAM and values on the device have a budget each. What is pinned never leaves, so a
    budget is exceeded while more than it is pinned.
    """

    def __init__(self, ram: int, device: int) -> None:
        self._lock = threading.Lock()
        self._ram = _Pool(ram)
        self._device = _Pool(device)
        self._items: dict[str, _Item] = {}
        self._pins: dict[str, int] = {}
        self._order = itertools.count()
        self._hits = self._misses = self._evicted = 0
        self._loose = 0

    def get(self, key: str) -> object | None:
        """The value under `key`, refreshed; None if it is not here."""
        with self._lock:
            item = self._items.get(key)
            if item is None:
                self._misses += 1
                return None
            self._hits += 1
            # H only grows, so the heap keeps the old H as a lower bound until it comes up.
            item.h = item.pool.clock + item.worth
            return item.value

    def put(self, key: str, value: object, *, size: int, place: str, cost: float) -> None:
        """Keep `value`, and let others go to make room.

        Args:
            size: Bytes it holds. More than pinned values leave of the budget is not kept, unless it
                is pinned itself.
            place: `cpu` counts against the budget of RAM, anything else against the device's.
            cost: Seconds it took to make.
        """
        pool = self._ram if place == "cpu" else self._device
        with self._lock:
            self._drop(key)
            if size > pool.budget and key not in self._pins:
                return  # before others are evicted in vain
            self._shrink(pool, pool.budget - size)
            if pool.used + size > pool.budget and key not in self._pins:
                return
            worth = cost / max(size, 1)
            item = _Item(value, size, worth, pool, pool.clock + worth)
            self._items[key] = item
            pool.used += size
            if key not in self._pins:
                self._queue(key, item)

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def pin(self, keys: Iterable[str]) -> None:
        """Keep these, here already or not, until `unpin` was called as often as `pin`."""
        with self._lock:
            for key in keys:
                self._pins[key] = self._pins.get(key, 0) + 1

    def unpin(self, keys: Iterable[str]) -> None:
        """Take back one `pin` of each of these."""
        with self._lock:
            for key in keys:
                count = self._pins.get(key, 0)
                if count > 1:
                    self._pins[key] = count - 1
                elif count == 1:
                    del self._pins[key]
                    self._release(key)
            for pool in (self._ram, self._device):
                self._shrink(pool, pool.budget)

    def clear(self) -> None:
        """Let go of everything; pins stay, for what is put again."""
        with self._lock:
            self._items.clear()
            self._ram = _Pool(self._ram.budget)
            self._device = _Pool(self._device.budget)

    def info(self) -> dict[str, int]:
        """Counts and bytes, for people."""
        with self._lock:
            return {
                "entries": len(self._items),
                "pinned": len(self._pins),
                "ram_bytes": self._ram.used,
                "ram_budget": self._ram.budget,
                "device_bytes": self._device.used,
                "device_budget": self._device.budget,
                "hits": self._hits,
                "misses": self._misses,
                "evicted": self._evicted,
            }

    def _release(self, key: str) -> None:
        item = self._items.get(key)
        if item is not None and item.size > item.pool.budget:
            self._drop(key)
        elif item is not None and not item.queued:
            self._queue(key, item)

    def _queue(self, key: str, item: _Item) -> None:
        item.queued = True
        heap = item.pool.heap
        heapq.heappush(heap, (item.h, next(self._order), key, item))
        if len(heap) > 64 + 2 * len(self._items):  # mostly items that were replaced
            heap[:] = [slot for slot in heap if self._items.get(slot[2]) is slot[3]]
            heapq.heapify(heap)

    def _drop(self, key: str) -> None:
        item = self._items.pop(key, None)
        if item is not None:
            item.pool.used -= item.size

    def _shrink(self, pool: _Pool, limit: int) -> None:
        """Evict what has the least H until `limit` bytes are used, or only pinned ones are left."""
        while pool.used > limit and pool.heap:
            bound, _, key, item = heapq.heappop(pool.heap)
            if self._items.get(key) is not item:
                continue
            if key in self._pins:
                item.queued = False  # `_release` queues it again
            elif bound < item.h:
                heapq.heappush(pool.heap, (item.h, next(self._order), key, item))
            else:
                pool.clock = max(pool.clock, item.h)  # unpinned ones may be worth less than L
                self._drop(key)
                self._evicted += 1
                self._loose += item.size if pool is self._ram else 0
        if self._loose >= LOOSE:
            self._loose = 0
            give_back()
