"""Workflow and specs in, every problem out: code, node, input, JSON pointer, sentence, way out."""

from __future__ import annotations

from nodeflow.checking.checked import Checked as Checked
from nodeflow.checking.checked import CheckedNode as CheckedNode
from nodeflow.checking.checked import problem_at
from nodeflow.checking.flat import FlatGraph, FlatNode
from nodeflow.checking.flatten import flatten
from nodeflow.checking.hooks import Hooks
from nodeflow.checking.inputs import Written
from nodeflow.checking.joining import Bindings
from nodeflow.checking.links import Links
from nodeflow.checking.order import graph_of, in_order, warn_of_unused
from nodeflow.errors import Problem
from nodeflow.registry import Registry
from nodeflow.roots import Roots
from nodeflow.sockets import list_of
from nodeflow.spec import InputSpec, NodeSpec
from nodeflow.workflow import Link, Source, Value, Workflow


def check(workflow: Workflow, registry: Registry, roots: Roots) -> Checked:
    """Everything that can be said about a workflow before it runs."""
    flat = flatten(workflow, registry.find)
    return _Checker(flat, registry, roots).check()


class _Checker:
    def __init__(self, flat: FlatGraph, registry: Registry, roots: Roots) -> None:
        self._flat = flat
        self._registry = registry
        self._findings = flat.findings
        self._checked: dict[str, CheckedNode] = {}
        self._written = Written(roots, self._findings)
        self._links = Links(flat, self._checked)
        self._hooks = Hooks(registry, self._findings)

    def check(self) -> Checked:
        graph = graph_of(self._flat)
        for node_id in in_order(graph, self._flat):
            node = self._flat.nodes[node_id]
            if node.spec is None:
                self._unknown_type(node)
            else:
                self._node(node, node.spec)
        outputs: dict[str, Link] = {}
        for name, link in self._flat.outputs.items():
            named = self._links.exposed(name, link)
            if named is not None:
                outputs[name] = named
        warn_of_unused(self._flat, graph, self._checked, outputs)
        problems = sorted(self._findings.problems, key=lambda problem: problem.severity)
        return Checked(self._checked, outputs, graph, problems)

    def _node(self, node: FlatNode, spec: NodeSpec) -> None:
        if spec.deprecated:
            sentence = f"The node type '{spec.id}' is deprecated."
            self._findings.add(
                problem_at(node, "deprecated", sentence, None, spec.deprecated, "warning")
            )
        before = self._findings.told
        checked = CheckedNode(node.id, spec, node.pointer, muted=node.mode == "mute")
        bindings = Bindings()
        given = dict(node.inputs)
        for port in spec.inputs:
            self._input(node, port, given.pop(port.name, None), checked, bindings)
        for name in given:
            known = [port.name for port in spec.inputs]
            sentence = f"The node type '{spec.id}' has no input '{name}'."
            way_out = self._findings.nearest(name, known) or "Remove it."
            self._findings.add(problem_at(node, "unknown_input", sentence, name, way_out))
        for output in spec.outputs:
            bound = bindings.apply(output.type)
            checked.types[output.name] = list_of(bound) if checked.mapped else bound
        self._checked[node.id] = checked
        if self._findings.told == before:
            self._hooks.ask(node, checked)

    def _input(
        self,
        node: FlatNode,
        port: InputSpec,
        source: Source | None,
        checked: CheckedNode,
        bindings: Bindings,
    ) -> None:
        if isinstance(source, Value):
            self._written.literal(node, port, source.value, checked, bindings)
        elif source is not None:
            entered = self._links.enter(node, port, source, checked, bindings)
            if not entered and not port.required:
                self._written.default(node, port, checked)
        elif not port.required:
            self._written.default(node, port, checked)
        elif node.id not in self._flat.broken:
            sentence = (
                f"The input '{port.name}' of '{node.id}' ({node.type}) has neither value nor link."
            )
            way_out = (
                f"Link an output of type {port.type}."
                if port.json_schema is None
                else f"Link an output of type {port.type}, or set a value."
            )
            self._findings.add(problem_at(node, "missing_input", sentence, port.name, way_out))

    def _unknown_type(self, node: FlatNode) -> None:
        pack, dot, name = node.type.partition(".")
        broken = next((item for item in self._registry.errors if item.pack == pack), None)
        own = [item.function for item in self._registry.specs.values() if item.pack == pack]
        if broken is not None:
            way_out = f"Its pack does not work: {broken.sentence}"
        elif own:
            way_out = (
                self._findings.nearest(name, own, pack + dot)
                or f"The pack '{pack}' has no such node; `nodeflow nodes` lists those there are."
            )
        else:
            way_out = (
                self._findings.nearest(node.type, self._registry.specs)
                or f"Install the pack '{pack}'."
            )
        sentence = f"The node '{node.id}' has the type '{node.type}', which no pack provides."
        pointer = f"{node.pointer}/type"
        self._findings.add(Problem("unknown_type", sentence, node.id, None, pointer, way_out))
