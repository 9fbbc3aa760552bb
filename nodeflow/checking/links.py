"""Links: whether the output exists, whether its type may enter, and how it enters."""

from __future__ import annotations

from collections.abc import Mapping

from nodeflow.checking.checked import CheckedNode, problem_at
from nodeflow.checking.flat import FlatGraph, FlatNode
from nodeflow.checking.joining import Bindings
from nodeflow.errors import Problem
from nodeflow.findings import escape
from nodeflow.sockets import ANY, Join, is_variable, item_of, join, list_of
from nodeflow.spec import InputSpec, NodeSpec
from nodeflow.workflow import Link


class Links:
    """Puts links into checked nodes, or tells why they do not fit."""

    def __init__(self, flat: FlatGraph, checked: Mapping[str, CheckedNode]) -> None:
        self._flat = flat
        self._findings = flat.findings
        self._checked = checked

    def enter(
        self,
        node: FlatNode,
        port: InputSpec,
        source: Link | tuple[Link, ...],
        checked: CheckedNode,
        bindings: Bindings,
    ) -> bool:
        """Put a link, or the links of a growing input, into `checked`; False if none entered."""
        if isinstance(source, tuple) and not port.grows:
            sentence = f"The input '{port.name}' of '{node.id}' takes one link, not {len(source)}."
            way_out = 'Give one link: {"node": ID, "output": NAME}.'
            self._findings.add(problem_at(node, "wrong_type", sentence, port.name, way_out))
            return False
        links = source if isinstance(source, tuple) else (source,)
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
        return bool(found) or port.grows

    def _link(
        self,
        node: FlatNode,
        port: InputSpec,
        link: Link,
        checked: CheckedNode,
        bindings: Bindings,
    ) -> tuple[Link, Join] | None:
        if link.node not in self._flat.nodes:
            self._dangling(node, port.name, link)
            return None
        source = self._checked.get(link.node)
        if source is None:
            return None  # of unknown type, or in a cycle: said there
        named = self._named(node, port.name, link, source.spec)
        if named is None:
            return None
        if source.muted:
            # What needs a muted node is left out with it; a growing input does with fewer links.
            checked.muted = checked.muted or not port.grows
            return None
        given = source.types[named.output]
        how = join(given, port.type)
        if how == "each" and port.lazy:
            how = "direct" if is_variable(port.type) else None
        bound = item_of(given) if how == "each" else given
        if how is None or not bindings.bind(port.type, bound or given):
            wanted = bindings.apply(port.type) if is_variable(port.type) else port.type
            sentence = (
                f"The input '{port.name}' of '{node.id}' takes {wanted}, "
                f"but '{link.node}.{named.output}' is {given}."
            )
            way_out = f"Link an output of type {wanted}."
            self._findings.add(problem_at(node, "wrong_type", sentence, port.name, way_out))
            return None
        _note_type(checked, port, list_of(given) if how == "wrap" else bound or given)
        return named, how

    def _dangling(self, node: FlatNode, name: str, link: Link) -> None:
        """Tell of a link to nothing, unless the call it hangs on is to blame and told."""
        redirects = self._flat.redirects
        if link.node in self._flat.broken or redirects.has(link):
            return
        where = f"The input '{name}' of '{node.id}' is linked to"
        known = redirects.outputs.get(link.node)
        if known is None:
            sentence = f"{where} the node '{link.node}', which does not exist."
            way_out = self._findings.nearest(link.node, self._flat.nodes)
        elif not link.output:
            sentence = f"{where} '{link.node}', which has {len(known)} outputs."
            way_out = _there_is(known)
        else:
            sentence = f"{where} the output '{link.output}' of '{link.node}', which does not exist."
            way_out = self._findings.nearest(link.output, known) or _there_is(known)
        way_out = way_out or "Link another node, or remove the link."
        self._findings.add(problem_at(node, "dangling_link", sentence, name, way_out))

    def _named(self, node: FlatNode, name: str, link: Link, spec: NodeSpec) -> Link | None:
        """The link with the output's full, present name."""
        output = _output(spec, link)
        if output is not None:
            return link if output == link.output else Link(link.node, output)
        known = [port.name for port in spec.outputs]
        where = f"The input '{name}' of '{node.id}'"
        sentence = (
            f"{where} is linked to the output '{link.output}' of '{link.node}' ({spec.id}), "
            "which does not exist."
            if link.output
            else f"{where} must say which output of '{link.node}' it takes."
        )
        way_out = self._findings.nearest(link.output, known) or _there_is(known)
        self._findings.add(problem_at(node, "dangling_link", sentence, name, way_out))
        return None

    def exposed(self, name: str, link: Link) -> Link | None:
        """One of the workflow's outputs, with its present name; an end node has none to name."""
        source = self._checked.get(link.node)
        if source is None:
            return None
        if source.spec.end and not link.output:
            return link
        output = _output(source.spec, link)
        if output is not None:
            return Link(link.node, output)
        known = [item.name for item in source.spec.outputs]
        sentence = (
            f"The output '{name}' takes '{link.output}' of '{link.node}', which does not exist."
            if link.output
            else f"The output '{name}' must say which output of '{link.node}' it takes."
        )
        way_out = self._findings.nearest(link.output, known) or _there_is(known)
        pointer = f"/outputs/{escape(name)}"
        self._findings.add(Problem("dangling_link", sentence, link.node, None, pointer, way_out))
        return None


def _output(spec: NodeSpec, link: Link) -> str | None:
    """Today's name of the output that a link takes; an empty name means the only one."""
    if link.output:
        port = spec.output(link.output)
        return None if port is None else port.name
    return spec.outputs[0].name if len(spec.outputs) == 1 else None


def _note_type(checked: CheckedNode, port: InputSpec, given: str) -> None:
    """Remember what one call is handed; what is known only while running is as declared."""
    entering = port.type if ANY in (given, item_of(given)) else given
    if checked.enters.setdefault(port.name, entering) != entering:
        # A growing input takes several types only if it is declared `object` or a variable.
        checked.enters[port.name] = ANY if is_variable(port.type) else port.type


def _there_is(names: list[str] | tuple[str, ...]) -> str:
    return f"There is: {', '.join(names) or 'none'}."
