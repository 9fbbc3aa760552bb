"""`@node` and what it marks: a node's declaration as data.

The decorator only marks; `nodeflow.declaration` reads the signature when the registry asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from nodeflow.sockets import File

F = TypeVar("F", bound=Callable[..., Any])

Lane = Literal["cpu", "device", "io"]
CacheMode = Literal["auto", "never"]
Facts = Mapping[str, JsonValue]
"""What is known of a value before anything runs: family, channels, prediction, size ..."""

MARK = "__nodeflow_node__"


@dataclass(frozen=True)
class NodeOptions:
    """What `@node(...)` was given; see `node`."""

    title: str
    category: str
    version: str | None
    on: Lane
    cache: CacheMode
    output: str | None
    was: tuple[str, ...]
    deprecated: str
    check: Callable[..., None] | None
    facts: Callable[..., Mapping[str, Facts]] | None


def node(
    *,
    title: str = "",
    category: str = "",
    version: str | None = None,
    on: Lane = "cpu",
    cache: CacheMode = "auto",
    output: str | None = None,
    was: str | Iterable[str] = (),
    deprecated: str = "",
    check: Callable[..., None] | None = None,
    facts: Callable[..., Mapping[str, Facts]] | None = None,
) -> Callable[[F], F]:
    """Mark a function as a node. The function stays as it is: call it in a test.

    Args:
        title: Name for people; made from the function's name if empty.
        category: Place in the editor's menu, parts joined by `/`.
        version: Identity of what it computes; raise it when results change. Without it the digest
            of the source counts, so that any edit makes the node run again.
        on: Where it computes: the device's own thread, the CPU's threads, or those for files.
        cache: `never` for what depends on more than its inputs (a clock, a network).
        output: Name of a single output; its type in snake case if not given.
        was: Earlier ids, `pack.function`, under which saved workflows know it.
        deprecated: What to use instead; empty if the node is not deprecated.
        check: A pure function over some of the inputs, by name: literals arrive as values,
            links as facts (an empty mapping if nothing is known, or for a growing input). Raises
            ValueError with a sentence.
        facts: A pure function over some of the inputs, by name, that says for each output what is
            known before the run. A list of paths under `reads` names files that the node reads
            besides those that its inputs name: it runs again when they change. Both hooks are
            top-level functions of a module that is quick to import.
    """
    options = NodeOptions(
        title=title,
        category=category,
        version=version,
        on=on,
        cache=cache,
        output=output,
        was=(was,) if isinstance(was, str) else tuple(was),
        deprecated=deprecated,
        check=check,
        facts=facts,
    )

    def mark(function: F) -> F:
        setattr(function, MARK, options)
        return function

    return mark


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class InputSpec(_Frozen):
    """One input of a node.

    Attributes:
        type: Socket type; of a growing input that of one link.
        required: Without a value or a link the workflow does not check.
        default: The initial value, as JSON.
        json_schema: What a literal must be; None if only a link will do.
        file: The root and kind, if the literal names a file.
        lazy: Computed only if the node awaits it.
        grows: Takes a list of links.
        optional: May be None.
        widget: The editor's control, with its options.
        was: Earlier names.
    """

    name: str
    type: str
    required: bool
    default: JsonValue = None
    json_schema: dict[str, JsonValue] | None = None
    file: File | None = None
    lazy: bool = False
    grows: bool = False
    optional: bool = False
    description: str = ""
    widget: str | None = None
    widget_options: dict[str, JsonValue] = {}
    was: tuple[str, ...] = ()


class OutputSpec(_Frozen):
    """One output of a node."""

    name: str
    type: str
    description: str = ""
    was: tuple[str, ...] = ()


class NodeSpec(_Frozen):
    """A node as data: all that the checker, the planner, the command line and the editor need.

    Attributes:
        id: `pack.function`.
        module: Where the function is; imported only when the node must run.
        identity: What stands for the code in keys: `version:...` or `source:DIGEST`.
        end: It has no output: it saves or shows.
        services: Keyword-only parameters, name to service.
        check, facts: `module:function` of the hooks, if any.
    """

    id: str
    pack: str
    function: str
    module: str
    line: int = 0
    title: str
    category: str = ""
    description: str = ""
    identity: str = ""
    on: Lane = "cpu"
    cache: CacheMode = "auto"
    end: bool = False
    is_async: bool = False
    deprecated: str = ""
    was: tuple[str, ...] = ()
    check: str | None = None
    facts: str | None = None
    inputs: tuple[InputSpec, ...] = ()
    outputs: tuple[OutputSpec, ...] = ()
    services: dict[str, str] = {}

    def input(self, name: str) -> InputSpec | None:
        """The input of this name, or of this earlier name."""
        return _named(self.inputs, name)

    def output(self, name: str) -> OutputSpec | None:
        """The output of this name, or of this earlier name."""
        return _named(self.outputs, name)


Port = TypeVar("Port", InputSpec, OutputSpec)


def _named(ports: tuple[Port, ...], name: str) -> Port | None:
    for port in ports:
        if port.name == name:
            return port
    for port in ports:
        if name in port.was:
            return port
    return None
