"""The flat graph: what remains of a document once groups, repeats and bypass are resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nodeflow.findings import Findings, escape
from nodeflow.spec import NodeSpec
from nodeflow.workflow import Link, Source

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
        """JSON pointer to one input; to the node if the document does not give the input."""
        if name in self.pointers:
            return self.pointers[name]
        return f"{self.pointer}/inputs/{escape(name)}" if name in self.inputs else self.pointer


class Redirects:
    """Ids that only stand for others: calls of groups, and nodes that are bypassed.

    Attributes:
        outputs: Such an id to the names of its outputs.
    """

    def __init__(self) -> None:
        self.outputs: dict[str, tuple[str, ...]] = {}
        self._sources: dict[tuple[str, str], Source] = {}

    def lead(self, node: str, output: str, source: Source) -> None:
        """Let `source` give the value of an output."""
        self._sources[node, output] = source

    def has(self, link: Link) -> bool:
        """Whether the output exists; what gives its value may still be missing."""
        outputs = self.outputs.get(link.node, ())
        return link.output in outputs or (not link.output and len(outputs) == 1)

    def leads_on(self, link: Link) -> bool:
        """Whether something gives the value; after `follow` only a ring still leads on."""
        return (link.node, self._name(link)) in self._sources

    def follow(self, link: Link) -> Source:
        """What really gives the value; the last link if nothing does."""
        seen: set[tuple[str, str]] = set()
        while link.node in self.outputs:
            slot = (link.node, self._name(link))
            source = self._sources.get(slot)
            if source is None or slot in seen:
                return link
            seen.add(slot)
            if not isinstance(source, Link):
                return source
            link = source
        return link

    def _name(self, link: Link) -> str:
        outputs = self.outputs.get(link.node, ())
        return link.output or (outputs[0] if len(outputs) == 1 else "")


@dataclass(slots=True)
class FlatGraph:
    """All nodes of a workflow, links resolved to nodes that compute; and what was wrong.

    Attributes:
        redirects: Ids of the document that are no nodes here.
        broken: Ids that could not be expanded; what hangs on them is not to blame.
    """

    nodes: dict[str, FlatNode]
    outputs: dict[str, Link]
    findings: Findings
    redirects: Redirects
    broken: set[str]
