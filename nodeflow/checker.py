"""Workflow and specs in, every problem out: code, node, input, JSON pointer, sentence, way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import networkx as nx
from pydantic import JsonValue, TypeAdapter, ValidationError

from nodeflow.errors import InputError, PackError, Problem
from nodeflow.flatten import FlatGraph, FlatNode, flatten, nearest
from nodeflow.joining import Bindings, literal_type
from nodeflow.literals import literal_adapter, reason
from nodeflow.registry import Registry
from nodeflow.roots import Roots
from nodeflow.sockets import Join, is_variable, item_of, join, list_of
from nodeflow.spec import Facts, InputSpec, NodeSpec
from nodeflow.workflow import Link, Value, Workflow


@dataclass(slots=True)
class CheckedNode:
    """A node whose declaration and inputs fit, ready to be planned.

    Attributes:
        literals: Validated values, defaults included; without links and files.
        files: Inputs that name a file, as paths.
        links: What enters from other nodes; a tuple for a growing input.
        joins: Input to how its link enters: `each` maps the node over a list.
        types: Output to the type it really has here.
        muted: It does not run, nor does what depends on it.
    """

    id: str
    spec: NodeSpec
    pointer: str
    literals: dict[str, JsonValue] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    links: dict[str, Link | tuple[Link, ...]] = field(default_factory=dict)
    joins: dict[str, Join | tuple[Join, ...]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    muted: bool = False

    @property
    def mapped(self) -> bool:
        """Whether it runs once for each item of a list."""
        return "each" in self.joins.values()


@dataclass(slots=True)
class Checked:
    """What the checker found out.

    Attributes:
        nodes: Every node that fits, inputs before what depends on them.
        outputs: The workflow's outputs, each with the output's full name.
        graph: Node ids and who feeds whom.
        problems: Everything that is wrong; warnings too.
    """

    nodes: dict[str, CheckedNode]
    outputs: dict[str, Link]
    graph: nx.DiGraph[str]
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]


def check(workflow: Workflow, registry: Registry, roots: Roots) -> Checked:
    """Everything that can be said about a workflow before it runs."""
    flat = flatten(workflow, registry.find)
    return _Checker(flat, registry, roots).check()


class _Checker:
    def __init__(self, flat: FlatGraph, registry: Registry, roots: Roots) -> None:
        self._flat = flat
        self._registry = registry
        self._roots = roots
        self._problems = flat.problems
        self._checked: dict[str, CheckedNode] = {}
        self._facts: dict[Link, Facts] = {}
        self._adapters: dict[tuple[str, str], TypeAdapter[object]] = {}
        self._outputs: dict[str, Link] = {}

    def check(self) -> Checked:
        graph = self._graph()
        order = self._order(graph)
        for node_id in order:
            self._node(self._flat.nodes[node_id])
        for name, link in self._flat.outputs.items():
            self._exposed_output(name, link)
        self._unused(graph)
        self._problems.sort(key=lambda problem: problem.severity)
        return Checked(self._checked, self._outputs, graph, self._problems)

    def _graph(self) -> nx.DiGraph[str]:
        graph: nx.DiGraph[str] = nx.DiGraph()
        nodes = self._flat.nodes
        graph.add_nodes_from(nodes)
        graph.add_edges_from(
            (link.node, node.id)
            for node in nodes.values()
            for _, link in links_of(node.inputs)
            if link.node in nodes
        )
        return graph

    def _order(self, graph: nx.DiGraph[str]) -> list[str]:
        try:
            return list(nx.topological_sort(graph))
        except nx.NetworkXUnfeasible:
            pass
        rings = [ring for ring in nx.strongly_connected_components(graph) if len(ring) > 1]
        rings += [{node} for node in nx.nodes_with_selfloops(graph)]
        for ring in rings:
            cycle = [edge[0] for edge in nx.find_cycle(graph.subgraph(ring))]
            first = self._flat.nodes[cycle[0]]
            path = " -> ".join([*cycle, cycle[0]])
            self._problem(
                first,
                "cycle",
                f"The nodes form a cycle: {path}.",
                way_out="Remove one of these links; to feed a result back, repeat a group.",
            )
        stuck = set().union(*rings)
        for node in list(stuck):
            stuck |= nx.descendants(graph, node)
        return list(nx.topological_sort(graph.subgraph(set(graph) - stuck)))

    def _problem(
        self,
        node: FlatNode,
        code: str,
        sentence: str,
        name: str | None = None,
        way_out: str = "",
        warning: bool = False,
    ) -> None:
        pointer = node.pointer_to(name) if name is not None else node.pointer
        severity = "warning" if warning else "error"
        self._problems.append(
            Problem(code, sentence, node.id, name, pointer, way_out, severity)  # type: ignore[arg-type]  # one of two words
        )

    def _node(self, node: FlatNode) -> None:
        spec = node.spec
        if spec is None:
            self._unknown_type(node)
            return
        if spec.deprecated:
            sentence = f"The node type '{spec.id}' is deprecated."
            self._problem(node, "deprecated", sentence, way_out=spec.deprecated, warning=True)
        checked = CheckedNode(node.id, spec, node.pointer, muted=node.mode == "mute")
        before = len(self._problems)
        bindings = Bindings()
        given = dict(node.inputs)
        for port in spec.inputs:
            source = given.pop(port.name, None)
            if isinstance(source, Link | tuple):
                self._linked(node, port, source, checked, bindings)
            elif source is not None:
                self._literal(node, port, source.value, checked, bindings)
            elif port.required:
                self._problem(
                    node,
                    "missing_input",
                    f"The input '{port.name}' of '{node.id}' ({spec.id}) has neither value nor link.",
                    port.name,
                    f"Link a {port.type}, or set a value."
                    if port.json_schema is not None
                    else f"Link an output of type {port.type}.",
                )
            elif port.file is not None and port.default is not None:
                self._file(node, port, str(port.default), checked)
            elif not port.grows:
                checked.literals[port.name] = port.default
        for name in given:
            known = [port.name for port in spec.inputs]
            sentence = f"The node type '{spec.id}' has no input '{name}'."
            self._problem(node, "unknown_input", sentence, name, nearest(name, known))
        each = checked.mapped
        for output in spec.outputs:
            bound = bindings.apply(output.type)
            checked.types[output.name] = list_of(bound) if each else bound
        self._checked[node.id] = checked
        if len(self._problems) == before:
            self._hooks(node, checked)

    def _unknown_type(self, node: FlatNode) -> None:
        pack = node.type.partition(".")[0]
        broken = next((item for item in self._registry.errors if item.pack == pack), None)
        way_out = (
            f"Its pack does not work: {broken.sentence}"
            if broken
            else nearest(node.type, self._registry.specs) or f"Install the pack '{pack}'."
        )
        sentence = f"The node '{node.id}' has the type '{node.type}', which no pack provides."
        self._problem(node, "unknown_type", sentence, way_out=way_out)
        self._problems[-1] = Problem(
            "unknown_type", sentence, node.id, None, f"{node.pointer}/type", way_out
        )

    def _linked(
        self,
        node: FlatNode,
        port: InputSpec,
        source: Link | tuple[Link, ...],
        checked: CheckedNode,
        bindings: Bindings,
    ) -> None:
        if port.grows:
            links = source if isinstance(source, tuple) else (source,)
        elif isinstance(source, tuple):
            sentence = f"The input '{port.name}' of '{node.id}' takes one link, not {len(source)}."
            self._problem(node, "wrong_type", sentence, port.name)
            return
        else:
            links = (source,)
        found: list[tuple[Link, Join]] = []
        for link in links:
            entered = self._link(node, port, link, checked, bindings)
            if entered is not None:
                found.append(entered)
        if port.grows:
            checked.links[port.name] = tuple(link for link, _ in found)
            checked.joins[port.name] = tuple(how for _, how in found)
        elif found:
            checked.links[port.name], checked.joins[port.name] = found[0]
        elif checked.muted or not port.required:
            checked.literals[port.name] = port.default

    def _link(
        self,
        node: FlatNode,
        port: InputSpec,
        link: Link,
        checked: CheckedNode,
        bindings: Bindings,
    ) -> tuple[Link, Join] | None:
        upstream = self._flat.nodes.get(link.node)
        where = f"The input '{port.name}' of '{node.id}'"
        if upstream is None:
            sentence = f"{where} is linked to the node '{link.node}', which does not exist."
            way_out = nearest(link.node, self._flat.nodes)
            self._problem(node, "dangling_link", sentence, port.name, way_out)
            return None
        source = self._checked.get(link.node)
        if source is None:
            return None  # of unknown type: said there
        named = self._named(node, port.name, link, source.spec)
        if named is None:
            return None
        if source.muted:
            # Without its source an optional input falls back to its default.
            if port.required or checked.muted:
                checked.muted = True
            return None
        given = source.types[named.output]
        how = join(given, port.type)
        if how == "each" and port.lazy:
            how = "direct" if is_variable(port.type) else None
        bound = item_of(given) if how == "each" else given
        if how is None or not bindings.bind(port.type, bound or given):
            wanted = bindings.apply(port.type) if is_variable(port.type) else port.type
            sentence = f"{where} takes {wanted}, but '{link.node}.{named.output}' is {given}."
            self._problem(
                node, "wrong_type", sentence, port.name, f"Link an output of type {wanted}."
            )
            return None
        return named, how

    def _named(self, node: FlatNode, name: str, link: Link, spec: NodeSpec) -> Link | None:
        """The link with the output's full, present name."""
        if link.output:
            port = spec.output(link.output)
            if port is not None:
                return link if port.name == link.output else Link(link.node, port.name)
        elif len(spec.outputs) == 1:
            return Link(link.node, spec.outputs[0].name)
        known = [port.name for port in spec.outputs]
        sentence = (
            f"The input '{name}' of '{node.id}' is linked to the output '{link.output}' of "
            f"'{link.node}' ({spec.id}), which does not exist."
            if link.output
            else f"The input '{name}' of '{node.id}' must say which output of '{link.node}' it takes."
        )
        way_out = nearest(link.output, known) or f"There is: {', '.join(known) or 'none'}."
        self._problem(node, "dangling_link", sentence, name, way_out)
        return None

    def _literal(
        self,
        node: FlatNode,
        port: InputSpec,
        value: JsonValue,
        checked: CheckedNode,
        bindings: Bindings,
    ) -> None:
        where = f"The input '{port.name}' of '{node.id}'"
        if port.grows and value == []:
            return
        if port.optional and value is None:
            checked.literals[port.name] = None
            return
        if port.json_schema is None:
            self._problem(
                node,
                "wrong_type",
                f"{where} takes a link of type {port.type}, not the value {_short(value)}.",
                port.name,
            )
            return
        try:
            slot = (node.type, port.name)
            adapter = self._adapters.get(slot)
            if adapter is None:
                adapter = self._adapters[slot] = literal_adapter(port.json_schema)
            validated: JsonValue = adapter.validate_python(value)  # type: ignore[assignment]  # JSON in, JSON out
        except ValidationError as error:
            sentence = f"{where} cannot be {_short(value)}: {reason(error)}."
            self._problem(node, _literal_code(error), sentence, port.name)
            return
        except RecursionError:
            self._problem(node, "wrong_value", f"{where} is nested too deep.", port.name)
            return
        if port.file is not None:
            self._file(node, port, str(validated), checked)
            return
        if is_variable(port.type) and not bindings.bind(port.type, literal_type(validated)):
            wanted = bindings.apply(port.type)
            sentence = f"{where} takes {wanted}, as another input does, not {_short(value)}."
            self._problem(node, "wrong_type", sentence, port.name)
            return
        checked.literals[port.name] = validated

    def _file(self, node: FlatNode, port: InputSpec, name: str, checked: CheckedNode) -> None:
        assert port.file is not None
        try:
            checked.files[port.name] = self._roots.resolve(port.file.root, name)
        except InputError as error:
            sentence = f"The input '{port.name}' of '{node.id}': {error}."
            self._problem(node, "missing_file", sentence, port.name)

    def _hooks(self, node: FlatNode, checked: CheckedNode) -> None:
        """Ask the pack what it knows of this node before it runs."""
        spec = checked.spec
        if spec.check is None and spec.facts is None:
            return
        known: dict[str, object] = {**checked.literals, **checked.files}
        for name, link in checked.links.items():
            known[name] = {} if isinstance(link, tuple) else self._facts.get(link, {})
        try:
            if spec.check is not None:
                self._call_hook(spec, spec.check, known)
            if spec.facts is not None:
                found: object = self._call_hook(spec, spec.facts, known)
                for output, facts in found.items() if isinstance(found, Mapping) else ():
                    self._facts[Link(node.id, output)] = facts
        except ValueError as error:
            self._problem(node, "check_failed", f"The node '{node.id}' ({spec.id}): {error}")
        except PackError as error:
            self._problem(node, "broken_pack", str(error))

    def _call_hook(self, spec: NodeSpec, reference: str, known: Mapping[str, object]) -> object:
        hook = self._registry.hook(spec, reference)
        code = hook.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        return hook(**{name: known.get(name) for name in names})

    def _exposed_output(self, name: str, link: Link) -> None:
        source = self._checked.get(link.node)
        if source is None:
            return
        if source.spec.end and not link.output:
            self._outputs[name] = link
            return
        node = self._flat.nodes[link.node]
        outputs = source.spec.outputs
        port = source.spec.output(link.output) if link.output else None
        if port is None and not link.output and len(outputs) == 1:
            port = outputs[0]
        if port is not None:
            self._outputs[name] = Link(link.node, port.name)
            return
        known = [item.name for item in outputs]
        self._problems.append(
            Problem(
                "dangling_link",
                f"The output '{name}' takes '{link.output}' of '{link.node}', which does not exist.",
                node.id,
                None,
                f"/outputs/{name}",
                nearest(link.output, known) or f"There is: {', '.join(known) or 'none'}.",
            )
        )

    def _unused(self, graph: nx.DiGraph[str]) -> None:
        """Warn of nodes that lead to nothing that is saved, shown or exposed."""
        used: set[str] = set()
        waiting = [link.node for link in self._outputs.values()]
        waiting += [node.id for node in self._checked.values() if node.spec.end]
        while waiting:
            node_id = waiting.pop()
            if node_id not in used:
                used.add(node_id)
                waiting.extend(graph.predecessors(node_id))
        for node_id, checked in self._checked.items():
            if node_id not in used and not checked.muted and not node_id.count("/until:"):
                sentence = f"Nothing that is saved, shown or exposed needs the node '{node_id}'."
                way_out = "Link it, expose an output of it, or remove it."
                self._problem(
                    self._flat.nodes[node_id], "unused_node", sentence, None, way_out, warning=True
                )


def links_of(
    inputs: Mapping[str, Link | Value | tuple[Link, ...]],
) -> Iterable[tuple[str, Link]]:
    """Every link among inputs, with the input's name."""
    for name, source in inputs.items():
        if isinstance(source, Link):
            yield name, source
        elif isinstance(source, tuple):
            for link in source:
                yield name, link


def _literal_code(error: ValidationError) -> str:
    kind = error.errors(include_url=False)[0]["type"]
    if kind in ("literal_error", "enum") or "is not one of" in str(error):
        return "not_a_choice"
    if kind.startswith(("greater_than", "less_than", "multiple_of", "too_", "string_too")):
        return "out_of_limits"
    return "wrong_value"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
