"""Typed workflows: the schema of a call comes from the nodes, and every fault is told at once."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue

from nodeflow.server.typed_schema import TypedWorkflow, inlined, may_be_picture, value_schema
from nodeflow.sockets import File
from nodeflow.spec import InputSpec, NodeSpec, OutputSpec
from nodeflow.workflow import Workflow

_STEPS: dict[str, JsonValue] = {"type": "integer", "minimum": 1, "maximum": 100}
_EVEN: dict[str, JsonValue] = {"type": "integer", "multipleOf": 2}


def _node(name: str, *inputs: InputSpec, output: str = "Image") -> NodeSpec:
    outputs = (OutputSpec(name="out", type=output, description="What it made."),)
    return NodeSpec(
        id=f"t.{name}", pack="t", function=name, module="t", title=name, inputs=inputs,
        outputs=outputs,
    )  # fmt: skip


def _input(name: str, schema: dict[str, JsonValue] | None, **other: Any) -> InputSpec:
    values = {"type": "int", "required": False, "description": f"The {name}."} | other
    return InputSpec(name=name, json_schema=schema, **values)


NODES = [
    _node("draw", _input("steps", _STEPS, default=20), _input("text", {"type": "string"},
          required=True), _input("image", None, required=True)),
    _node("count", _input("number", _EVEN, default=4), output="list[int]"),
    _node("load", _input("file", {"type": "string", "minLength": 1}, required=True,
          file=File("inputs"))),
    _node("model", _input("file", {"type": "string"}, file=File("checkpoints"), default="m")),
    _node("maybe", _input("note", {"anyOf": [{"type": "string"}, {"type": "null"}]})),
]  # fmt: skip
KNOWN = {spec.id: spec for spec in NODES}


def typed(inputs: dict[str, Any], nodes: dict[str, Any], **other: Any) -> TypedWorkflow:
    data = {"nodeflow": 1, "nodes": nodes, "inputs": inputs} | other
    return TypedWorkflow.of(Workflow.from_data(data), KNOWN.get)


def place(node: str, name: str) -> dict[str, str]:
    return {"node": node, "input": name}


FLOW = typed(
    {
        "steps": place("draw", "steps"),
        "text": place("draw", "text"),
        "picture": place("load", "file"),
        "source": place("draw", "image"),
        "note": place("maybe", "note"),
    },
    {
        "draw": {"type": "t.draw", "inputs": {"steps": 7, "image": {"node": "load"}}},
        "load": {"type": "t.load", "inputs": {"file": "a.png"}},
        "maybe": {"type": "t.maybe"},
    },
    outputs={"drawn": {"node": "draw"}, "gone": {"node": "draw", "output": "other"}},
)


def test_the_schema_has_limits_defaults_and_what_is_required() -> None:
    schema = FLOW.schema()
    assert schema["required"] == ["text"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["steps"] == {**_STEPS, "description": "The steps.", "default": 7}
    assert "uploaded" in schema["properties"]["picture"]["description"]
    assert schema["properties"]["note"]["default"] is None
    assert "source" not in schema["properties"]
    assert FLOW.inputs["picture"].takes_uploads


def test_outputs_have_the_types_of_what_they_come_from() -> None:
    drawn = FLOW.outputs["drawn"]
    assert drawn is not None
    assert drawn.type == "Image"
    assert FLOW.outputs["gone"] is None


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({"text": "cat"}, []),
        ({"text": "cat", "steps": 1, "note": None, "picture": "b.png"}, []),
        ({}, [("missing_input", "")]),
        ({"text": 7}, [("wrong_value", "/text")]),
        ({"text": "a", "steps": 0}, [("wrong_value", "/steps")]),
        ({"text": "a", "steps": 101}, [("wrong_value", "/steps")]),
        ({"text": "a", "steps": True}, [("wrong_value", "/steps")]),
        ({"text": "a", "steps": "7"}, [("wrong_value", "/steps")]),
        ({"text": "a", "steps": None}, [("wrong_value", "/steps")]),
        ({"text": "a", "picture": ""}, [("wrong_value", "/picture")]),
        ({"text": "a", "note": 3}, [("wrong_value", "/note")]),
        ({"text": "a", "source": "x"}, [("wrong_value", "/source")]),
        ({"text": "a", "tetx": "b"}, [("unknown_exposed", "/tetx")]),
        ({"text": "a", "a/b~c": 1}, [("unknown_exposed", "/a~1b~0c")]),
        (
            {"steps": 0, "picture": 1, "x": 2},
            [("wrong_value", "/steps"), ("wrong_value", "/picture"), ("unknown_exposed", "/x"),
             ("missing_input", "")],
        ),
    ],
)  # fmt: skip
def test_all_that_is_wrong_with_a_call_is_told_at_once(
    given: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    problems = FLOW.problems(given)
    assert [(problem.code, problem.pointer) for problem in problems] == faults
    for problem in problems:
        assert problem.sentence.endswith((".", "?"))
        assert problem.input is not None


def test_a_sentence_says_what_would_do() -> None:
    (problem,) = FLOW.problems({"text": "a", "steps": 0})
    assert "'steps' cannot be 0" in problem.sentence
    assert "give a whole number, at least 1, at most 100" in problem.sentence
    (problem,) = FLOW.problems({"text": "a", "stps": 1})
    assert problem.way_out == "Did you mean 'steps'?"


def test_an_input_that_feeds_several_places_must_suit_each() -> None:
    flow = typed(
        {"n": [place("draw", "steps"), place("count", "number")]},
        {"draw": {"type": "t.draw"}, "count": {"type": "t.count"}},
    )
    assert flow.schema()["properties"]["n"]["allOf"] == [_STEPS, _EVEN]
    assert flow.problems({"n": 4}) == []
    assert len(flow.problems({"n": 3})) == 1
    assert len(flow.problems({"n": 101})) == 2
    # With a place that takes only links no value will do.
    mixed = typed(
        {"n": [place("draw", "steps"), place("draw", "image")]}, {"draw": {"type": "t.draw"}}
    )
    assert mixed.schema()["properties"] == {}


def test_inputs_are_followed_through_groups_and_outer_values_count() -> None:
    groups = {
        "inner": {"nodes": {"d": {"type": "t.draw", "inputs": {"steps": 1}}},
                  "inputs": {"s": place("d", "steps"), "t": place("d", "text")},
                  "outputs": {"o": {"node": "d"}}},
        "outer": {"nodes": {"i": {"type": "group:inner", "inputs": {"s": 2}}},
                  "inputs": {"s": place("i", "s"), "t": place("i", "t")},
                  "outputs": {"o": {"node": "i", "output": "o"}}},
    }  # fmt: skip
    call = {"type": "group:outer", "inputs": {}}
    flow = typed(
        {"s": place("c", "s"), "t": place("c", "t")}, {"c": call}, groups=groups,
        outputs={"o": {"node": "c", "output": "o"}},
    )  # fmt: skip
    assert flow.schema()["properties"]["s"]["default"] == 2
    assert flow.schema()["required"] == ["t"]
    assert flow.outputs["o"] == NODES[0].outputs[0]


def test_groups_that_call_each_other_in_a_circle_are_left_alone() -> None:
    groups = {
        name: {"nodes": {"x": {"type": f"group:{other}"}}, "inputs": {"s": place("x", "s")},
               "outputs": {"o": {"node": "x", "output": "o"}}}
        for name, other in (("a", "b"), ("b", "a"))
    }  # fmt: skip
    flow = typed(
        {"s": place("c", "s")}, {"c": {"type": "group:a"}}, groups=groups,
        outputs={"o": {"node": "c", "output": "o"}},
    )  # fmt: skip
    assert flow.inputs["s"].specs == ()
    assert flow.outputs["o"] is None


def test_of_an_unknown_node_the_check_tells_and_not_the_schema() -> None:
    flow = typed({"n": place("x", "n")}, {"x": {"type": "no.such"}})
    assert flow.schema()["properties"] == {"n": {}}
    assert flow.problems({"n": 7}) == []


def test_definitions_are_written_out_and_circles_end() -> None:
    schema: dict[str, JsonValue] = {
        "$defs": {"a": {"type": "integer"}, "tree": {"items": {"$ref": "#/$defs/tree"}}},
        "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/tree"}},
    }
    found = inlined(schema)
    assert found["properties"]["x"] == {"type": "integer"}
    assert "$ref" not in str(found)


@pytest.mark.parametrize(
    ("type_name", "schema"),
    [
        ("int", {"type": "integer"}),
        ("list[float]", {"type": "array", "items": {"type": "number"}}),
        ("json", {}),
        ("Image", None),
        ("list[Image]", None),
        ("tools.Swatch", None),
    ],
)
def test_only_values_that_are_json_have_a_schema(
    type_name: str, schema: dict[str, Any] | None
) -> None:
    assert value_schema(type_name) == schema
    assert may_be_picture(OutputSpec(name="o", type=type_name)) is (schema is None)
