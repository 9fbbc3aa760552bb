from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nodeflow.cache.disk import DiskStore
from nodeflow.cache.entry import Entry, StoredOutput
from nodeflow.values import Payload

OpenStore = Callable[..., DiskStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the store in `tmp_path / "store"`, as often as wanted, and closes all at the end."""
    opened: list[DiskStore] = []

    def open_one(budget: int = 1 << 26, folder: Path = tmp_path / "store") -> DiskStore:
        opened.append(DiskStore(folder, budget))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


def content(name: str, size: int) -> bytes:
    """Bytes that `name` alone determines."""
    return hashlib.shake_128(name.encode()).digest(size)


def blob(name: str, size: int, seconds: float = 1.0) -> Entry:
    """An entry of one output with `size` bytes that `name` alone determines."""
    payload = Payload("safetensors", content(name, size))
    return Entry((StoredOutput("value", "Image", payload, name),), {"name": name}, seconds)


def number(value: int) -> Entry:
    return Entry((StoredOutput("value", "int", Payload("json", b"%d" % value)),))


def store_all(store: DiskStore, entries: dict[str, Entry]) -> list[Exception | None]:
    """Put them, wait, and say how each ended, in the order in which the store told."""
    outcomes: list[Exception | None] = []
    for key, entry in entries.items():
        store.put(key, lambda entry=entry: entry, outcomes.append)
    store.flush()
    return outcomes


def value_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "values").rglob("*") if path.is_file()]
