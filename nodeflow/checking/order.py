"""Order: inputs before what depends on them, cycles found, and nodes that nobody needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import networkx as nx

from nodeflow.checking.checked import CheckedNode, problem_at
from nodeflow.checking.flat import FlatGraph
from nodeflow.errors import Problem
from nodeflow.workflow import Link, Source

_SHOWN = 12
_NAMED = 5
"""So many nodes that nobody needs are told of one by one."""


def links_of(inputs: Mapping[str, Source]) -> Iterator[tuple[str, Link]]:
    """Every link among inputs, with the input's name."""
    for name, source in inputs.items():
        if isinstance(source, Link):
            yield name, source
        elif isinstance(source, tuple):
            for link in source:
                yield name, link


def graph_of(flat: FlatGraph) -> nx.DiGraph[str]:
    """Who feeds whom."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(flat.nodes)
    graph.add_edges_from(
        (link.node, node.id)
        for node in flat.nodes.values()
        for _, link in links_of(node.inputs)
        if link.node in flat.nodes
    )
    return graph


def in_order(graph: nx.DiGraph[str], flat: FlatGraph) -> list[str]:
    """All nodes, inputs first; those of cycles, and behind them, last, and the cycles are told."""
    try:
        return list(nx.topological_sort(graph))
    except nx.NetworkXUnfeasible:
        pass
    rings = [ring for ring in nx.strongly_connected_components(graph) if len(ring) > 1]
    rings += [{node} for node in nx.nodes_with_selfloops(graph)]
    for ring in rings:
        cycle = [edge[0] for edge in nx.find_cycle(graph.subgraph(ring))]
        shown = cycle if len(cycle) <= _SHOWN else [*cycle[: _SHOWN - 1], "..."]
        path = " -> ".join([*shown, cycle[0]])
        way_out = "Remove one of these links; to feed a result back, repeat a group."
        sentence = f"The nodes form a cycle: {path}."
        flat.findings.add(problem_at(flat.nodes[cycle[0]], "cycle", sentence, None, way_out))
    stuck = _reached((node for ring in rings for node in ring), graph.succ)
    free = list(nx.topological_sort(graph.subgraph(set(graph) - stuck)))
    return [*free, *(node for node in graph if node in stuck)]


def _reached(start: Iterable[str], neighbours: Mapping[str, Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(start)
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting.extend(neighbours[node])
    return reached


def warn_of_unused(
    flat: FlatGraph,
    graph: nx.DiGraph[str],
    checked: Mapping[str, CheckedNode],
    outputs: Mapping[str, Link],
) -> None:
    """Warn of nodes that lead to nothing that is saved, shown or exposed; of many in one line."""
    wanted = [link.node for link in outputs.values()]
    wanted += [node.id for node in checked.values() if node.spec.end]
    used = _reached(wanted, graph.pred)
    unused = [
        node_id
        for node_id, node in checked.items()
        if node_id not in used and not node.muted and "/until:" not in node_id
    ]
    if unused and not wanted:
        sentence = "Nothing is saved, shown or exposed, so there is nothing to run."
        way_out = "Expose an output, or add a node that saves or shows what comes out."
        flat.findings.add(Problem("nothing_wanted", sentence, None, None, "", way_out, "warning"))
        return
    way_out = "Link it, expose an output of it, or remove it."
    for node_id in unused[:_NAMED]:
        sentence = f"Nothing that is saved, shown or exposed needs the node '{node_id}'."
        flat.findings.add(
            problem_at(flat.nodes[node_id], "unused_node", sentence, None, way_out, "warning")
        )
    if len(unused) > _NAMED:
        sentence = f"Nor does anything need {len(unused) - _NAMED} more nodes."
        flat.findings.add(Problem("unused_nodes", sentence, None, None, "", way_out, "warning"))
