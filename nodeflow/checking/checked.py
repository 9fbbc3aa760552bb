"""What the checker gives: nodes whose declaration and inputs fit, ready to be planned."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import networkx as nx
from pydantic import JsonValue

from nodeflow.checking.flat import FlatNode
from nodeflow.errors import Problem, Severity
from nodeflow.sockets import Join
from nodeflow.spec import NodeSpec
from nodeflow.workflow import Link


@dataclass(slots=True)
class CheckedNode:
    """A node whose declaration and inputs fit, ready to be planned.

    Attributes:
        literals: Validated values, defaults included; without links and files.
        files: Inputs that name a file, as paths.
        named: The same inputs as (root, name).
        reads: Further files that it reads, as its facts say.
        links: What enters from other nodes; a tuple for a growing input.
        joins: Input to how its link enters: `each` maps the node over a list.
        enters: Linked input to the type that one call is handed; of a growing input one item's.
        types: Output to the type it really has here.
        muted: It does not run, nor does what depends on it.
    """

    id: str
    spec: NodeSpec
    pointer: str
    literals: dict[str, JsonValue] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    named: dict[str, tuple[str, str]] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()
    links: dict[str, Link | tuple[Link, ...]] = field(default_factory=dict)
    joins: dict[str, Join | tuple[Join, ...]] = field(default_factory=dict)
    enters: dict[str, str] = field(default_factory=dict)
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


def problem_at(
    node: FlatNode,
    code: str,
    sentence: str,
    name: str | None = None,
    way_out: str = "",
    severity: Severity = "error",
) -> Problem:
    """A problem of a node, or of its input `name`."""
    pointer = node.pointer_to(name) if name is not None else node.pointer
    return Problem(code, sentence, node.id, name, pointer, way_out, severity)
