"""The engine as a server's worker uses it: pins by job, memory given back, packs read again."""

from __future__ import annotations

import sqlite3
import sys
import threading

import pytest

from nodeflow.devices import Device, DeviceFacts
from nodeflow.engine import Engine
from nodeflow.events import NodeFinished, RunFinished
from nodeflow.settings import Settings
from nodeflow.sockets import Recipe
from nodeflow.workflow import Workflow

NODE = """
from nodeflow import node

@node()
def f(a: int = 0) -> int:
    return a + {more}
"""
CHAIN = {
    "a": ("number", {"value": 1}),
    "b": ("add", {"a": "@a"}),
    "c": ("add", {"a": "@b"}),
    "save": ("write", {"a": "@b"}),
}


def pins(engine: Engine) -> dict[str, set[str]]:
    assert engine.disk is not None
    engine.disk.flush()
    found: dict[str, set[str]] = {}
    with sqlite3.connect(engine.disk.info()["index"]) as connection:
        for owner, key in connection.execute("SELECT owner, key FROM pins"):
            found.setdefault(owner, set()).add(key)
    return found


def keys(house) -> dict[str, str]:
    return {event.node: event.key for event in house.events if isinstance(event, NodeFinished)}


def test_a_run_bears_the_name_that_it_is_given(house, flow):
    house.run(flow({"n": ("number", {})}, {"n": "n"}), run_id="5f0c")
    assert {event.run for event in house.events} == {"5f0c"}
    assert isinstance(house.events[-1], RunFinished)


def test_after_a_run_only_what_it_gave_stays_pinned_until_it_is_let_go(house, flow):
    house.run(flow(CHAIN, {"out": "c"}), pin="job:1")
    engine, found = house.engine, keys(house)
    assert {found["c"], found["save"]} < pins(engine)["job:1"]
    assert not {found["a"], found["b"]} & pins(engine)["job:1"]
    house.run(flow(CHAIN, {"out": "c"}), pin="job:2")
    assert {found["c"], found["save"]} < pins(engine)["job:2"]
    engine.disk.prune(0)
    assert engine.disk.present(found.values()) == {found["c"], found["save"]}
    engine.unpin(["job:1", "job:2"])
    assert pins(engine) == {}
    house.run(flow(CHAIN, {"out": "c"}))
    assert pins(engine) == {}


def test_while_a_run_runs_all_that_it_made_is_pinned(house, flow):
    engine = house.open()
    cancel, seen = threading.Event(), threading.Event()
    nodes = CHAIN | {"hang": ("hang", {}), "w": ("choose", {"first": True, "a": "@c", "b": "@a"})}
    found: dict[str, str] = {}

    def emit(event) -> None:
        if isinstance(event, NodeFinished):
            found[event.node] = event.key
            if {"a", "b", "c", "w"} <= found.keys():
                seen.set()

    flown = flow(nodes, {"h": "hang", "w": "w"})
    how = {"out": house.folder / "out", "pin": "job:1", "cancel": cancel, "emit": emit}
    run = threading.Thread(target=engine.run, args=(flown,), kwargs=how)
    run.start()
    assert seen.wait(20)
    assert {found[name] for name in "abcw"} <= pins(engine)["job:1"]
    cancel.set()
    run.join(20)
    assert not run.is_alive()
    assert not {found["a"], found["b"], found["c"]} & pins(engine)["job:1"]
    assert found["w"] in pins(engine)["job:1"]


def test_of_a_list_the_items_stay_pinned_too(house, flow):
    nodes = {"l": ("upto", {"count": 3}), "s": ("swatch", {"grey": "@l"})}
    for turn in ("made", "found"):
        house.open()
        house.run(flow(nodes, {"all": "s"}), pin=f"job:{turn}")
        house.engine.disk.prune(0)
    house.open()
    result = house.run(flow(nodes, {"all": "s"}))
    assert [swatch.grey for swatch in result["all"]] == [0, 1, 2]
    assert not house.ran()["s"]


def test_a_picture_that_was_exported_stays_known(house, flow):
    shown = flow({"s": ("swatch", {"grey": 9})}, {"colour": "s"})
    first = house.run(shown, pin="job:1").outputs
    house.engine.disk.prune(0)
    house.open()
    assert house.run(shown).outputs == first


