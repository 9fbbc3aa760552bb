from __future__ import annotations

import os

from nodeflow.errors import StoreError
from tests.cache.conftest import OpenStore, blob, number, store_all, value_files


def test_the_budget_holds_and_the_dearest_bytes_stay(open_store: OpenStore) -> None:
    store = open_store(budget=1_000_000)
    store_all(store, {"dear": blob("dear", 50_000, seconds=1000)})
    for i in range(40):
        store_all(store, {f"k{i}": blob(f"k{i}", 50_000, seconds=1)})
        assert store.info()["bytes"] <= 1_000_000
    assert store.get("dear") == blob("dear", 50_000, seconds=1000)
    assert "k39" in store.present(["k39"])
    assert store.info()["evicted"] >= 20
    on_disk = sum(path.stat().st_size for path in value_files(store.folder))
    assert on_disk <= 1_000_000


def test_many_tiny_entries_are_evicted_too(open_store: OpenStore) -> None:
    store = open_store(budget=200_000)
    store_all(store, {f"k{i}": number(i) for i in range(3000)})
    assert store.info()["bytes"] <= 200_000
    assert 300 < len(store.present([f"k{i}" for i in range(3000)])) < 1000


def test_a_read_keeps_an_old_entry_from_leaving(open_store: OpenStore) -> None:
    store = open_store(budget=500_000)
    store_all(store, {"used": blob("used", 50_000, 1.5), "idle": blob("idle", 50_000, 1.5)})
    for i in range(40):
        assert store.get("used") is not None
        store_all(store, {f"k{i}": blob(f"k{i}", 50_000, 1)})
    assert store.present(["used", "idle"]) == {"used"}


def test_a_value_larger_than_the_budget_is_refused_with_a_sentence(open_store: OpenStore) -> None:
    store = open_store(budget=100_000)
    (small, large) = store_all(store, {"s": number(1), "l": blob("l", 100_001)})
    assert small is None
    assert isinstance(large, StoreError)
    assert "NODEFLOW_DISK" in str(large)
    assert store.present(["s", "l"]) == {"s"}
    assert value_files(store.folder) == list((store.folder / "unfinished").iterdir()) == []


def test_a_value_as_large_as_the_budget_pushes_all_others_out(open_store: OpenStore) -> None:
    store = open_store(budget=100_000)
    store_all(store, {"s": blob("s", 60_000)})
    assert store_all(store, {"l": blob("l", 99_000, seconds=0)}) == [None]
    assert store.present(["s", "l"]) == {"l"}


def test_pins_are_honoured_by_every_evictor_until_unpinned(open_store: OpenStore) -> None:
    first, second = open_store(budget=500_000), open_store(budget=500_000)
    store_all(first, {"mine": blob("mine", 50_000, seconds=0)})
    first.pin("job 1", ["mine", "later"])
    first.pin("job 2", ["mine"])
    first.flush()
    store_all(second, {f"k{i}": blob(f"k{i}", 50_000) for i in range(30)})
    second.unpin(["job 2"])
    second.flush()
    store_all(second, {f"l{i}": blob(f"l{i}", 50_000) for i in range(30)})
    assert first.get("mine") == blob("mine", 50_000, seconds=0)
    second.unpin(["job 1"])
    second.flush()
    store_all(second, {f"m{i}": blob(f"m{i}", 50_000) for i in range(30)})
    assert first.present(["mine"]) == set()


def test_entries_of_others_leave_before_those_of_this_process(open_store: OpenStore) -> None:
    old, new = open_store(budget=500_000), open_store(budget=500_000)
    store_all(old, {f"old{i}": blob(f"old{i}", 50_000, seconds=100) for i in range(5)})
    new_keys = [f"new{i}" for i in range(8)]
    store_all(new, {key: blob(key, 50_000, seconds=0) for key in new_keys})
    assert new.present(new_keys) == set(new_keys)


def test_prune_shrinks_to_a_smaller_budget_but_not_below_what_is_pinned(
    open_store: OpenStore,
) -> None:
    store = open_store()
    store_all(store, {f"k{i}": blob(f"k{i}", 50_000, seconds=i) for i in range(10)})
    store.pin("job", ["k0"])
    store.prune(200_000)
    assert store.info()["bytes"] <= 200_000
    assert store.present([f"k{i}" for i in range(10)]) == {"k0", "k8", "k9"}
    assert len(value_files(store.folder)) == 3


def test_prune_deletes_old_orphans_and_leaves_young_ones(open_store: OpenStore) -> None:
    store = open_store()
    store_all(store, {"k": blob("k", 50_000)})
    folder = store.folder / "values" / "ab"
    folder.mkdir(exist_ok=True)
    for path in (folder / "ab01.json", store.folder / "unfinished" / "tmp1"):
        path.write_bytes(b"left behind")
        os.utime(path, (1, 1))
    young = folder / "ab02.json"
    young.write_bytes(b"about to be referred to")
    (referred,) = [path for path in value_files(store.folder) if path.stat().st_size == 50_000]
    os.utime(referred, (1, 1))
    store.prune()
    assert set(value_files(store.folder)) == {young, referred}
    assert list((store.folder / "unfinished").iterdir()) == []
    assert store.get("k") is not None
