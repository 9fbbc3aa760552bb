"""Jobs: nodes that fail, are cancelled, or whose values cannot be stored."""

from __future__ import annotations

import resource
import threading
import time

import pytest

from nodeflow.errors import Cancelled, NodeError, StoreError
from nodeflow.events import NodeFailed, NodeFinished, NodeLog, NodeProgress, RunFinished

DIAMOND = {
    "top": ("number", {"value": 2}),
    "left": ("add", {"a": "@top"}),
    "right": ("add", {"a": "@top", "b": 5}),
    "end": ("add", {"a": "@left", "b": "@right"}),
}


def test_a_damaged_entry_is_dropped_and_computed_again_with_a_word_about_it(house, flow):
    # Too large for the index: it lies in a file.
    big = flow({"count": ("upto", {"count": 9000})}, {"numbers": "count"})
    house.run(big)
    house.close()
    files = list((house.folder / "cache" / "values").rglob("*.json"))
    assert files
    for path in files:
        path.write_bytes(path.read_bytes()[:-10])
    house.open()
    result = house.run(big)
    assert result["numbers"] == list(range(9000))
    assert house.ran()["count"] == 1
    assert any(
        isinstance(event, NodeLog) and "gone or damaged" in event.text for event in house.events
    )


def test_one_failing_node_stops_only_what_depends_on_it(house, flow):
    result = house.run(
        flow(
            {
                "bad": ("fail", {"a": 3}),
                "after": ("add", {"a": "@bad"}),
                "later": ("add", {"a": "@after"}),
                "good": ("number", {"value": 8}),
                "fine": ("add", {"a": "@good"}),
            },
            {"spoilt": "later", "fine": "fine"},
        )
    )
    assert result.status == "failed"
    assert {name: report.outcome for name, report in result.nodes.items()} == {
        "bad": "failed",
        "after": "skipped",
        "later": "skipped",
        "good": "ran",
        "fine": "ran",
    }
    assert result.outputs == {"fine": {"value": 9}}
    (failed,) = [event for event in house.events if isinstance(event, NodeFailed)]
    assert (failed.node, failed.type) == ("bad", "tools.fail")
    assert "KeyError" in failed.sentence
    assert "Traceback" in failed.trace
    assert "nodes.py" in failed.trace
    with pytest.raises(NodeError, match=r"Node 'bad' \(tools.fail\): KeyError"):
        result.raise_if_failed()
    with pytest.raises(NodeError, match="'bad' failed"):
        result["spoilt"]


def test_a_node_that_refuses_needs_no_traceback(house, flow):
    result = house.run(flow({"no": ("refuse", {"a": 3})}, {"n": "no"}))
    (failed,) = [event for event in house.events if isinstance(event, NodeFailed)]
    assert failed.sentence == "3 is too much; use less"
    assert failed.trace == ""
    assert result.nodes["no"].why == failed.sentence


def test_cancelling_ends_within_a_step_and_keeps_what_was_made(house, flow):
    steps = flow(
        {
            "made": ("add", {"a": 1}),
            "long": ("steps", {"count": 10_000}),
            "end": ("add", {"a": "@long", "b": "@made"}),
        },
        {"made": "made", "n": "end"},
    )
    engine = house.open()
    cancel, events, asked = threading.Event(), [], []

    def emit(event):
        events.append(event)
        if isinstance(event, NodeProgress) and event.step == 3:
            threading.Thread(target=lambda: (asked.append(time.monotonic()), cancel.set())).start()

    result = engine.run(steps, emit=emit, cancel=cancel)
    assert time.monotonic() - asked[0] < 2
    assert result.status == "cancelled"
    assert result.nodes["long"].outcome == "cancelled"
    assert result.nodes["end"].outcome == "skipped"
    assert result.nodes["made"].outcome == "ran"
    assert isinstance(events[-1], RunFinished)
    with pytest.raises(Cancelled):
        result["n"]
    house.open()
    assert (
        house.run(flow({"made": ("add", {"a": 1})}, {"n": "made"})).nodes["made"].outcome == "disk"
    )


def test_an_async_node_is_cancelled_while_it_awaits(house, flow):
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    start = time.monotonic()
    result = house.run(flow({"hang": ("hang", {})}, {"n": "hang"}), cancel=cancel)
    assert time.monotonic() - start < 5
    assert result.status == "cancelled"
    assert result.nodes["hang"].outcome == "cancelled"


def test_closing_the_engine_cancels_what_runs(house, flow):
    engine = house.open()
    found = []
    long = flow({"long": ("steps", {"count": 10_000})}, {"n": "long"})
    thread = threading.Thread(target=lambda: found.append(engine.run(long)))
    thread.start()
    time.sleep(0.3)
    house.close()
    thread.join(timeout=10)
    assert found[0].status == "cancelled"


def test_a_full_disk_costs_only_the_cache(house, flow, monkeypatch):
    diamond = flow(DIAMOND, {"sum": "end"})
    house.open()
    house.run(flow({"warm": ("number", {})}, {"n": "warm"}))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        result = house.run(diamond)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result.status == "done"
    assert result["sum"] == 10
    logs = [event.text for event in house.events if isinstance(event, NodeLog)]
    assert any("not stored" in text for text in logs)
    finished = {event.node for event in house.events if isinstance(event, NodeFinished)}
    assert finished == set(DIAMOND)


def test_a_store_that_promises_no_names_does_not_keep_files_from_being_saved(
    house, flow, monkeypatch
):
    engine = house.open()

    def full(*_):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(engine.disk, "reserve", full)
    monkeypatch.setattr(engine.disk, "settle", full)
    monkeypatch.setattr(
        engine.disk,
        "remember_soon",
        lambda kind, items, done: done(StoreError("The disk is full.")),
    )
    result = house.run(flow({"a": ("write", {"a": 1}), "b": ("write", {"a": 2})}))
    assert result.status == "done"
    assert len({report.files for report in result.nodes.values()}) == 2
    assert any("The disk is full" in getattr(event, "text", "") for event in house.events)
