"""Bypass: a node that is bypassed hands its first fitting input through."""

from __future__ import annotations

from nodeflow.checking.flat import FlatNode, Redirects
from nodeflow.errors import Problem
from nodeflow.findings import Findings
from nodeflow.sockets import join
from nodeflow.workflow import Link, Value


def bypass(nodes: dict[str, FlatNode], redirects: Redirects, findings: Findings) -> None:
    """Take every bypassed node out of `nodes` and let its outputs lead to what enters it."""
    bypassed = [node for node in nodes.values() if node.mode == "bypass" and node.spec is not None]
    for node in bypassed:
        del nodes[node.id]
        _hand_through(node, redirects, findings)
    for node in bypassed:
        for output in redirects.outputs[node.id]:
            source = redirects.follow(Link(node.id, output))
            if isinstance(source, Link) and redirects.leads_on(source):
                sentence = f"The bypassed node '{node.id}' is part of a cycle of bypassed nodes."
                way_out = "Remove one of their links."
                findings.add(Problem("cycle", sentence, node.id, None, node.pointer, way_out))


def _hand_through(node: FlatNode, redirects: Redirects, findings: Findings) -> None:
    assert node.spec is not None
    redirects.outputs[node.id] = tuple(port.name for port in node.spec.outputs)
    for output in node.spec.outputs:
        source = _fitting(node, output.type)
        if source is None:
            findings.add(
                Problem(
                    "bypass_impossible",
                    f"The node '{node.id}' is bypassed, but none of its inputs can stand for "
                    f"its output '{output.name}' ({output.type}).",
                    node.id,
                    None,
                    # The mode may be that of a call around it.
                    node.pointer,
                    "Mute it, or link an input of that type.",
                )
            )
            continue
        for name in (output.name, *output.was):
            redirects.lead(node.id, name, source)


def _fitting(node: FlatNode, wanted: str) -> Link | Value | None:
    assert node.spec is not None
    for port in node.spec.inputs:
        source = node.inputs.get(port.name)
        if source and join(port.type, wanted) == "direct":
            return source[0] if isinstance(source, tuple) else source
    return None
