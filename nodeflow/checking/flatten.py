"""Groups resolved: a document as one flat graph, ids like `outer/inner`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from nodeflow.checking.bypass import bypass
from nodeflow.checking.exposed import check_exposed, exposed_outputs, exposed_places
from nodeflow.checking.flat import FlatGraph, FlatNode, Mode, Redirects
from nodeflow.checking.repeats import UNTIL, choices, missing_names, round_ids
from nodeflow.errors import Problem
from nodeflow.findings import Findings, escape
from nodeflow.findings import nearest as nearest
from nodeflow.spec import NodeSpec
from nodeflow.workflow import (
    GROUP_PREFIX,
    Graph,
    Link,
    NodeEntry,
    Repeat,
    Source,
    Workflow,
    read_input,
)

MAX_NODES = 50_000
MAX_NESTING = 30


def flatten(workflow: Workflow, find: Callable[[str], NodeSpec | None]) -> FlatGraph:
    """The flat graph of a workflow.

    Args:
        workflow: The document.
        find: Type id to spec, earlier ids included.
    """
    flattener = _Flattener(workflow, find)
    flattener.expand(workflow, _Scope("", "", None), {})
    exposed = [Link(place.node, place.output) for place in workflow.outputs.values()]
    bypass(flattener.nodes, exposed, flattener.redirects, flattener.findings)
    flattener.resolve()
    flat = FlatGraph(flattener.nodes, {}, flattener.findings, flattener.redirects, flattener.broken)
    flat.outputs.update(exposed_outputs(workflow, flat))
    return flat


@dataclass(frozen=True, slots=True)
class _Given:
    """An input that a call of a group hands to the inside."""

    source: Source
    pointer: str


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where in the flat graph, and in the document, a graph is being expanded."""

    prefix: str
    pointer: str
    mode: Mode | None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Call:
    """A node that calls a group.

    Attributes:
        pointer: JSON pointer to the node.
        given: Its inputs, and those that are fed from further outside.
        groups: Names of the groups around it, and its own.
    """

    id: str
    group: Graph
    name: str
    pointer: str
    mode: Mode | None
    given: Mapping[str, _Given]
    groups: tuple[str, ...]


