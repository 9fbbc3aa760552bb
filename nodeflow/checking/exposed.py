"""What a graph shows to the outside: its inputs and outputs by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from nodeflow.checking.flat import FlatGraph
from nodeflow.errors import Problem
from nodeflow.findings import Findings, escape
from nodeflow.spec import NodeSpec
from nodeflow.workflow import (
    GROUP_PREFIX,
    Graph,
    InputPlace,
    Link,
    OutputPlace,
    Source,
    Value,
    Workflow,
)


def exposed_places(graph: Graph) -> Iterator[tuple[str, InputPlace]]:
    """(name, place) of every input that a graph's exposed inputs feed."""
    for name, places in graph.inputs.items():
        for place in places if isinstance(places, list) else [places]:
            yield name, place


def check_exposed(
    graph: Graph,
    pointer: str,
    find: Callable[[str], NodeSpec | None],
    groups: Mapping[str, Graph],
    findings: Findings,
) -> None:
    """Tell of exposed inputs that feed nothing.

    Args:
        pointer: JSON pointer to the graph.
    """
    for name, place in exposed_places(graph):
        entry = graph.nodes.get(place.node)
        if entry is None:
            what, wanted, known = f"the node '{place.node}'", place.node, list(graph.nodes)
        else:
            inputs = _inputs(entry.type, find, groups)
            if inputs is None or place.input in inputs:
                continue
            what, wanted, known = (
                f"the input '{place.input}' of '{place.node}'",
                place.input,
                inputs,
            )
        findings.add(
            Problem(
                "unknown_exposed",
                f"The exposed input '{name}' feeds {what}, which does not exist.",
                pointer=f"{pointer}/inputs/{escape(name)}",
                way_out=findings.nearest(wanted, known) or "Remove it, or say what it feeds.",
            )
        )


def _inputs(
    type_id: str, find: Callable[[str], NodeSpec | None], groups: Mapping[str, Graph]
) -> list[str] | None:
    """Names of a node's inputs, earlier ones too; None if the type is unknown, as is told there."""
    spec = find(type_id)
    if spec is not None:
        return [name for port in spec.inputs for name in (port.name, *port.was)]
    group = groups.get(type_id.removeprefix(GROUP_PREFIX))
    return list(group.inputs) if type_id.startswith(GROUP_PREFIX) and group else None


def exposed_outputs(workflow: Workflow, flat: FlatGraph) -> dict[str, Link]:
    """The workflow's own outputs, as links to nodes that compute."""
    found: dict[str, Link] = {}
    for name, place in workflow.outputs.items():
        source = flat.redirects.follow(Link(place.node, place.output))
        if isinstance(source, Link) and source.node in flat.nodes:
            found[name] = source
        elif not _told(source, flat):
            flat.findings.add(_missing(workflow, flat, name, place, source))
    return found


def _told(source: Source, flat: FlatGraph) -> bool:
    """Whether the fault lies, and is told, elsewhere: at a call, or at a bypassed node."""
    return isinstance(source, Link) and (source.node in flat.broken or flat.redirects.has(source))


def _missing(
    workflow: Workflow, flat: FlatGraph, name: str, place: OutputPlace, source: Source
) -> Problem:
    known: Iterable[str] = workflow.nodes
    wanted = place.node
    sentence = f"The output '{name}' comes from '{place.node}', which does not exist."
    if isinstance(source, Value):
        known = ()
        sentence = f"The output '{name}' is a literal, since '{place.node}' is bypassed."
    elif isinstance(source, Link) and source.node in flat.redirects.outputs:
        known, wanted = flat.redirects.outputs[source.node], source.output
        sentence = (
            f"The output '{name}' takes '{source.output}' of '{source.node}', which does not exist."
        )
    way_out = flat.findings.nearest(wanted, known) or "Remove it, or say which output it takes."
    return Problem("dangling_link", sentence, place.node, None, f"/outputs/{escape(name)}", way_out)
