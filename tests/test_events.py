"""Every message has a golden sample, and comes when it may."""

from __future__ import annotations

import json

import pytest

from nodeflow import events
from nodeflow.events import Event, NodeReport

GOLDEN = [
    (
        events.RunStarted("r1", "Text to image", 7),
        '{"event": "run_started", "run": "r1", "workflow": "Text to image", "nodes": 7}',
    ),
    (
        events.NodeStarted("r1", "sample", "diffusion.sample", "new: seed"),
        '{"event": "node_started", "run": "r1", "node": "sample", "type": "diffusion.sample", '
        '"why": "new: seed"}',
    ),
    (
        events.NodeProgress("r1", "sample", 3, 20, "step 3"),
        '{"event": "node_progress", "run": "r1", "node": "sample", "step": 3, "total": 20, '
        '"text": "step 3"}',
    ),
    (
        events.NodePreview("r1", "sample", "image/jpeg", b"\xff\xd8"),
        '{"event": "node_preview", "run": "r1", "node": "sample", "media_type": "image/jpeg"}',
    ),
    (
        events.NodeLog("r1", "sample", "what was stored is gone"),
        '{"event": "node_log", "run": "r1", "node": "sample", "text": "what was stored is gone"}',
    ),
    (
        events.NodeFinished("r1", "save", "ran", 0.25, "first run", "ab12", ("/out/a.png",), 4096),
        '{"event": "node_finished", "run": "r1", "node": "save", "outcome": "ran", '
        '"seconds": 0.25, "why": "first run", "key": "ab12", "files": ["/out/a.png"], '
        '"memory": 4096}',
    ),
    (
        events.NodeFailed("r1", "load", "diffusion.load_model", "no such file", "Traceback"),
        '{"event": "node_failed", "run": "r1", "node": "load", "type": "diffusion.load_model", '
        '"sentence": "no such file", "trace": "Traceback"}',
    ),
    (
        events.RunFinished(
            "r1",
            "done",
            1.5,
            {
                "load": NodeReport("disk"),
                "save": NodeReport("ran", 0.1, "first run", ("/o/a.png",), 4096),
            },
            {"image": {"files": ["/o/a.png"]}},
        ),
        '{"event": "run_finished", "run": "r1", "status": "done", "seconds": 1.5, "nodes": '
        '{"load": {"outcome": "disk", "seconds": 0.0}, "save": {"outcome": "ran", "seconds": 0.1, '
        '"why": "first run", "files": ["/o/a.png"], "memory": 4096}}, "outputs": '
        '{"image": {"files": ["/o/a.png"]}}}',
    ),
]


@pytest.mark.parametrize(("event", "text"), GOLDEN, ids=lambda item: getattr(item, "event", ""))
def test_each_event_looks_as_it_always_did(event: Event, text: str):
    assert json.dumps(event.as_json()) == text


def test_there_is_a_golden_sample_of_every_event():
    named = [item for item in vars(events).values() if isinstance(item, type)]
    own = {kind for kind in named if issubclass(kind, Event)} - {Event}
    assert {type(event) for event, _ in GOLDEN} == own


def test_a_node_starts_before_it_finishes_and_the_run_encloses_all(house, flow):
    nodes = {"n0": ("number", {})} | {f"n{n}": ("add", {"a": f"@n{n - 1}"}) for n in range(1, 40)}
    house.run(flow(nodes, {"n": "n39"}))
    kinds = [event.event for event in house.events]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "run_finished"
    assert kinds.count("run_started") == kinds.count("run_finished") == 1
    places = {(event.event, event.node): place for place, event in enumerate(house.events[1:-1])}
    for name in nodes:
        assert places["node_started", name] < places["node_finished", name]
    # A node starts once its inputs are made, whether they are stored yet or not.
    for n in range(1, 40):
        assert places["node_started", f"n{n - 1}"] < places["node_started", f"n{n}"]


def test_a_node_is_finished_only_once_its_value_is_stored(house, flow):
    engine = house.open()
    stored = []

    def emit(event: Event) -> None:
        if isinstance(event, events.NodeFinished):
            stored.append((event.node, bool(engine.disk.present([event.key]))))

    engine.run(flow({"a": ("number", {}), "b": ("add", {"a": "@a"})}, {"n": "b"}), emit=emit)
    assert stored == [("a", True), ("b", True)]
