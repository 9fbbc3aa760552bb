from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from nodeflow.cache.memory import MemoryStore


def kept(store: MemoryStore, keys: Iterable[str]) -> str:
    return "".join(key for key in keys if key in store)


def test_the_least_cost_per_byte_leaves_first() -> None:
    store = MemoryStore(ram=100, device=0)
    store.put("a", 1, size=40, place="cpu", cost=4)  # H = 0.1
    store.put("b", 2, size=40, place="cpu", cost=1)  # H = 0.025
    store.put("c", 3, size=40, place="cpu", cost=8)  # H = 0.2 + 0.025
    assert kept(store, "abc") == "ac"


def test_a_value_that_nobody_asks_for_ages_and_leaves_before_cheaper_new_ones() -> None:
    # By hand, all of size 1 in a budget of 2: H = L + cost.
    store = MemoryStore(ram=2, device=0)
    store.put("dear", 0, size=1, place="cpu", cost=5)  # H 5
    for turn, key in enumerate("bcdef"):  # b has H 2; c pushes it out: L 2, H 4; d: L 4, H 6
        store.put(key, turn, size=1, place="cpu", cost=2)
    # dear (5) went when e came, for d has 6; L 5, e has 7; f pushed d out.
    assert kept(store, "bcdef") == "ef"
    assert "dear" not in store


def test_a_hit_makes_a_value_young_again() -> None:
    store = MemoryStore(ram=2, device=0)
    store.put("dear", 0, size=1, place="cpu", cost=5)
    for key in "bcdef":
        store.put(key, key, size=1, place="cpu", cost=2)
        assert store.get("dear") == 0
    assert "dear" in store


def test_ram_and_device_have_a_budget_each() -> None:
    store = MemoryStore(ram=10, device=10)
    store.put("a", 1, size=10, place="cpu", cost=1)
    store.put("b", 2, size=10, place="cuda:0", cost=1)
    assert kept(store, "ab") == "ab"
    store.put("c", 3, size=10, place="mps", cost=1)
    assert kept(store, "abc") == "ac"
    assert store.info()["ram_bytes"] == store.info()["device_bytes"] == 10


def test_what_is_larger_than_the_budget_is_kept_only_while_pinned() -> None:
    store = MemoryStore(ram=10, device=0)
    store.put("small", 1, size=5, place="cpu", cost=1)
    store.put("large", 2, size=11, place="cpu", cost=1)
    assert kept(store, ["small", "large"]) == "small"
    store.pin(["large"])
    store.put("large", 2, size=11, place="cpu", cost=1)
    assert store.get("large") == 2
    store.unpin(["large"])
    assert store.get("large") is None
    assert store.info()["ram_bytes"] == 0


def test_pins_are_counted() -> None:
    store = MemoryStore(ram=1, device=0)
    store.pin(["a", "a"])
    store.put("a", 1, size=1, place="cpu", cost=0)
    store.unpin(["a"])
    store.put("b", 2, size=1, place="cpu", cost=9)
    assert kept(store, "ab") == "a"
    store.unpin(["a"])
    store.put("b", 2, size=1, place="cpu", cost=9)
    assert kept(store, "ab") == "b"


def test_replacing_a_value_counts_its_bytes_once() -> None:
    store = MemoryStore(ram=100, device=100)
    for size in range(1, 90):
        store.put("a", size, size=size, place="cpu", cost=1)
    store.put("a", "moved", size=7, place="cuda:0", cost=1)
    assert store.get("a") == "moved"
    assert (store.info()["ram_bytes"], store.info()["device_bytes"]) == (0, 7)


def test_clear_lets_go_of_everything_and_keeps_pins() -> None:
    store = MemoryStore(ram=1, device=1)
    store.pin(["a"])
    store.put("a", 1, size=1, place="cpu", cost=1)
    store.clear()
    assert "a" not in store
    assert store.info()["ram_bytes"] == 0
    store.put("a", 1, size=1, place="cpu", cost=0)
    store.put("b", 1, size=1, place="cpu", cost=9)
    assert "a" in store


