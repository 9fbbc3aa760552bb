"""Seeds of a batch: the same workflow several times, each with other seeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nodeflow.registry import Registry
from nodeflow.spec import InputSpec
from nodeflow.workflow import GROUP_PREFIX, Graph, NodeEntry, Workflow

_NESTING = 30

G = TypeVar("G", bound=Graph)


@dataclass(frozen=True, slots=True)
class SeedPlace:
    """A seed that is written in a document.

    Attributes:
        group: Group that the node is in; None at the top.
        base: What it is now.
        limit: The largest that it may be.
    """

    group: str | None
    node: str
    input: str
    base: int
    limit: int


def find_seeds(workflow: Workflow, registry: Registry) -> list[SeedPlace]:
    """Every seed that takes no link, inside of groups too."""
    graphs: list[tuple[str | None, Graph]] = [(None, workflow), *workflow.groups.items()]
    return [
        place
        for group, graph in graphs
        for name, entry in graph.nodes.items()
        for place in _of_node(group, name, entry, workflow.groups, registry)
    ]


def batch_of(
    workflow: Workflow, places: Sequence[SeedPlace], count: int, seeds: Sequence[int] | None
) -> Iterator[Workflow]:
    """The workflow of each job of a batch.

    Args:
        count: How many; the seeds of each are by one larger than those of the job before.
        seeds: The seed of each job, in place of counting.
    """
    if seeds is not None:
        for seed in seeds:
            yield _with_seeds(workflow, dict.fromkeys(places, seed))
        return
    yield workflow
    for step in range(1, count):
        advanced = {place: (place.base + step) % (place.limit + 1) for place in places}
        yield _with_seeds(workflow, advanced)


def _of_node(
    group: str | None,
    name: str,
    entry: NodeEntry,
    groups: Mapping[str, Graph],
    registry: Registry,
) -> Iterator[SeedPlace]:
    spec = registry.find(entry.type)
    names = dict.fromkeys(entry.inputs)
    if spec is not None:
        # A seed that is left out has its default, and that counts up too.
        spelled = {port.name for key in names if (port := spec.input(key)) is not None}
        names |= dict.fromkeys(port.name for port in spec.inputs if port.name not in spelled)
    for key in names:
        port = _port(entry, key, groups, registry)
        if port is None or port.widget != "seed" or port.json_schema is None:
            continue
        base = entry.inputs.get(key, port.default if spec is not None else None)
        if isinstance(base, int) and not isinstance(base, bool):
            yield SeedPlace(group, name, key, base, _limit(port))


def _port(
    entry: NodeEntry, name: str, groups: Mapping[str, Graph], registry: Registry
) -> InputSpec | None:
    """The declaration behind an input, through the calls of groups."""
    for _ in range(_NESTING):
        if not entry.type.startswith(GROUP_PREFIX):
            spec = registry.find(entry.type)
            return spec.input(name) if spec is not None else None
        group = groups.get(entry.type.removeprefix(GROUP_PREFIX))
        inner = group.inputs.get(name) if group is not None else None
        place = (inner[0] if inner else None) if isinstance(inner, list) else inner
        if group is None or place is None or place.node not in group.nodes:
            return None
        entry, name = group.nodes[place.node], place.input
    return None


def _limit(port: InputSpec) -> int:
    maximum = (port.json_schema or {}).get("maximum")
    return maximum if isinstance(maximum, int) and maximum > 0 else 2**53 - 1


def _with_seeds(workflow: Workflow, seeds: Mapping[SeedPlace, int]) -> Workflow:
    changes: dict[str | None, dict[str, dict[str, int]]] = {}
    for place, seed in seeds.items():
        changes.setdefault(place.group, {}).setdefault(place.node, {})[place.input] = seed
    groups = {
        name: _changed(group, changes[name]) if name in changes else group
        for name, group in workflow.groups.items()
    }
    return _changed(workflow, changes.get(None, {})).model_copy(update={"groups": groups})


def _changed(graph: G, changes: Mapping[str, Mapping[str, int]]) -> G:
    nodes = dict(graph.nodes)
    for name, values in changes.items():
        entry = nodes[name]
        nodes[name] = entry.model_copy(update={"inputs": {**entry.inputs, **values}})
    return graph.model_copy(update={"nodes": nodes})
