"""Why a node ran: which part of its key is new."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sized
from typing import Protocol

from pydantic import JsonValue

from nodeflow.runs.stores import Done, Stores

KEPT = 1000
"""Nodes that a workflow has no more, of which it is still known why they last ran."""

FIRST = "first run"
FORGOTTEN = "its value was not kept"
NEVER = "it is never cached"


def explain(previous: Mapping[str, JsonValue] | None, now: Mapping[str, JsonValue]) -> str:
    """A few words that name the part of the key that is new.

    Args:
        previous: `PlanNode.parts` of the node's last run; None if it never ran here.
        now: The same for this run.
    """
    if previous is None:
        return FIRST
    if previous.get("type") != now["type"]:
        return "new: its type"
    if previous.get("code") != now["code"]:
        return "new: its code"
    changed = _changed(previous.get("literals"), now["literals"])
    if changed:
        return f"new: {', '.join(changed)}"
    linked = _changed(previous.get("links"), now["links"])
    if linked:
        return f"new value from: {', '.join(linked)}"
    if previous.get("surroundings") != now["surroundings"]:
        return "new: device, precision or output folder"
    return FORGOTTEN


class _Nodes(Container[str], Sized, Protocol):
    """The names of a workflow's nodes."""


class Reasons:
    """Why the nodes of one run ran: what their keys are made of, against the last time.

    Args:
        workflow: Its name; what is remembered goes by it.
    """

    def __init__(self, stores: Stores, workflow: str) -> None:
        self._stores = stores
        self._workflow = workflow
        self._known: Mapping[str, JsonValue] | None = None
        self._parts: dict[str, JsonValue] = {}

    def why(self, node: str, parts: Mapping[str, JsonValue]) -> str:
        """Why a node runs whose key is made of `parts`."""
        if self._known is None:
            self._known = self._stores.parts(self._workflow)
        self._parts[node] = dict(parts)
        known = self._known.get(node)
        return explain(known if isinstance(known, dict) else None, parts)

    def remember(self, nodes: _Nodes, done: Done) -> None:
        """Write down, with the next commit, what the keys of those that ran were made of.

        Args:
            nodes: Those that the workflow has.
        """
        known = self._known or {}
        if all(known.get(name) == parts for name, parts in self._parts.items()):
            return
        parts = {**known, **self._parts}
        if len(parts) > 2 * len(nodes) + KEPT:  # of nodes that are long gone
            parts = {name: item for name, item in parts.items() if name in nodes}
        self._known = parts
        self._stores.remember_parts(self._workflow, parts, done)


def _changed(old: JsonValue, new: JsonValue) -> list[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []
    return [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
