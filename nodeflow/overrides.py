"""Overrides: inputs of a workflow set from outside, by exposed name or as `node.input`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from nodeflow.errors import InputError, Problem, WorkflowError
from nodeflow.findings import escape
from nodeflow.literals import from_text
from nodeflow.registry import Registry
from nodeflow.spec import InputSpec
from nodeflow.workflow import InputPlace, Workflow


def override(
    workflow: Workflow, given: Mapping[str, object], registry: Registry, *, typed: bool
) -> Workflow:
    """A copy with other values in some inputs.

    Args:
        given: Name of an exposed input, or `node.input`, to its new value.
        registry: Says what an input takes.
        typed: The values were typed as text, and are read leniently.

    Raises:
        WorkflowError: An unknown name, or a text that is no such value; all of them at once.
    """
    found: dict[tuple[str, str], JsonValue] = {}
    problems: list[Problem] = []
    for name, value in given.items():
        places = _places(workflow, name)
        if not places:
            problems.append(_unknown_input(workflow, name))
        for place in places:
            try:
                found[place.node, place.input] = _value(workflow, place, value, registry, typed)
            except InputError as error:
                sentence = f"'{name}' cannot be {value!r}: {error}."
                pointer = f"/nodes/{escape(place.node)}/inputs/{escape(place.input)}"
                problems.append(Problem("wrong_value", sentence, place.node, place.input, pointer))
    if problems:
        raise WorkflowError(problems, workflow.name or "workflow")
    return workflow.with_values(found)


def _places(workflow: Workflow, name: str) -> list[InputPlace]:
    if name in workflow.inputs:
        return [place for place in workflow.places(name) if place.node in workflow.nodes]
    node, _, item = name.rpartition(".")
    return [InputPlace(node=node, input=item)] if node in workflow.nodes else []


def _value(
    workflow: Workflow, place: InputPlace, value: object, registry: Registry, typed: bool
) -> JsonValue:
    if isinstance(value, Path):
        return value.as_posix()
    if not typed:
        return value  # type: ignore[return-value]  # the check that follows is the judge
    port = _port(workflow, place, registry)
    if port is None or port.json_schema is None:
        raise InputError("this input takes a link only" if port else "there is no such input")
    return from_text(str(value), port.json_schema)


def _port(workflow: Workflow, place: InputPlace, registry: Registry) -> InputSpec | None:
    """The declaration behind an input; through the calls of groups."""
    graph, seen = workflow.nodes, 0
    while place.node in graph and seen <= len(workflow.groups):
        kind = graph[place.node].type
        group = workflow.groups.get(kind.removeprefix("group:"))
        if not kind.startswith("group:") or group is None:
            spec = registry.find(kind)
            return spec.input(place.input) if spec else None
        inner = group.inputs.get(place.input)
        if inner is None:
            return None
        place = inner[0] if isinstance(inner, list) else inner
        graph, seen = group.nodes, seen + 1
    return None


def _unknown_input(workflow: Workflow, name: str) -> Problem:
    node, _, item = name.rpartition(".")
    if node in workflow.nodes:
        known = [f"{node}.{other}" for other in workflow.nodes[node].inputs]
        sentence = f"The node '{node}' has no input '{item}'."
    else:
        known = list(workflow.inputs)
        sentence = f"The workflow exposes no input '{name}'."
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    way_out = f"Did you mean '{near[0]}'?" if near else f"There is: {', '.join(known) or 'none'}."
    return Problem("unknown_exposed", sentence, pointer="/inputs", way_out=way_out)
