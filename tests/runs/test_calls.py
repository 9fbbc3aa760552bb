"""Calls: what enters a function and what may come out of it."""

from __future__ import annotations

import pytest

from nodeflow.events import NodeFailed


def failure(house) -> str:
    (failed,) = [event for event in house.events if isinstance(event, NodeFailed)]
    return failed.sentence


@pytest.mark.parametrize(
    ("kind", "named"),
    [("text", "str"), ("none", "NoneType"), ("bool", "bool"), ("list", "list")],
)
def test_a_node_that_gives_another_type_fails_with_a_sentence(house, flow, kind, named):
    house.run(flow({"w": ("wrong", {"kind": kind})}, {"n": "w"}))
    assert failure(house) == f"its output 'int' is declared int, but a {named} is not int"


def test_a_node_that_finds_no_memory_says_what_to_do_and_the_next_run_goes_well(house, flow):
    house.run(flow({"w": ("wrong", {"kind": "much"})}, {"n": "w"}))
    assert failure(house).startswith("out of memory; ask for something smaller, or close what else")
    assert house.run(flow({"n": ("number", {"value": 3})}, {"n": "n"}))["n"] == 3


@pytest.mark.parametrize("kind", ["nan", "inf"])
def test_a_number_that_is_not_finite_is_refused(house, flow, kind):
    house.run(flow({"r": ("ratio", {"kind": kind})}, {"n": "r"}))
    assert failure(house).endswith(f"but the number {kind} is not finite")


def test_a_node_that_gives_too_little_fails_with_a_sentence(house, flow):
    house.run(flow({"w": ("one_of_two", {})}, {"n": "w.low"}))
    assert failure(house) == "it gave a tuple, but declares low, high"


def test_linked_values_keep_the_limits_of_literals(house, flow):
    def limited(value):
        nodes = {"n": ("number", {"value": value}), "l": ("limited", {"a": "@n"})}
        return house.run(flow(nodes, {"n": "l"}))

    assert limited(10)["n"] == 10
    limited(11)
    assert "the input 'a' was handed 11, but: " in failure(house)
    assert "less than or equal to 10" in failure(house)


def test_guard_mode_catches_a_node_that_changes_what_it_was_given(house, flow):
    nodes = {"list": ("upto", {}), "spoil": ("spoil", {"numbers": "@list"})}
    house.open(guard=True)
    result = house.run(flow(nodes, {"n": "spoil"}))
    assert result.status == "failed"
    assert failure(house).startswith("it changed its input 'numbers'; values are read-only")


def test_enum_members_arrive_as_members(house, flow):
    def name(inputs):
        return house.run(flow({"m": ("member", inputs)}, {"n": "m"}))["n"]

    assert name({}) == "SMALL"
    assert name({"size": "large"}) == "LARGE"
    assert name({"size": None}) == "none"


def test_progress_is_told_in_steps(house, flow):
    house.run(flow({"s": ("steps", {"count": 3, "pause": 0.0})}, {"n": "s"}))
    told = [(e.step, e.total) for e in house.events if e.event == "node_progress"]
    assert told == [(0, 3), (1, 3), (2, 3)]
