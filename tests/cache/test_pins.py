"""Pins: in force with the next commit, lasting or for a week, owner by owner."""

from __future__ import annotations

import sqlite3
import time

from nodeflow.cache import pins
from nodeflow.cache.disk import DiskStore
from nodeflow.errors import StoreError
from tests.cache.conftest import OpenStore, blob, store_all


def pinned(store: DiskStore) -> set[tuple[str, str]]:
    store.flush()
    with sqlite3.connect(store.info()["index"]) as connection:
        return set(connection.execute("SELECT owner, key FROM pins"))


def grow_old(store: DiskStore, owner: str) -> None:
    with sqlite3.connect(store.info()["index"]) as connection:
        long_ago = time.time() - pins.KEEP_SECONDS - 60
        connection.execute("UPDATE pins SET at = ? WHERE owner = ?", (long_ago, owner))


def test_an_owner_may_go_on_with_fewer_pins_and_new_ones(open_store: OpenStore) -> None:
    store = open_store()
    store.pin("job:1", ["a", "b", "c"])
    store.pin("job:2", ["a"])
    store.pin_only("job:1", ["c", "d"])
    assert pinned(store) == {("job:1", "c"), ("job:1", "d"), ("job:2", "a")}


def test_several_owners_let_go_at_once(open_store: OpenStore) -> None:
    store = open_store()
    for owner in ("job:1", "job:2", "job:3"):
        store.pin(owner, ["a"])
    store.unpin(["job:1", "job:3", "job:unknown"])
    assert pinned(store) == {("job:2", "a")}


def test_pins_of_a_job_outlive_a_week_and_those_of_a_killed_process_do_not(
    open_store: OpenStore,
) -> None:
    store = open_store()
    store_all(store, {key: blob(key, 50_000) for key in ("kept", "left", "free")})
    store.pin("job:1", ["kept"])
    store.pin("a process", ["left"])
    store.flush()
    for owner in ("job:1", "a process"):
        grow_old(store, owner)
    other = open_store()
    other.prune(0)
    assert pinned(store) == {("job:1", "kept")}
    other.prune(0)
    assert store.present(["kept", "left", "free"]) == {"kept"}
    other.unpin(["job:1"])
    other.prune(0)
    assert store.present(["kept"]) == set()


def test_what_is_pinned_survives_a_put_of_another_process_that_came_right_after(
    open_store: OpenStore,
) -> None:
    store, other = open_store(budget=500_000), open_store(budget=500_000)
    store_all(store, {"old": blob("old", 50_000, seconds=0)})
    store.pin("job:1", ["old", "new"])
    store_all(store, {"new": blob("new", 50_000, seconds=0)})
    store_all(other, {f"k{i}": blob(f"k{i}", 50_000) for i in range(30)})
    assert store.present(["old", "new"]) == {"old", "new"}


def test_a_closed_store_says_that_it_pins_nothing(open_store: OpenStore) -> None:
    store = open_store()
    store.close()
    told: list[Exception | None] = []
    store.pin("job:1", ["a"], told.append)
    assert isinstance(told[0], StoreError)


def test_what_is_remembered_soon_is_there_after_a_flush(open_store: OpenStore) -> None:
    store = open_store()
    told: list[Exception | None] = []
    store.remember_soon("parts", {"w": {"a": 1}}, told.append)
    store.flush()
    assert told == [None]
    assert open_store().recall("parts", ["w"]) == {"w": {"a": 1}}
    assert store.recall("parts", ["w", "x"]) == {"w": {"a": 1}}