def test_free_lets_go_of_models_and_values(house, flow):
    engine = house.open()
    house.run(flow(CHAIN, {"out": "c"}))
    recipe = Recipe("/models/toy.bin", "d", "vae", "toy")
    engine.models.get(recipe, Device(), lambda: "weights", lambda model: 1234)
    told = engine.info()
    assert told["memory"]["entries"] > 0
    assert told["models"]["bytes"] == 1234
    assert told["disk"]["entries"] > 0
    assert told["rss"] > 1 << 20
    assert engine.free() > 1 << 20
    assert engine.info()["memory"]["entries"] == 0
    assert engine.info()["models"]["models"] == []
    house.run(flow(CHAIN, {"out": "c"}))
    assert not house.ran()


def test_info_without_a_disk_store_says_so(house):
    assert house.open(cache=False).info()["disk"] is None


@pytest.fixture
def edited(shelf, tmp_path, cache):
    """An engine with a pack that a test may write anew."""
    shelf.write("alive", nodes=NODE.format(more=1))
    settings = Settings(packs=(shelf.folder,), cache=cache, data=tmp_path / "data", models=())

    def start() -> Engine:
        engine = Engine(settings)
        engine.__dict__["device"] = DeviceFacts(Device(), "a device of the tests")
        engines.append(engine)
        return engine

    engines: list[Engine] = []
    yield start
    for engine in engines:
        engine.close()


FLOW = Workflow.from_data(
    {
        "nodeflow": 1,
        "nodes": {"n": {"type": "alive.f", "inputs": {"a": 1}}},
        "outputs": {"n": {"node": "n", "output": "int"}},
    }
)


def test_an_edited_pack_runs_as_it_is_now(edited, shelf):
    engine = edited()
    assert engine.run(FLOW)["n"] == 2
    shelf.write("alive", nodes=NODE.format(more=5))
    assert engine.read_packs() == ()
    assert engine.run(FLOW)["n"] == 6
    shelf.write("alive", nodes=NODE.format(more=1))
    assert engine.read_packs() == ()
    result = engine.run(FLOW)
    assert result["n"] == 2
    assert result.nodes["n"].outcome == "disk"


def test_a_pack_that_breaks_runs_as_it_was_and_is_told_of(edited, shelf):
    engine = edited()
    assert engine.run(FLOW)["n"] == 2
    shelf.write("alive", nodes="from nodeflow import node\nraise ValueError('half an edit')")
    (error,) = engine.read_packs()
    assert "half an edit" in error.sentence
    assert engine.run(engine.with_inputs(FLOW, {"n.a": 7}))["n"] == 8


def test_a_new_engine_on_a_broken_pack_fails_its_nodes_with_a_sentence(edited, shelf):
    edited().registry  # noqa: B018  (read, and so remembered)
    for name in [name for name in sys.modules if name.split(".")[0] == "alive"]:
        del sys.modules[name]
    shelf.write("alive", nodes="from nodeflow import node\nraise ValueError('half an edit')")
    engine = edited()
    result = engine.run(FLOW)
    assert result.status == "failed"
    (error,) = result.errors
    assert error.sentence.startswith("Pack 'alive': its nodes cannot run until it is mended: ")
    assert "half an edit" in error.sentence


def test_values_and_models_of_an_edited_pack_are_let_go(edited, shelf):
    engine = edited()
    engine.run(FLOW)

    def load(module: str):
        def loader() -> str:
            return "weights"

        loader.__module__ = module
        return loader

    for module in ("alive.nodes", "another.nodes"):
        recipe = Recipe(f"/{module}", module, "vae", "toy")
        engine.models.get(recipe, Device(), load(module), lambda model: 1)
    engine.read_packs()
    assert engine.info()["memory"]["entries"] == 1
    shelf.write("alive", nodes=NODE.format(more=5))
    engine.read_packs()
    assert engine.info()["memory"]["entries"] == 0
    assert [model["name"] for model in engine.info()["models"]["models"]] == ["another.nodes"]


def test_two_runs_at_once_in_threads_are_both_right(house, flow):
    engine = house.open()
    results: dict[int, list[int]] = {0: [], 1: []}

    def go(which: int) -> None:
        for turn in range(20):
            value = 1000 * which + turn
            nodes = {"a": ("number", {"value": value}), "b": ("add", {"a": "@a"})}
            results[which].append(engine.run(flow(nodes, {"n": "b"}))["n"])

    threads = [threading.Thread(target=go, args=(which,)) for which in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == {which: [1000 * which + turn + 1 for turn in range(20)] for which in (0, 1)}
