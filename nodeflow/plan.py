"""Plan: a checked workflow as frozen data: flat, typed, keyed. Only pure functions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
from pydantic import JsonValue

from nodeflow.checking.checker import Checked, CheckedNode
from nodeflow.checking.flatten import nearest
from nodeflow.errors import InputError, Problem, WorkflowError
from nodeflow.keys import FileDigests, growing_key, node_key, output_key
from nodeflow.sockets import Join
from nodeflow.spec import NodeSpec
from nodeflow.workflow import Link

KeyOfLink = Callable[[Link], "str | None"]

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlanNode:
    """One node of a plan.

    Attributes:
        literals: Validated values by input.
        files: Input to the path it names; `digests` holds the digest of its content.
        reads: Further files that it reads; `digests` has them as `reads NAME`.
        links: What enters from other nodes.
        joins: How each link enters.
        enters: Linked input to the type that one call is handed.
        types: Output to its real socket type, `list[...]` if the node is mapped.
        rank: Nodes on the longest way from here to an end: what has the highest goes first.
        surroundings: What else is part of the key: facts of the device, the output folder.
        mapped: It runs once for each item of a list.
    """

    id: str
    spec: NodeSpec
    literals: Mapping[str, JsonValue]
    files: Mapping[str, Path]
    named: Mapping[str, tuple[str, str]]
    reads: tuple[Path, ...]
    digests: Mapping[str, str]
    links: Mapping[str, Link | tuple[Link, ...]]
    joins: Mapping[str, Join | tuple[Join, ...]]
    types: Mapping[str, str]
    enters: Mapping[str, str]
    rank: int
    surroundings: str
    mapped: bool
    lazy: frozenset[str]

    def sources(self, *, lazy: bool) -> Iterator[tuple[str, Link]]:
        """(input, link) of every link that is Lazy, or of every link that is not."""
        for name, source in self.links.items():
            if (name in self.lazy) is lazy:
                for link in source if isinstance(source, tuple) else (source,):
                    yield name, link

    def key(self, key_of: KeyOfLink, awaited: Collection[str] | None = None) -> str | None:
        """The node's key, or None while the key of a link is unknown.

        Args:
            key_of: The key of the value that a link carries, if it is known yet.
            awaited: The Lazy inputs that count; None for the key without any of them.
        """
        if self.spec.cache == "never":
            return None
        links: list[tuple[str, str]] = []
        for name, source in self.links.items():
            if name in self.lazy and name not in (awaited or ()):
                continue
            key = _source_key(source, key_of)
            if key is None:
                return None
            links.append((name, key))
        if awaited is not None:
            links.append(("awaited", ",".join(sorted(awaited))))
        return node_key(self.spec, self.literals, self.digests, links, self.surroundings)

    def parts(self, key_of: KeyOfLink) -> dict[str, JsonValue]:
        """What the key is made of, so that a later run can say which part is new."""
        links: dict[str, JsonValue] = {
            name: _source_key(source, key_of) for name, source in self.links.items()
        }
        literals: dict[str, JsonValue] = {**self.literals, **self.digests}
        return {
            "type": self.spec.id,
            "code": self.spec.identity,
            "literals": literals,
            "links": links,
            "surroundings": self.surroundings,
        }


def _source_key(source: Link | tuple[Link, ...], key_of: KeyOfLink) -> str | None:
    if isinstance(source, Link):
        return key_of(source)
    keys = [key_of(link) for link in source]
    known = [key for key in keys if key is not None]
    return growing_key(known) if len(known) == len(keys) else None


@dataclass(frozen=True)
class Plan:
    """What is to be done. Frozen; the runner keeps its own notes.

    Attributes:
        nodes: By id, inputs before what depends on them.
        keys: Every key that is known before anything runs.
        targets: Nodes that are wanted: ends, exposed outputs, or those asked for.
        outputs: The workflow's outputs.
        muted: Nodes that are left out.
        graph: Who feeds whom.
    """

    nodes: Mapping[str, PlanNode]
    keys: Mapping[str, str]
    targets: tuple[str, ...]
    outputs: Mapping[str, Link]
    muted: frozenset[str]
    graph: nx.DiGraph[str]


def make_plan(
    checked: Checked,
    digests: FileDigests,
    surroundings: Callable[[CheckedNode], str],
    only: Sequence[str] = (),
    source: str = "workflow",
) -> Plan:
    """The plan of a workflow that checks.

    Args:
        checked: From `checker.check`, without errors.
        digests: Content digests of the files that inputs name.
        surroundings: What else counts for a node's key: the device's facts, the output folder.
        only: Nodes that are wanted; all ends and outputs if empty. A group's call means all of it.
        source: Name of the document, for errors.

    Raises:
        WorkflowError: `only` names an unknown node, or a file cannot be read.
    """
    ranks = _ranks(checked)
    nodes: dict[str, PlanNode] = {}
    keys: dict[str, str] = {}
    muted: set[str] = set()
    problems: list[Problem] = []

    def key_of(link: Link) -> str | None:
        key = keys.get(link.node)
        return None if key is None else output_key(key, link.output)

    for node in checked.nodes.values():
        if node.muted:
            muted.add(node.id)
            continue
        try:
            found = {name: digests.digest(path) for name, path in node.files.items()}
            found |= {f"reads {path.name}": digests.digest(path) for path in node.reads}
        except InputError as error:
            problems.append(Problem("unreadable_file", f"{error}.", node.id, None, node.pointer))
            continue
        planned = _node(node, found, ranks[node.id], surroundings(node))
        nodes[node.id] = planned
        # Which Lazy inputs count is known only once the node has run.
        key = None if planned.lazy else planned.key(key_of)
        if key is not None:
            keys[node.id] = key
    outputs = {name: link for name, link in checked.outputs.items() if link.node in nodes}
    targets = _targets(nodes, outputs, only, problems)
    if problems:
        raise WorkflowError(problems, source)
    if only:
        wanted = {*targets, *(up for name in targets for up in nx.ancestors(checked.graph, name))}
        nodes = {name: node for name, node in nodes.items() if name in wanted}
        keys = {name: key for name, key in keys.items() if name in wanted}
        outputs = {name: link for name, link in outputs.items() if link.node in targets}
        muted &= wanted
    return Plan(nodes, keys, targets, outputs, frozenset(muted), nx.freeze(checked.graph))


def _node(node: CheckedNode, digests: Mapping[str, str], rank: int, surroundings: str) -> PlanNode:
    return PlanNode(
        id=node.id,
        spec=node.spec,
        literals=node.literals,
        files=node.files,
        named=node.named,
        reads=node.reads,
        digests=digests,
        links=node.links,
        joins=node.joins,
        types=node.types,
        enters=node.enters,
        rank=rank,
        surroundings=surroundings,
        mapped=node.mapped,
        lazy=_lazy_inputs(node),
    )


def _lazy_inputs(node: CheckedNode) -> frozenset[str]:
    if not node.spec.is_async or not node.links:  # only `async` nodes have Lazy inputs
        return _NONE
    lazy = (port.name for port in node.spec.inputs if port.lazy)
    return frozenset(name for name in lazy if name in node.links)


def _ranks(checked: Checked) -> dict[str, int]:
    after = dict(checked.graph.adjacency())
    ranks: dict[str, int] = {}
    for node_id in reversed(checked.nodes):
        # Nodes that do not run have no rank.
        ranks[node_id] = 1 + max((ranks.get(other, 0) for other in after[node_id]), default=0)
    return ranks


def _targets(
    nodes: Mapping[str, PlanNode],
    outputs: Mapping[str, Link],
    only: Sequence[str],
    problems: list[Problem],
) -> tuple[str, ...]:
    if not only:
        ends = [node.id for node in nodes.values() if node.spec.end]
        exposed = [link.node for link in outputs.values()]
        return tuple(dict.fromkeys([*ends, *exposed]))
    wanted: list[str] = []
    for name in only:
        found = [node for node in nodes if node == name or node.startswith(f"{name}/")]
        if not found:
            sentence = f"The node '{name}', which was asked for, does not exist or is muted."
            problems.append(Problem("unknown_node", sentence, name, way_out=nearest(name, nodes)))
        wanted.extend(found)
    return tuple(dict.fromkeys(wanted))


def count_asked(plan: Plan, has: Callable[[str], bool]) -> int:
    """How many nodes a run will ask for; what Lazy inputs may ask for besides is not known yet.

    Args:
        has: Whether a store has the value of a key, so that nothing further up is asked for.
    """
    asked = set(plan.targets)
    waiting = list(asked)
    while waiting:
        name = waiting.pop()
        key = plan.keys.get(name)
        if key is not None and has(key):
            continue
        for _, link in plan.nodes[name].sources(lazy=False):
            if link.node not in asked:
                asked.add(link.node)
                waiting.append(link.node)
    return len(asked)
