"""Memory that was freed leaves the process."""

from __future__ import annotations

import ctypes
import platform

import psutil
import pytest

from nodeflow.cache.memory import MemoryStore
from nodeflow.heap import give_back

MB = 1 << 20
BLOCKS = 1600
BLOCK = 64 << 10
"""Bytes; below what glibc ever maps on its own."""


class Holes:
    """Blocks of the C heap; the last one keeps the heap from shrinking by itself."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.malloc.restype = ctypes.c_void_p
        self._blocks = [ctypes.c_void_p(self._libc.malloc(BLOCK)) for _ in range(BLOCKS)]
        for block in self._blocks:
            ctypes.memset(block, 1, BLOCK)

    def free_all_but_the_last(self) -> None:
        for block in self._blocks[:-1]:
            self._libc.free(block)
        self._blocks = self._blocks[-1:]

    def free(self) -> None:
        for block in self._blocks:
            self._libc.free(block)
        self._blocks = []


@pytest.fixture
def holes():
    found = Holes()
    yield found
    found.free()


def resident() -> int:
    return psutil.Process().memory_info().rss


def test_freed_memory_is_handed_back_where_the_c_library_can(holes):
    full = resident()
    holes.free_all_but_the_last()

    able = give_back()

    assert able == (platform.libc_ver()[0] == "glibc")
    assert not able or resident() < full - BLOCKS * BLOCK // 2


def test_the_store_hands_memory_back_once_it_has_evicted_much(holes):
    store = MemoryStore(ram=100 * MB, device=0)
    full = resident()
    holes.free_all_but_the_last()

    for number in range(12):
        store.put(f"picture {number}", object(), size=25 * MB, place="cpu", cost=1.0)

    assert store.info()["evicted"] == 8
    assert platform.libc_ver()[0] != "glibc" or resident() < full - BLOCKS * BLOCK // 2
