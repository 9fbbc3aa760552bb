"""Plans: keyed in one pass, as deep as memory allows, ordered by what is left to do."""

from __future__ import annotations

import sys

import pytest

from nodeflow.errors import WorkflowError
from nodeflow.plan import count_asked


def test_a_chain_of_fifty_thousand_is_planned_without_recursion(house, flow):
    count = 50_000
    nodes = {"n0": ("number", {"value": 1})}
    nodes |= {f"n{n}": ("add", {"a": f"@n{n - 1}"}) for n in range(1, count)}
    chain = flow(nodes, {"n": f"n{count - 1}"})
    assert sys.getrecursionlimit() < count
    plan = house.open().plan(chain)
    assert len(plan.keys) == len(set(plan.keys.values())) == count
    assert plan.nodes["n0"].rank == count
    assert plan.nodes[f"n{count - 1}"].rank == 1


def test_keys_are_known_up_to_what_only_a_run_can_tell(house, flow):
    plan = house.open().plan(
        flow(
            {
                "pure": ("number", {}),
                "read": ("read", {"path": "x"}),
                "after": ("add", {"a": "@read"}),
                "choose": ("choose", {"first": True, "a": "@pure", "b": 1}),
            },
            {"a": "after", "c": "choose"},
        )
    )
    assert set(plan.keys) == {"pure"}


def test_only_what_will_be_asked_for_is_counted(house, flow):
    nodes = {
        "a": ("number", {}),
        "b": ("add", {"a": "@a"}),
        "c": ("add", {"a": "@b", "b": "@b"}),
        "choose": ("choose", {"first": True, "a": "@c", "b": 1}),
        "unused": ("number", {"value": 3}),
    }
    plan = house.open().plan(flow(nodes, {"n": "c", "m": "choose"}))
    assert count_asked(plan, lambda _: False) == 4
    assert count_asked(plan, {plan.keys["b"]}.__contains__) == 3
    assert count_asked(plan, lambda _: True) == 2


def test_targets_are_ends_and_outputs_or_what_was_asked_for(house, flow):
    engine = house.open()
    nodes = {
        "a": ("number", {}),
        "b": ("add", {"a": "@a"}),
        "save": ("write", {"a": "@a"}),
        "unused": ("number", {"value": 3}),
    }
    assert engine.plan(flow(nodes, {"n": "b"})).targets == ("save", "b")
    assert engine.plan(flow(nodes, {"n": "b"}), only=["a"]).targets == ("a",)
    with pytest.raises(WorkflowError, match=r"'sav', which was asked for.*Did you mean 'save'"):
        engine.plan(flow(nodes), only=["sav"])


def test_where_an_end_writes_and_what_a_device_is_are_part_of_the_key(house, flow, tmp_path):
    engine = house.open()
    nodes = {"d": ("device_thread", {}), "save": ("write", {"a": 1})}
    first = engine.plan(flow(nodes, {"d": "d"}), out=tmp_path / "a").keys
    second = engine.plan(flow(nodes, {"d": "d"}), out=tmp_path / "b").keys
    assert first["save"] != second["save"]
    assert first["d"] == second["d"]
    del engine.__dict__["_plans"]
    engine.__dict__["device"] = type(engine.device)(engine.device.device, "another chip")
    assert engine.plan(flow(nodes, {"d": "d"}), out=tmp_path / "a").keys["d"] != first["d"]


def test_the_inside_of_a_group_can_be_asked_for(house, flow):
    grouped = flow(
        {"call": ("group:g", {})},
        {"n": "call.n"},
        groups={
            "g": {
                "nodes": {"in": {"type": "tools.number"}, "two": {"type": "tools.upto"}},
                "outputs": {"n": {"node": "in"}},
            }
        },
    )
    assert house.open().plan(grouped, only=["call"]).targets == ("call/in", "call/two")
