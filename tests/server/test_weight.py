from __future__ import annotations

from typing import Any

import pytest

from nodeflow.checking.flatten import flatten
from nodeflow.server.weight import weight
from nodeflow.workflow import Workflow
from tests.server.desk_tools import chain, document

LEAF = {"type": "tools.number"}


def call(name: str, times: int = 0) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": f"group:{name}"}
    return entry | ({"repeat": {"times": times}} if times else {})


def nested(depth: int) -> dict[str, Any]:
    """Groups that each call the next one ten times."""
    groups: dict[str, Any] = {f"g{depth}": {"nodes": {"leaf": LEAF}}}
    for level in range(depth):
        calls = {f"c{number}": call(f"g{level + 1}") for number in range(10)}
        groups[f"g{level}"] = {"nodes": calls}
    return groups


@pytest.mark.parametrize(
    ("nodes", "groups", "expected"),
    [
        (chain(7)["nodes"], {}, 7),
        ({"a": call("g"), "b": call("g")}, {"g": {"nodes": {"x": LEAF, "y": LEAF}}}, 6),
        ({"a": call("g", 5)}, {"g": {"nodes": {"x": LEAF}}}, 6),
        ({"a": LEAF}, {"unused": {"nodes": {"x": LEAF, "y": LEAF}}}, 3),
        ({"a": call("none")}, {}, 1),
        ({"a": call("g")}, {"g": {"nodes": {"x": call("g"), "y": LEAF}}}, 3),
        ({"a": call("g0")}, nested(3), 1 + 10 + 100 + 1000 + 1000),
    ],
)
def test_nodes_of_groups_count_once_for_each_call_and_round(
    nodes: dict[str, Any], groups: dict[str, Any], expected: int
) -> None:
    workflow = Workflow.from_data(document(nodes, groups=groups))
    assert weight(workflow) == expected
    if expected < 1000 and "none" not in str(nodes):
        assert len(flatten(workflow, lambda kind: None).nodes) <= expected


def test_a_bomb_is_weighed_and_not_set_off() -> None:
    workflow = Workflow.from_data(document({"a": call("g0", 10_000)}, groups=nested(25)))
    assert weight(workflow) > 10**12
