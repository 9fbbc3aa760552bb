"""Older formats of the document, brought to today's, one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nodeflow.errors import Problem, WorkflowError

FORMAT = 1


def _from_0(data: dict[str, Any]) -> dict[str, Any]:
    """Format 0, the prototype's: nodes in a list with an `id` each, links as `[node, output]`."""

    def inputs(raw: dict[str, Any]) -> dict[str, Any]:
        return {
            name: {"node": value["link"][0], "output": value["link"][1]}
            if isinstance(value, dict) and "link" in value
            else value
            for name, value in raw.items()
        }

    ids = [node["id"] for node in data.get("nodes", [])]
    if len(set(ids)) != len(ids):
        raise ValueError("two nodes have one id")
    nodes = {
        node["id"]: {key: value for key, value in node.items() if key != "id"}
        | {"inputs": inputs(node.get("inputs", {}))}
        for node in data.get("nodes", [])
    }
    return data | {"nodes": nodes}


STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {0: _from_0}
"""Version to the step that leads to the next one."""


def migrate(data: object) -> dict[str, Any]:
    """The document in today's format.

    Raises:
        WorkflowError: It is no workflow, or from a newer nodeflow.
    """
    if not isinstance(data, dict) or not isinstance(data.get("nodeflow"), int):
        raise WorkflowError(
            [
                Problem(
                    "not_a_workflow",
                    'It is no nodeflow workflow: the key "nodeflow" with the number of the format '
                    "is missing.",
                    way_out=_foreign(data),
                )
            ]
        )
    version: int = data["nodeflow"]
    if isinstance(version, bool) or version < 0 or version > FORMAT:
        raise WorkflowError(
            [
                Problem(
                    "newer_format",
                    f"It has format {version}; this nodeflow reads up to {FORMAT}.",
                    pointer="/nodeflow",
                    way_out="Update nodeflow to open it.",
                )
            ]
        )
    while version < FORMAT:
        try:
            data = STEPS[version](data) | {"nodeflow": version + 1}
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            sentence = f"It is no workflow of format {version}: {type(error).__name__} ({error})."
            way_out = "Open and save it with the nodeflow that wrote it."
            raise WorkflowError([Problem("invalid_document", sentence, way_out=way_out)]) from error
        version += 1
    return data


def _foreign(data: object) -> str:
    if isinstance(data, dict) and ("last_node_id" in data or "last_link_id" in data):
        return "It looks like a ComfyUI workflow, which nodeflow does not read."
    return 'A workflow begins with {"nodeflow": 1, "nodes": {...}}.'
