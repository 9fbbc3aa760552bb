"""Typed places: where the names that a workflow shows to the outside lead, through its groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nodeflow.spec import InputSpec, NodeSpec, OutputSpec
from nodeflow.workflow import (
    GROUP_PREFIX,
    Graph,
    InputPlace,
    OutputPlace,
    Source,
    Workflow,
    read_input,
)

Find = Callable[[str], NodeSpec | None]
"""Finds the declaration of a node by its type."""

Way = Sequence[tuple[Graph, InputPlace]]
"""The inputs that a value passes: of calls of groups from the outside in, last of a real node."""


def ways_in(workflow: Workflow, place: InputPlace) -> Iterator[Way]:
    """Every way from an input of the workflow's own graph to a node that computes."""
    yield from _ways(workflow, ((workflow, place),))


def _ways(workflow: Workflow, way: Way) -> Iterator[Way]:
    graph, place = way[-1]
    entry = graph.nodes.get(place.node)
    if entry is None:
        return
    if not entry.type.startswith(GROUP_PREFIX):
        yield way
        return
    group = workflow.groups.get(entry.type.removeprefix(GROUP_PREFIX))
    inner = group.inputs.get(place.input) if group is not None else None
    # A way that is longer than there are groups leads in a circle.
    if group is None or inner is None or len(way) > len(workflow.groups):
        return
    for item in inner if isinstance(inner, list) else [inner]:
        yield from _ways(workflow, (*way, (group, item)))


def input_spec(way: Way, find: Find) -> InputSpec | None:
    """The declaration at the end of a way; None if no pack has it."""
    graph, place = way[-1]
    spec = find(graph.nodes[place.node].type)
    return spec.input(place.input) if spec is not None else None


def set_on(way: Way) -> Source | None:
    """What the document gives an input; what an outer call says counts more."""
    for graph, place in way:
        entry = graph.nodes.get(place.node)
        if entry is not None and place.input in entry.inputs:
            try:
                return read_input(entry.inputs[place.input])
            except ValueError:
                # The check of the workflow tells of it.
                return None
    return None


def output_spec(workflow: Workflow, place: OutputPlace, find: Find) -> OutputSpec | None:
    """The declaration behind an output of the workflow; None if no pack has it."""
    graph: Graph = workflow
    for _ in range(len(workflow.groups) + 1):
        entry = graph.nodes.get(place.node)
        if entry is None:
            return None
        if not entry.type.startswith(GROUP_PREFIX):
            spec = find(entry.type)
            if spec is None:
                return None
            return spec.output(place.output) if place.output else next(iter(spec.outputs), None)
        group = workflow.groups.get(entry.type.removeprefix(GROUP_PREFIX))
        inner = _group_output(group, place.output) if group is not None else None
        if group is None or inner is None:
            return None
        graph, place = group, inner
    return None


def _group_output(group: Graph, name: str) -> OutputPlace | None:
    return group.outputs.get(name) if name else next(iter(group.outputs.values()), None)
