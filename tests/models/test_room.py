"""Room for models: made before they are loaded, by letting go of what is least worth keeping."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.devices import Device
from nodeflow.errors import Cancelled, InputError, OutOfMemoryError
from nodeflow.models import memory
from nodeflow.models.memory import ModelMemory
from nodeflow.progress import working
from nodeflow.sockets import Recipe

CPU = Device()


def recipe(name: str) -> Recipe:
    return Recipe(f"/models/{name}", name, "denoiser", "toy")


@pytest.fixture(autouse=True, scope="module")
def _without_looking_for_garbage() -> Iterator[None]:
    """Hundreds of times would take minutes; the last test does it in a process of its own."""
    with mock.patch.object(memory, "_hand_back"):
        yield


class Shelf:
    """Models with sizes, and a count of how often each was loaded."""

    def __init__(self, memory: ModelMemory) -> None:
        self.memory = memory
        self.loads: list[str] = []
        self.used_before: list[int] = []

    def get(
        self, name: str, size: int, *, known: bool = True, device: Device = CPU, slow: bool = False
    ) -> str:
        def load() -> str:
            self.loads.append(name)
            self.used_before.append(self.memory.used)
            if slow:
                time.sleep(0.05)
            return f"{name} at {device.name}"

        return self.memory.get(
            recipe(name), device, load, lambda model: size, lambda: size if known else 0
        )

    def names(self) -> set[str]:
        return {str(model["name"]) for model in self.memory.info()["models"]}


@given(
    budget=st.integers(0, 50),
    known=st.booleans(),
    asked=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 30)), max_size=30),
)
def test_the_budget_is_kept_and_nothing_that_is_there_is_loaded_again(
    budget: int, known: bool, asked: list[tuple[str, int]]
) -> None:
    sizes = dict(asked)
    shelf = Shelf(ModelMemory(budget))
    for name, _ in asked:
        there = shelf.names()
        loads = len(shelf.loads)
        assert shelf.get(name, sizes[name], known=known) == f"{name} at cpu"
        assert (len(shelf.loads) > loads) == (name not in there)
        assert name in shelf.names()
        assert shelf.memory.used == sum(sizes[one] for one in shelf.names())
        assert shelf.memory.used <= budget or shelf.names() == {name}
        if known and name not in there and sizes[name] <= budget:
            assert shelf.used_before[-1] + sizes[name] <= budget


def test_room_is_made_before_a_model_is_loaded_by_what_is_known_of_it() -> None:
    shelf = Shelf(ModelMemory(100))
    for name in ("one", "two", "one"):
        shelf.get(name, 60, known=False)
    # The third time its size is remembered; the second time nobody knew.
    assert shelf.used_before == [0, 60, 0]


def test_what_is_used_often_or_takes_long_to_load_stays() -> None:
    shelf = Shelf(ModelMemory(100))
    shelf.get("slow", 40, slow=True)
    shelf.get("quick", 40)
    shelf.get("new", 40)
    assert shelf.names() == {"slow", "new"}

    shelf = Shelf(ModelMemory(100))
    for _ in range(5):
        shelf.get("liked", 40)
    shelf.get("seldom", 40)
    shelf.get("new", 40)
    assert shelf.names() == {"liked", "new"}


def test_what_was_liked_once_leaves_when_others_are_used_for_long() -> None:
    shelf = Shelf(ModelMemory(100))
    for _ in range(5):
        shelf.get("liked", 40)
    for turn in range(40):
        shelf.get(f"other {turn % 3}", 40)
    assert "liked" not in shelf.names()


def test_what_a_call_has_in_hand_stays_until_it_is_over() -> None:
    shelf = Shelf(ModelMemory(100))
    with shelf.memory.lease():
        shelf.get("mine", 80)
        shelf.get("other", 80)
        assert shelf.names() == {"mine", "other"}
        assert shelf.memory.make_room() == 0
    shelf.get("third", 80)
    assert shelf.names() == {"third"}
    assert shelf.memory.make_room() == 80
    assert shelf.names() == set()


@pytest.mark.parametrize("raised", [MemoryError, lambda: out_of_memory_while_reading()])
def test_a_model_that_finds_no_room_is_loaded_in_place_of_those_that_nobody_uses(
    raised: Callable[[], Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = Shelf(ModelMemory(1 << 40))
    shelf.get("idle", 3 << 20)

    def load() -> str:
        if shelf.names() != {"mine"}:
            raise raised()
        return "loaded"

    with shelf.memory.lease():
        shelf.get("mine", 10)
        assert shelf.memory.get(recipe("new"), CPU, load, len) == "loaded"
    said = "Out of memory: let go of models that are not in use, 3 MiB, to try again.\n"
    assert capsys.readouterr().out == said


def test_a_model_that_finds_no_room_at_all_is_named_and_can_be_asked_for_again() -> None:
    shelf = Shelf(ModelMemory(1 << 40))
    turns = iter([MemoryError(), None])

    def load() -> str:
        error = next(turns)
        if error is not None:
            raise error
        return "loaded"

    with pytest.raises(OutOfMemoryError, match=r"no room to load the denoiser of 'new'; run with"):
        shelf.memory.get(recipe("new"), CPU, load, len)
    assert shelf.memory.get(recipe("new"), CPU, load, len) == "loaded"


def out_of_memory_while_reading() -> InputError:
    error = InputError("the weights cannot be read")
    error.__cause__ = MemoryError()
    return error


def test_each_device_has_a_budget_of_its_own() -> None:
    shelf = Shelf(ModelMemory(100, lambda device: 50))
    gpu = Device("cuda:0")
    shelf.get("ram", 90)
    shelf.get("first", 40, device=gpu)
    shelf.get("second", 40, device=gpu)
    assert shelf.names() == {"ram", "second"}


def test_many_that_want_one_model_wait_for_one_load() -> None:
    models = ModelMemory(100)
    loads: list[int] = []
    begun = threading.Event()

    def load() -> object:
        loads.append(1)
        begun.wait(5)
        return object()

    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(models.get, recipe("one"), CPU, load, lambda model: 1) for _ in range(8)
        ]
        while not loads:
            time.sleep(0.001)
        begun.set()
        found = {id(one.result(10)) for one in asked}
    assert len(loads) == 1
    assert len(found) == 1


def test_different_models_are_loaded_side_by_side() -> None:
    models = ModelMemory(100)
    together = threading.Barrier(2, timeout=5)

    def load() -> object:
        together.wait()
        return object()

    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(models.get, recipe(name), CPU, load, lambda model: 1)
            for name in ("one", "two")
        ]
        assert all(one.result(10) for one in asked)


def test_a_load_that_fails_is_told_to_all_and_leaves_nothing() -> None:
    models = ModelMemory(100)
    loads: list[int] = []
    go = threading.Event()

    def broken() -> object:
        loads.append(1)
        go.wait(5)
        raise ValueError("torn file")

    with ThreadPoolExecutor(3) as pool:
        asked = [
            pool.submit(models.get, recipe("one"), CPU, broken, lambda model: 1) for _ in range(3)
        ]
        while not loads:
            time.sleep(0.001)
        time.sleep(0.1)
        go.set()
        errors = [one.exception(10) for one in asked]
    assert [str(error) for error in errors] == ["torn file"] * 3
    assert len(loads) == 1
    assert models.info()["models"] == []
    assert models.get(recipe("one"), CPU, lambda: "whole", lambda model: 1) == "whole"


def test_who_is_cancelled_while_loading_does_not_fail_those_that_wait() -> None:
    models = ModelMemory(100)
    go = threading.Event()
    turns: list[str] = []

    def cancelled() -> str:
        turns.append("cancelled")
        go.wait(5)
        raise Cancelled

    def whole() -> str:
        turns.append("whole")
        return "whole"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(models.get, recipe("one"), CPU, cancelled, lambda model: 1)
        while not turns:
            time.sleep(0.001)
        second = pool.submit(models.get, recipe("one"), CPU, whole, lambda model: 1)
        go.set()
        assert isinstance(first.exception(10), Cancelled)
        assert second.result(10) == "whole"


def test_who_waits_for_the_load_of_another_can_be_cancelled() -> None:
    models = ModelMemory(100)
    loading, go = threading.Event(), threading.Event()

    def load() -> str:
        loading.set()
        go.wait(5)
        return "whole"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(models.get, recipe("one"), CPU, load, lambda model: 1)
        assert loading.wait(5)
        with working(lambda: True), pytest.raises(Cancelled):
            models.get(recipe("one"), CPU, load, lambda model: 1)
        go.set()
        assert first.result(10) == "whole"


def test_what_is_on_its_way_while_all_is_cleared_does_not_stay() -> None:
    models = ModelMemory(100)

    def load() -> str:
        models.clear()
        return "old"

    assert models.get(recipe("one"), CPU, load, lambda model: 1) == "old"
    assert models.info()["models"] == []


RESIDENT = """
import gc, psutil
from nodeflow.devices import Device
from nodeflow.models.memory import ModelMemory
from nodeflow.sockets import Recipe

def rss():
    return psutil.Process().memory_info().rss

def load():
    # Blocks of all sizes, as weights have them: some are mapped, some lie in the heap.
    return [bytearray(size * 1024) for size in (16, 90, 500, 3000) for _ in range(60)]

memory = ModelMemory(1 << 40)
def fill(name):
    recipe = Recipe(name, name, "denoiser", "toy")
    memory.get(recipe, Device(), load, lambda model: sum(map(len, model)))

fill("warm"); memory.clear()
before = rss()
for name in "abc":
    fill(name)
held = rss()
memory.make_room()
print(before, held, rss())
"""


def test_the_system_has_the_memory_back_when_models_have_left() -> None:
    said = subprocess.run(
        [sys.executable, "-c", RESIDENT], capture_output=True, text=True, timeout=60, check=True
    )
    before, held, after = map(int, said.stdout.split())
    assert held > 4 * before
    assert after <= 1.1 * before