class _Flattener:
    def __init__(self, workflow: Workflow, find: Callable[[str], NodeSpec | None]) -> None:
        self._workflow = workflow
        self._find = find
        self.nodes: dict[str, FlatNode] = {}
        self.findings = Findings()
        self.redirects = Redirects()
        self.broken: set[str] = set()
        # Nodes and calls that groups were expanded to: groups of nothing but groups count too.
        self._copied = 0
        self._renamed: dict[str, bool] = {}

    def expand(self, graph: Graph, scope: _Scope, given: Mapping[str, _Given]) -> None:
        """Add the nodes of one graph; `given` are values for its exposed inputs."""
        fed: dict[str, dict[str, _Given]] = {}
        for name, place in exposed_places(graph):
            if name in given:
                fed.setdefault(place.node, {})[place.input] = given[name]
        check_exposed(graph, scope.pointer, self._find, self._workflow.groups, self.findings)
        for name, entry in graph.nodes.items():
            self._node(name, entry, scope, fed.get(name, {}))

    def _problem(
        self,
        code: str,
        sentence: str,
        pointer: str,
        *,
        node: str | None = None,
        input: str | None = None,
        way_out: str = "",
        hint: tuple[str, Iterable[str]] | None = None,
    ) -> None:
        if hint is not None:
            way_out = self.findings.nearest(*hint) or way_out
        self.findings.add(Problem(code, sentence, node, input, pointer, way_out))

    def _node(self, name: str, entry: NodeEntry, scope: _Scope, fed: Mapping[str, _Given]) -> None:
        flat_id = scope.prefix + name
        pointer = f"{scope.pointer}/nodes/{escape(name)}"
        if "/" in name or "[" in name:
            self.broken.add(flat_id)
            sentence = f"The id '{name}' holds '/' or '[', which mark nodes inside of groups."
            way_out = "Give the node another id."
            self._problem("wrong_id", sentence, pointer, node=flat_id, way_out=way_out)
            return
        mode: Mode | None = (
            "mute" if "mute" in (scope.mode, entry.mode) else scope.mode or entry.mode
        )
        inputs = self._inputs(entry, scope.prefix, flat_id, pointer)
        if entry.type.startswith(GROUP_PREFIX):
            given = {
                item: _Given(source, f"{pointer}/inputs/{escape(item)}")
                for item, source in inputs.items()
            } | dict(fed)
            call_scope = _Scope(scope.prefix, pointer, mode, scope.groups)
            self._call(flat_id, entry, given, call_scope)
            return
        if entry.repeat is not None:
            self._problem(
                "wrong_repeat",
                f"The node '{flat_id}' is to repeat, but only groups can.",
                f"{pointer}/repeat",
                node=flat_id,
                way_out="Put it into a group and repeat the call of that group.",
            )
        spec = self._find(entry.type)
        pointers: dict[str, str] = {}
        if spec is not None and self._has_renamed_inputs(spec):
            for old, today in _renames(spec, inputs).items():
                inputs[today] = inputs.pop(old)
                pointers[today] = f"{pointer}/inputs/{escape(old)}"
        for item, value in fed.items():
            port = spec.input(item) if spec is not None else None
            today = port.name if port is not None else item
            inputs[today] = value.source
            pointers[today] = value.pointer
        self.nodes[flat_id] = FlatNode(flat_id, entry.type, spec, inputs, pointer, mode, pointers)

    def _has_renamed_inputs(self, spec: NodeSpec) -> bool:
        known = self._renamed.get(spec.id)
        if known is None:
            known = self._renamed[spec.id] = any(port.was for port in spec.inputs)
        return known

    def _inputs(
        self, entry: NodeEntry, prefix: str, flat_id: str, pointer: str
    ) -> dict[str, Source]:
        inputs: dict[str, Source] = {}
        for name, raw in entry.inputs.items():
            try:
                source = read_input(raw)
            except ValueError as error:
                place = f"{pointer}/inputs/{escape(name)}"
                self._problem(
                    "wrong_value",
                    f"{error}.",
                    place,
                    node=flat_id,
                    input=name,
                    way_out="Write it as one of these.",
                )
                self.broken.add(flat_id)
                continue
            if prefix and isinstance(source, Link):
                source = Link(prefix + source.node, source.output)
            elif prefix and isinstance(source, tuple):
                source = tuple(Link(prefix + link.node, link.output) for link in source)
            inputs[name] = source
        return inputs

    def _call(
        self, flat_id: str, entry: NodeEntry, given: Mapping[str, _Given], scope: _Scope
    ) -> None:
        name = entry.type.removeprefix(GROUP_PREFIX)
        group = self._workflow.groups.get(name)
        if group is None or name in scope.groups or len(scope.groups) >= MAX_NESTING:
            self.broken.add(flat_id)
            self._refuse_call(flat_id, name, scope)
            return
        call = _Call(flat_id, group, name, scope.pointer, scope.mode, given, (*scope.groups, name))
        for item in given:
            if item not in group.inputs:
                self._problem(
                    "unknown_input",
                    f"The group '{name}' has no input '{item}'.",
                    given[item].pointer,
                    node=flat_id,
                    input=item,
                    hint=(item, group.inputs),
                    way_out="Remove it, or expose an input under this name in the group.",
                )
        self.redirects.outputs[flat_id] = tuple(group.outputs)
        if entry.repeat is None:
            self._round(flat_id, call, given)
        elif self._repeat_is_sound(call, entry.repeat):
            self._repeat(call, entry.repeat)

    def _refuse_call(self, flat_id: str, name: str, scope: _Scope) -> None:
        place = f"{scope.pointer}/type"
        if name not in self._workflow.groups:
            sentence = f"The node '{flat_id}' calls the group '{name}', which does not exist."
            hint = (name, self._workflow.groups)
            way_out = "Add the group, or remove the call."
            self._problem(
                "unknown_group", sentence, place, node=flat_id, hint=hint, way_out=way_out
            )
            return
        path = " -> ".join((*scope.groups, name))
        if name in scope.groups:
            sentence = f"The group '{name}' contains itself: {path}."
            way_out = "To run a group several times, give its call a `repeat`."
        else:
            sentence = f"Groups are nested deeper than {MAX_NESTING}: {path}."
            way_out = "Put the nodes of inner groups into outer ones."
        self._problem("group_recursion", sentence, place, node=flat_id, way_out=way_out)

    def _round(self, round_id: str, call: _Call, given: Mapping[str, _Given]) -> None:
        """Expand one copy of a group."""
        group = call.group
        pointer = f"/groups/{escape(call.name)}"
        self._copied += len(group.nodes) + 1
        if self._copied > MAX_NODES:
            self.broken.update((round_id, call.id))
            sentence = f"With its groups the workflow has more than {MAX_NODES} nodes."
            self._problem(
                "too_many_nodes", sentence, pointer, way_out="Repeat or nest groups less often."
            )
            return
        prefix = f"{round_id}/"
        self.expand(group, _Scope(prefix, pointer, call.mode, call.groups), given)
        for name, place in group.outputs.items():
            self.redirects.lead(round_id, name, Link(prefix + place.node, place.output))
            if place.node not in group.nodes:
                self.broken.add(prefix + place.node)
                self._problem(
                    "dangling_link",
                    f"The output '{name}' comes from the node '{place.node}', "
                    "which does not exist.",
                    f"{pointer}/outputs/{escape(name)}",
                    hint=(place.node, group.nodes),
                    way_out="Remove the output, or say which node it comes from.",
                )

    def _repeat_is_sound(self, call: _Call, repeat: Repeat) -> bool:
        wrong = list(missing_names(call.group, repeat))
        for place, kind, name, known in wrong:
            self._problem(
                "wrong_repeat",
                f"The repeat of '{call.id}' names the {kind} '{name}', "
                f"which the group '{call.name}' does not have.",
                f"{call.pointer}/repeat{place}",
                node=call.id,
                hint=(name, known),
                way_out=f"Remove it, or expose an {kind} under this name in the group.",
            )
        if wrong:
            self.broken.add(call.id)
        return not wrong

    def _repeat(self, call: _Call, repeat: Repeat) -> None:
        """One copy of the group for each round, and choices between them if it has an `until`."""
        rounds = round_ids(call.id, repeat)
        before = len(self.nodes)
        for number, round_id in enumerate(rounds):
            given = dict(call.given)
            if number:
                for output, name in repeat.feed.items():
                    place = f"{call.pointer}/repeat/feed/{escape(output)}"
                    given[name] = _Given(Link(rounds[number - 1], output), place)
            self.redirects.outputs[round_id] = tuple(call.group.outputs)
            self._round(round_id, call, given)
            if call.id in self.broken:
                return
        if repeat.until is not None:
            self._refuse_ends(call, before)
        spec = self._find(UNTIL)
        for output in call.group.outputs:
            chosen = Link(rounds[-1], output)
            if repeat.until is not None:
                nodes, chosen = choices(rounds, output, repeat.until, spec, call.pointer, call.mode)
                self.nodes.update((node.id, node) for node in nodes)
            self.redirects.lead(call.id, output, chosen)

    def _refuse_ends(self, call: _Call, before: int) -> None:
        """What saves or shows always runs, so it would run rounds that `until` leaves out."""
        for node in list(self.nodes.values())[before:]:
            if node.spec is not None and node.spec.end:
                self._problem(
                    "wrong_repeat",
                    f"The group '{call.name}' repeats until a condition holds, "
                    f"but its node '{node.id}' saves or shows in every round.",
                    f"{call.pointer}/repeat/until",
                    node=call.id,
                    way_out="Give the group an output and save that.",
                )
                return

    def resolve(self) -> None:
        """Replace links to calls and bypassed nodes by what really gives the value."""
        if not self.redirects.outputs:
            return
        for node in self.nodes.values():
            for name, source in node.inputs.items():
                if isinstance(source, Link):
                    node.inputs[name] = self.redirects.follow(source)
                elif isinstance(source, tuple):
                    node.inputs[name] = tuple(self._links(node, name, source))

    def _links(self, node: FlatNode, name: str, links: Iterable[Link]) -> Iterable[Link]:
        for link in links:
            source = self.redirects.follow(link)
            if isinstance(source, Link):
                yield source
            else:
                self._problem(
                    "bypass_impossible",
                    f"The input '{name}' of '{node.id}' takes links, but '{link.node}', "
                    "which is bypassed, would hand a literal through.",
                    node.pointer_to(name),
                    node=node.id,
                    input=name,
                    way_out=f"Mute '{link.node}', or link its input.",
                )


def _renames(spec: NodeSpec, inputs: Mapping[str, Source]) -> dict[str, str]:
    """Earlier input name to today's, where the document has only the earlier one."""
    return {
        old: port.name
        for port in spec.inputs
        for old in port.was
        if old in inputs and port.name not in inputs
    }
