"""Overrides: inputs of a workflow set from outside, by exposed name or as `node.input`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from nodeflow.errors import InputError, Problem, WorkflowError
from nodeflow.findings import escape
from nodeflow.literals import from_text
from nodeflow.spec import InputSpec, NodeSpec
from nodeflow.workflow import InputPlace, Workflow


class Specs(Protocol):
    """Knows nodes by id: a registry, or a server's list."""

    def find(self, type_id: str) -> NodeSpec | None: ...


def override(
    workflow: Workflow, given: Mapping[str, object], registry: Specs, *, typed: bool
) -> Workflow:
    """A copy with other values in some inputs.

    Args:
        given: Name of an exposed input, or `node.input`, to its new value.
        registry: Says what an input takes.
        typed: The values were typed as text, and are read leniently.

    Raises:
        WorkflowError: An unknown name, or a text that is no such value; all of them at once.
    """
    read = _read(workflow, given, registry, typed)
    return workflow.with_values(
        {(place.node, place.input): value for places in read.values() for place, value in places}
    )


def read_texts(workflow: Workflow, texts: Mapping[str, str], specs: Specs) -> dict[str, JsonValue]:
    """Values that were typed as text, as what they mean; for a server, which takes JSON.

    Raises:
        WorkflowError: As `override`.
    """
    found: dict[str, JsonValue] = {}
    for name, places in _read(workflow, texts, specs, typed=True).items():
        if len({json.dumps(value) for _, value in places}) == 1:
            found[name] = places[0][1]
        else:
            # One exposed input over inputs of different kinds: `7` is a number here, a text there.
            found |= {f"{place.node}.{place.input}": value for place, value in places}
    return found


def _read(
    workflow: Workflow, given: Mapping[str, object], specs: Specs, typed: bool
) -> dict[str, list[tuple[InputPlace, JsonValue]]]:
    """By name, the inputs that are meant and what each gets."""
    found: dict[str, list[tuple[InputPlace, JsonValue]]] = {}
    problems: list[Problem] = []
    for name, value in given.items():
        places = _places(workflow, name)
        if not places:
            problems.append(_unknown_input(workflow, name))
        found[name] = []
        for place in places:
            try:
                found[name].append((place, _value(workflow, place, value, specs, typed)))
            except InputError as error:
                sentence = f"'{name}' cannot be {value!r}: {error}."
                pointer = f"/nodes/{escape(place.node)}/inputs/{escape(place.input)}"
                problems.append(Problem("wrong_value", sentence, place.node, place.input, pointer))
    if problems:
        raise WorkflowError(problems, workflow.name or "workflow")
    return found


def _places(workflow: Workflow, name: str) -> list[InputPlace]:
    if name in workflow.inputs:
        return [place for place in workflow.places(name) if place.node in workflow.nodes]
    node, _, item = name.rpartition(".")
    return [InputPlace(node=node, input=item)] if node in workflow.nodes else []


def _value(
    workflow: Workflow, place: InputPlace, value: object, specs: Specs, typed: bool
) -> JsonValue:
    if isinstance(value, Path):
        return value.as_posix()
    if not typed:
        return value  # type: ignore[return-value]  # the check that follows is the judge
    port = _port(workflow, place, specs)
    if port is None or port.json_schema is None:
        raise InputError("this input takes a link only" if port else "there is no such input")
    return from_text(str(value), port.json_schema)


def _port(workflow: Workflow, place: InputPlace, specs: Specs) -> InputSpec | None:
    """The declaration behind an input; through the calls of groups."""
    graph, seen = workflow.nodes, 0
    while place.node in graph and seen <= len(workflow.groups):
        kind = graph[place.node].type
        group = workflow.groups.get(kind.removeprefix("group:"))
        if not kind.startswith("group:") or group is None:
            spec = specs.find(kind)
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
