"""Why a node ran: which part of its key is new."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

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


def _changed(old: JsonValue, new: JsonValue) -> list[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []
    return [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