def test_hits_and_misses_are_counted() -> None:
    store = MemoryStore(ram=1, device=1)
    store.put("a", None, size=1, place="cpu", cost=1)
    store.get("a")
    store.get("b")
    info = store.info()
    assert (info["hits"], info["misses"], info["entries"]) == (1, 1, 1)


class NaiveStore:
    """Greedy-dual-size as the paper writes it: look at all to find the least."""

    def __init__(self, budgets: dict[str, int]) -> None:
        self.budgets = budgets
        self.clock = dict.fromkeys(budgets, 0.0)
        self.items: dict[str, tuple[object, int, str, float]] = {}
        self.h: dict[str, float] = {}
        self.pins: Counter[str] = Counter()

    def used(self, place: str) -> int:
        return sum(item[1] for item in self.items.values() if item[2] == place)

    def shrink(self, place: str, limit: int) -> None:
        while self.used(place) > limit:
            free = [k for k, i in self.items.items() if i[2] == place and not self.pins[k]]
            if not free:
                return
            victim = min(free, key=lambda key: self.h[key])
            self.clock[place] = max(self.clock[place], self.h[victim])
            del self.items[victim]

    def get(self, key: str) -> object | None:
        if key not in self.items:
            return None
        value, size, place, cost = self.items[key]
        self.h[key] = self.clock[place] + cost / size
        return value

    def put(self, key: str, value: object, size: int, place: str, cost: float) -> None:
        self.items.pop(key, None)
        if size > self.budgets[place] and not self.pins[key]:
            return
        self.shrink(place, self.budgets[place] - size)
        if self.used(place) + size > self.budgets[place] and not self.pins[key]:
            return
        self.items[key] = (value, size, place, cost)
        self.h[key] = self.clock[place] + cost / size

    def unpin(self, key: str) -> None:
        if not self.pins[key]:
            return
        self.pins[key] -= 1
        if not self.pins[key] and key in self.items:
            size, place = self.items[key][1:3]
            if size > self.budgets[place]:
                del self.items[key]
        for place, budget in self.budgets.items():
            self.shrink(place, budget)


KEYS = st.sampled_from("abcdefgh")
STEPS = st.one_of(
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("pin"), KEYS),
    st.tuples(st.just("unpin"), KEYS),
    st.tuples(st.just("put"), KEYS, st.integers(1, 12), st.sampled_from(["cpu", "cuda:0"])),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_it_keeps_exactly_what_a_naive_store_keeps(steps: list[tuple[str, ...]]) -> None:
    store = MemoryStore(ram=20, device=10)
    naive = NaiveStore({"cpu": 20, "cuda:0": 10})
    for turn, (action, key, *rest) in enumerate(steps):
        if action == "get":
            assert store.get(key) == naive.get(key)
        elif action == "pin":
            store.pin([key])
            naive.pins[key] += 1
        elif action == "unpin":
            store.unpin([key])
            naive.unpin(key)
        else:
            size, place = rest
            cost = (turn + 1) * 0.7310585 + size  # no two alike, so that no two H tie
            store.put(key, turn, size=size, place=place, cost=cost)
            naive.put(key, turn, size, place, cost)
        assert {key for key in "abcdefgh" if key in store} == set(naive.items)
        info = store.info()
        assert info["ram_bytes"] == naive.used("cpu")
        assert info["device_bytes"] == naive.used("cuda:0")


def test_ten_thousand_replacements_do_not_make_the_heap_grow() -> None:
    store = MemoryStore(ram=1 << 20, device=0)
    for turn in range(10_000):
        store.put(str(turn % 10), turn, size=1, place="cpu", cost=1)
    assert len(store._ram.heap) < 200


def test_threads_at_once_leave_the_count_of_bytes_right() -> None:
    store = MemoryStore(ram=500, device=0)

    def work(seed: int) -> None:
        for turn in range(2000):
            key = str((seed * 31 + turn * 7) % 97)
            if store.get(key) is None:
                store.put(key, (key,), size=1 + turn % 50, place="cpu", cost=turn % 5)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    info = store.info()
    held = [item.size for item in store._items.values()]
    assert info["ram_bytes"] == sum(held) <= 500
    assert info["entries"] == len(held) > 0
