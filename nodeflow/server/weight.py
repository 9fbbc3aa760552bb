"""Weight: how many nodes a workflow comes to with its groups, without laying them out."""

from __future__ import annotations

from nodeflow.workflow import GROUP_PREFIX, Graph, Workflow

_NESTING = 30
_MOST = 1 << 40


def weight(workflow: Workflow) -> int:
    """Nodes and calls, those inside of a group once for each call and each round.

    What is nested too deep, or in itself, counts as nothing: the checker tells of it.
    """
    known: dict[str, int] = {}
    # The groups stand in the document too, called or not.
    inside = sum(len(group.nodes) for group in workflow.groups.values())
    return max(_of_graph(workflow, workflow, known, ()), len(workflow.nodes) + inside)


def _of_graph(
    graph: Graph, workflow: Workflow, known: dict[str, int], path: tuple[str, ...]
) -> int:
    total = len(graph.nodes)
    for entry in graph.nodes.values():
        if entry.type.startswith(GROUP_PREFIX):
            rounds = entry.repeat.times if entry.repeat is not None else 1
            name = entry.type.removeprefix(GROUP_PREFIX)
            total += rounds * _of_group(name, workflow, known, path)
    return min(total, _MOST)


def _of_group(name: str, workflow: Workflow, known: dict[str, int], path: tuple[str, ...]) -> int:
    group = workflow.groups.get(name)
    if group is None or name in path or len(path) >= _NESTING:
        return 0
    if name not in known:
        known[name] = _of_graph(group, workflow, known, (*path, name))
    return known[name]
