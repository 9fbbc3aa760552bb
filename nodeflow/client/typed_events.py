"""Events of a server as the dataclasses that they were, for displays; `job` becomes `run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from nodeflow import events, job_events
from nodeflow.events import Event, NodeReport

KINDS: Mapping[str, type[Event]] = {
    kind.event: kind
    for module in (events, job_events)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
}


def event_of(data: Mapping[str, Any]) -> Event | None:
    """The event that a JSON object tells of; None for a kind that only a newer server knows."""
    kind = KINDS.get(str(data.get("event")))
    if kind is None:
        return None
    said = {"run": data.get("job", ""), **data}
    values = {item.name: _value(said[item.name]) for item in fields(kind) if item.name in said}
    if isinstance(values.get("nodes"), dict):
        values["nodes"] = {name: _report(item) for name, item in values["nodes"].items()}
    return kind(**values)


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _report(data: Mapping[str, Any]) -> NodeReport:
    return NodeReport(
        data["outcome"],
        data.get("seconds") or 0.0,
        data.get("why") or "",
        tuple(data.get("files") or ()),
    )
