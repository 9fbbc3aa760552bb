"""Groups, repeats and bypass resolved: a document as one flat graph, ids like `outer/inner`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nodeflow.errors import Problem
from nodeflow.sockets import join
from nodeflow.spec import NodeSpec
from nodeflow.workflow import (
    Graph,
    InputPlace,
    Link,
    NodeEntry,
    OutputPlace,
    Repeat,
    Source,
    Value,
    Workflow,
    read_input,
)

GROUP_PREFIX = "group:"
MAX_NODES = 50_000
MAX_NESTING = 30
Mode = Literal["bypass", "mute"]


@dataclass(slots=True)
class FlatNode:
    """A node after flattening.

    Attributes:
        id: `outer/inner` for nodes of groups, `outer[2]/inner` for those of repeated groups.
        spec: None if the type is unknown.
        inputs: What the document or the outer graph gives; renamed inputs under today's name.
        pointer: JSON pointer to the node in the document.
        pointers: Pointers of inputs that come from somewhere else, such as a group's call.
    """

    id: str
    type: str
    spec: NodeSpec | None
    inputs: dict[str, Source]
    pointer: str
    mode: Mode | None = None
    pointers: dict[str, str] = field(default_factory=dict)

    def pointer_to(self, name: str) -> str:
        """JSON pointer to one input."""
        return self.pointers.get(name) or f"{self.pointer}/inputs/{escape(name)}"


@dataclass(slots=True)
class FlatGraph:
    """All nodes of a workflow, links resolved to nodes that compute; and what was wrong."""

    nodes: dict[str, FlatNode]
    outputs: dict[str, Link]
    problems: list[Problem]


def escape(part: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


def nearest(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'?`, or an empty text."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean '{found[0]}'?" if found else ""


def flatten(workflow: Workflow, find: Callable[[str], NodeSpec | None]) -> FlatGraph:
    """The flat graph of a workflow.

    Args:
        workflow: The document.
        find: Type id to spec, earlier ids included.
    """
    flattener = _Flattener(workflow, find)
    flattener.expand(workflow, _Scope("", "", None), {})
    flattener.bypass()
    outputs = flattener.outputs(workflow)
    flattener.resolve()
    return FlatGraph(flattener.nodes, outputs, flattener.problems)


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
    calls: tuple[str, ...] = ()


class _Flattener:
    def __init__(self, workflow: Workflow, find: Callable[[str], NodeSpec | None]) -> None:
        self._workflow = workflow
        self._find = find
        self.nodes: dict[str, FlatNode] = {}
        self.problems: list[Problem] = []
        # (id of a call or a bypassed node, output) -> what really gives that value.
        self._aliases: dict[tuple[str, str], Source] = {}
        self._calls: dict[str, tuple[str, ...]] = {}

    def expand(self, graph: Graph, scope: _Scope, given: Mapping[str, _Given]) -> None:
        """Add the nodes of one graph; `given` are values for its exposed inputs."""
        fed: dict[str, dict[str, _Given]] = {}
        for name, places in graph.inputs.items():
            for place in places if isinstance(places, list) else [places]:
                self._check_exposed(graph, scope, name, place)
                if name in given:
                    fed.setdefault(place.node, {})[place.input] = given[name]
        for name, entry in graph.nodes.items():
            self._node(name, entry, scope, fed.get(name, {}))

    def _check_exposed(self, graph: Graph, scope: _Scope, name: str, place: InputPlace) -> None:
        entry = graph.nodes.get(place.node)
        spec = self._find(entry.type) if entry else None
        group = self._group(entry.type) if entry else None
        known: Iterable[str] | None = None
        if spec is not None:
            known = [item.name for item in spec.inputs]
            if spec.input(place.input) is not None:
                return
        elif group is not None:
            known = group.inputs
            if place.input in known:
                return
        elif entry is not None:
            return  # an unknown type is a problem of its own
        pointer = f"{scope.pointer}/inputs/{escape(name)}"
        if known is None:
            sentence = (
                f"The exposed input '{name}' feeds the node '{place.node}', which does not exist."
            )
            way_out = nearest(place.node, graph.nodes)
        else:
            sentence = (
                f"The exposed input '{name}' feeds the input '{place.input}' of '{place.node}', "
                "which does not exist."
            )
            way_out = nearest(place.input, known)
        self._problem("unknown_exposed", sentence, pointer, way_out=way_out)

    def _problem(
        self,
        code: str,
        sentence: str,
        pointer: str,
        *,
        node: str | None = None,
        input: str | None = None,
        way_out: str = "",
    ) -> None:
        self.problems.append(Problem(code, sentence, node, input, pointer, way_out))

    def _group(self, type_id: str) -> Graph | None:
        if not type_id.startswith(GROUP_PREFIX):
            return None
        return self._workflow.groups.get(type_id.removeprefix(GROUP_PREFIX))

    def _node(self, name: str, entry: NodeEntry, scope: _Scope, fed: Mapping[str, _Given]) -> None:
        flat_id = scope.prefix + name
        pointer = f"{scope.pointer}/nodes/{escape(name)}"
        mode = scope.mode or entry.mode
        inputs = self._inputs(entry, scope.prefix, flat_id, pointer)
        if entry.type.startswith(GROUP_PREFIX):
            given = {
                item: _Given(source, f"{pointer}/inputs/{escape(item)}")
                for item, source in inputs.items()
            } | dict(fed)
            self._call(flat_id, entry, given, _Scope(scope.prefix, pointer, mode, scope.calls))
            return
        if entry.repeat is not None:
            self._problem(
                "wrong_repeat",
                f"The node '{flat_id}' is to repeat, but only groups can.",
                f"{pointer}/repeat",
                node=flat_id,
                way_out="Put it into a group and repeat the call of that group.",
            )
        pointers = {item: value.pointer for item, value in fed.items()}
        inputs.update({item: value.source for item, value in fed.items()})
        spec = self._find(entry.type)
        if spec is not None and not inputs.keys() <= {port.name for port in spec.inputs}:
            renames = {old: port.name for port in spec.inputs for old in port.was if old in inputs}
            inputs = {renames.get(item, item): source for item, source in inputs.items()}
        self.nodes[flat_id] = FlatNode(flat_id, entry.type, spec, inputs, pointer, mode, pointers)

    def _inputs(
        self, entry: NodeEntry, prefix: str, flat_id: str, pointer: str
    ) -> dict[str, Source]:
        inputs: dict[str, Source] = {}
        for name, raw in entry.inputs.items():
            try:
                source = read_input(raw)
            except ValueError as error:
                place = f"{pointer}/inputs/{escape(name)}"
                self._problem("wrong_value", f"{error}.", place, node=flat_id, input=name)
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
        if group is None:
            self._problem(
                "unknown_group",
                f"The node '{flat_id}' calls the group '{name}', which does not exist.",
                f"{scope.pointer}/type",
                node=flat_id,
                way_out=nearest(name, self._workflow.groups),
            )
            return
        if name in scope.calls or len(scope.calls) >= MAX_NESTING:
            path = " -> ".join((*scope.calls, name))
            self._problem(
                "group_recursion",
                f"The group '{name}' contains itself: {path}."
                if name in scope.calls
                else f"Groups are nested deeper than {MAX_NESTING}: {path}.",
                f"{scope.pointer}/type",
                node=flat_id,
                way_out="To run a group several times, give its call a `repeat`.",
            )
            return
        for item in given:
            if item not in group.inputs:
                self._problem(
                    "unknown_input",
                    f"The group '{name}' has no input '{item}'.",
                    given[item].pointer,
                    node=flat_id,
                    input=item,
                    way_out=nearest(item, group.inputs),
                )
        self._calls[flat_id] = tuple(group.outputs)
        inner = _Scope(flat_id, f"/groups/{escape(name)}", scope.mode, (*scope.calls, name))
        if entry.repeat is None:
            self._round(flat_id, group, inner, given)
        elif self._repeat_is_sound(flat_id, group, entry.repeat, scope.pointer):
            self._repeat(flat_id, group, entry.repeat, inner, given)

    def _round(
        self, flat_id: str, group: Graph, scope: _Scope, given: Mapping[str, _Given]
    ) -> None:
        if len(self.nodes) + len(group.nodes) > MAX_NODES:
            self._problem(
                "too_many_nodes",
                f"With its groups the workflow has more than {MAX_NODES} nodes.",
                scope.pointer,
            )
            return
        prefix = f"{flat_id}/"
        self.expand(group, _Scope(prefix, scope.pointer, scope.mode, scope.calls), given)
        for name, place in group.outputs.items():
            self._aliases[flat_id, name] = Link(prefix + place.node, place.output)
            if place.node not in group.nodes:
                self._problem(
                    "dangling_link",
                    f"The output '{name}' comes from the node '{place.node}', which does not exist.",
                    f"{scope.pointer}/outputs/{escape(name)}",
                    way_out=nearest(place.node, group.nodes),
                )

    def _repeat_is_sound(self, flat_id: str, group: Graph, repeat: Repeat, pointer: str) -> bool:
        wrong = [
            (f"the output '{name}'", name, group.outputs)
            for name in [*repeat.feed, *([repeat.until] if repeat.until else [])]
            if name not in group.outputs
        ] + [
            (f"the input '{name}'", name, group.inputs)
            for name in repeat.feed.values()
            if name not in group.inputs
        ]
        for what, name, known in wrong:
            self._problem(
                "wrong_repeat",
                f"The repeat of '{flat_id}' names {what}, which its group does not have.",
                f"{pointer}/repeat",
                node=flat_id,
                way_out=nearest(name, known),
            )
        return not wrong

    def _repeat(
        self,
        flat_id: str,
        group: Graph,
        repeat: Repeat,
        scope: _Scope,
        given: Mapping[str, _Given],
    ) -> None:
        """One copy of the group for each round; with `until`, lazy choices between them.

        Rounds after the last one are never asked for, so they never run.
        """
        rounds = [f"{flat_id}[{number}]" for number in range(1, repeat.times + 1)]
        for number, round_id in enumerate(rounds):
            fed = dict(given)
            if number:
                for output, name in repeat.feed.items():
                    fed[name] = _Given(Link(rounds[number - 1], output), scope.pointer)
            self._calls[round_id] = tuple(group.outputs)
            self._round(round_id, group, scope, fed)
        for output in group.outputs:
            chosen: Link = Link(rounds[-1], output)
            for round_id in reversed(rounds[:-1]) if repeat.until else ():
                choice = f"{round_id}/until:{output}"
                self.nodes[choice] = FlatNode(
                    choice,
                    "nodeflow.until",
                    self._find("nodeflow.until"),
                    {
                        "done": Link(round_id, repeat.until or ""),
                        "now": Link(round_id, output),
                        "later": chosen,
                    },
                    scope.pointer,
                    scope.mode,
                )
                chosen = Link(choice, "value")
            self._aliases[flat_id, output] = chosen

    def bypass(self) -> None:
        """Let every bypassed node hand its first fitting input through."""
        for node in [node for node in self.nodes.values() if node.mode == "bypass"]:
            if node.spec is None:
                continue
            del self.nodes[node.id]
            self._calls[node.id] = tuple(port.name for port in node.spec.outputs)
            for output in node.spec.outputs:
                source = next(
                    (
                        node.inputs[port.name]
                        for port in node.spec.inputs
                        if join(port.type, output.type) == "direct" and port.name in node.inputs
                    ),
                    None,
                )
                if isinstance(source, tuple):
                    source = source[0] if source else None
                if source is None:
                    self._problem(
                        "bypass_impossible",
                        f"The node '{node.id}' is bypassed, but none of its inputs can stand for "
                        f"its output '{output.name}' ({output.type}).",
                        f"{node.pointer}/mode",
                        node=node.id,
                        way_out="Mute it, or link an input of that type.",
                    )
                else:
                    self._aliases[node.id, output.name] = source

    def outputs(self, workflow: Workflow) -> dict[str, Link]:
        """The workflow's own outputs, as links to nodes that compute."""
        found: dict[str, Link] = {}
        for name, place in workflow.outputs.items():
            link = self._output(name, place)
            if link is not None:
                found[name] = link
        return found

    def _output(self, name: str, place: OutputPlace) -> Link | None:
        source = self._follow(Link(place.node, place.output))
        pointer = f"/outputs/{escape(name)}"
        if isinstance(source, Link) and source.node in self.nodes:
            return source
        if isinstance(source, Value):
            sentence = f"The output '{name}' is a literal, since '{place.node}' is bypassed."
        else:
            sentence = f"The output '{name}' comes from '{place.node}', which does not exist."
        self._problem("dangling_link", sentence, pointer, way_out=nearest(place.node, self.nodes))
        return None

    def resolve(self) -> None:
        """Replace links to calls and bypassed nodes by what really gives the value."""
        if not self._calls:
            return
        for node in self.nodes.values():
            for name, source in node.inputs.items():
                if isinstance(source, Link):
                    node.inputs[name] = self._follow(source)
                elif isinstance(source, tuple):
                    followed = [self._follow(link) for link in source]
                    node.inputs[name] = tuple(link for link in followed if isinstance(link, Link))

    def _follow(self, link: Link) -> Source:
        seen: set[tuple[str, str]] = set()
        while link.node in self._calls:
            outputs = self._calls[link.node]
            output = link.output or (outputs[0] if len(outputs) == 1 else "")
            slot = (link.node, output)
            source = self._aliases.get(slot)
            if source is None or slot in seen:
                return link
            seen.add(slot)
            if not isinstance(source, Link):
                return source
            link = source
        return link
