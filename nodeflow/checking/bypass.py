"""Bypass: a node that is bypassed hands its first fitting input through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nodeflow.checking.flat import FlatNode, Redirects
from nodeflow.errors import Problem
from nodeflow.findings import Findings
from nodeflow.sockets import join
from nodeflow.workflow import Link, Value


def bypass(
    nodes: dict[str, FlatNode],
    exposed: Iterable[Link],
    redirects: Redirects,
    findings: Findings,
) -> None:
    """Take every bypassed node out of `nodes` and let its outputs lead to what enters it.

    Args:
        exposed: Where the workflow's own outputs come from.
    """
    bypassed = [node for node in nodes.values() if node.mode == "bypass" and node.spec is not None]
    unfit: dict[Link, tuple[FlatNode, str]] = {}
    for node in bypassed:
        del nodes[node.id]
        unfit |= {
            Link(node.id, name): (node, kind) for name, kind in _hand_through(node, redirects)
        }
    for node in bypassed:
        for output in redirects.outputs[node.id]:
            source = redirects.follow(Link(node.id, output))
            if isinstance(source, Link) and redirects.leads_on(source):
                sentence = f"The bypassed node '{node.id}' is part of a cycle of bypassed nodes."
                way_out = "Remove one of their links."
                findings.add(Problem("cycle", sentence, node.id, None, node.pointer, way_out))
    if unfit:
        _refuse_unfit(unfit, [*_links(nodes), *exposed], redirects, findings)


def _hand_through(node: FlatNode, redirects: Redirects) -> Iterator[tuple[str, str]]:
    """Redirect the outputs of a bypassed node; gives name and type of those that cannot be."""
    assert node.spec is not None
    redirects.outputs[node.id] = tuple(port.name for port in node.spec.outputs)
    for output in node.spec.outputs:
        source = _fitting(node, output.type)
        for name in (output.name, *output.was):
            if source is None:
                yield name, output.type
            else:
                redirects.lead(node.id, name, source)


def _links(nodes: Mapping[str, FlatNode]) -> Iterator[Link]:
    for node in nodes.values():
        for source in node.inputs.values():
            if isinstance(source, Link):
                yield source
            elif isinstance(source, tuple):
                yield from source


def _refuse_unfit(
    unfit: Mapping[Link, tuple[FlatNode, str]],
    links: Iterable[Link],
    redirects: Redirects,
    findings: Findings,
) -> None:
    """Tell of outputs that nothing stands for; those that nobody takes do no harm."""
    for link in dict.fromkeys(links):
        source = redirects.follow(link)
        if not isinstance(source, Link):
            continue
        names = redirects.outputs.get(source.node, ())
        slot = Link(source.node, names[0]) if not source.output and len(names) == 1 else source
        if slot in unfit:
            node, kind = unfit[slot]
            findings.add(
                Problem(
                    "bypass_impossible",
                    f"The node '{node.id}' is bypassed, but none of its inputs can stand for "
                    f"its output '{slot.output}' ({kind}).",
                    node.id,
                    None,
                    # The mode may be that of a call around it.
                    node.pointer,
                    "Mute it, or link an input of that type.",
                )
            )


def _fitting(node: FlatNode, wanted: str) -> Link | Value | None:
    assert node.spec is not None
    for port in node.spec.inputs:
        source = node.inputs.get(port.name)
        if source and join(port.type, wanted) == "direct":
            return source[0] if isinstance(source, tuple) else source
    return None
