"""Building blocks for documents that are made in Python: handles, and what they say in JSON."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from nodeflow.declaration import read_node
from nodeflow.errors import DeclarationError, InputError
from nodeflow.findings import nearest
from nodeflow.packs import pack_of
from nodeflow.sockets import SHARED
from nodeflow.spec import MARK


@dataclass(frozen=True)
class Port:
    """An output, or an input, of a node: `load.text_encoder`, `prompt.text`."""

    node: str
    name: str


class Handle:
    """A node that was added to a workflow; its attributes are its inputs and outputs.

    `handle["name"]` is the same as `handle.name`, for names that Python does not allow.
    """

    def __init__(self, node: str, only: str = "") -> None:
        self._node = node
        # Name of its only output, if that is known: then a link says it.
        self._only = only

    def __getattr__(self, name: str) -> Port:
        if name.startswith("_"):
            raise AttributeError(name)
        return Port(self._node, name)

    def __getitem__(self, name: str) -> Port:
        return Port(self._node, name)

    def __repr__(self) -> str:
        return f"Handle({self._node!r})"


Source = Handle | Port


def place_of(source: Source) -> Port:
    """The output that a handle means; an empty name is the node's only output."""
    return source if isinstance(source, Port) else Port(source._node, source._only)


def type_of(node: str | Callable[..., Any], inputs: Collection[str]) -> str:
    """The type id of a node that is given as a function, or as its id.

    Args:
        node: `pack.function`, `group:NAME`, or a function that `@node` marked.
        inputs: Names of the inputs that it is to get.

    Raises:
        InputError: It is no node of a pack, or has no such input.
    """
    if isinstance(node, str):
        return node
    name = getattr(node, "__name__", repr(node))
    if not hasattr(node, MARK):
        raise InputError(f"{name} is no node; mark the function with @node, or give a type id")
    pack = pack_of(node.__module__)
    if pack is None:
        raise InputError(
            f"{name} belongs to no pack, since its module is '{node.__module__}'; "
            "put it into a pack (`nodeflow new-pack NAME` writes one)"
        )
    known = [
        parameter.name
        for parameter in inspect.signature(node).parameters.values()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]
    for wanted in inputs:
        if wanted not in known:
            hint = nearest(wanted, known) or f"There is: {', '.join(known) or 'none'}."
            raise InputError(f"{pack}.{name} has no input '{wanted}'. {hint}")
    return f"{pack}.{name}"


def only_output(node: str | Callable[..., Any]) -> str:
    """The name of a function's only output; empty for a type id, which says nothing of it."""
    if isinstance(node, str):
        return ""
    sockets = {socket.of: socket.name for socket in SHARED if socket.of is not None}
    try:
        outputs = read_node(node, "", sockets).outputs
    except DeclarationError:  # a type of the pack's own; the registry knows it, we do not
        return ""
    return outputs[0].name if len(outputs) == 1 else ""


def fresh_id(type_id: str, taken: Collection[str]) -> str:
    """An id after the function or group: `sample`, `sample_2`, ..."""
    name = type_id.rpartition(":")[2].rpartition(".")[2]
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found


def written(name: str, value: object) -> JsonValue:
    """An input as the document has it.

    Raises:
        InputError: A list that mixes handles with values, or something that is no JSON.
    """
    if isinstance(value, Handle | Port):
        place = place_of(value)
        link: dict[str, JsonValue] = {"node": place.node}
        return link | {"output": place.name} if place.name else link
    if isinstance(value, list | tuple):
        handles = [isinstance(item, Handle | Port) for item in value]
        if any(handles) and not all(handles):
            raise InputError(f"the input '{name}' mixes handles with values; give only handles")
        if any(handles):
            return [written(name, item) for item in value]
        items = _plain(name, value)
        has_objects = isinstance(items, list) and any(isinstance(item, dict) for item in items)
        return {"value": items} if has_objects else items
    plain = _plain(name, value)
    return {"value": plain} if isinstance(plain, dict) else plain


def _plain(name: str, value: object) -> JsonValue:
    if isinstance(value, Enum):
        return _plain(name, value.value)
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, list | tuple):
        return [_plain(name, item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(name, item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise InputError(
        f"the input '{name}' cannot be a {type(value).__name__}; "
        "give a JSON value, or what `add` returned for another node"
    )
