"""Tables of what Python says, which the editor's tests hold against what the editor says.

`python tests/web_contract/tables.py` writes them; a test fails if they are stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nodeflow.sockets import join, list_of
from nodeflow.workflow import Workflow

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "web" / "test" / "tables"

_PLAIN = ("Image", "Model", "int", "float", "str", "bool", "json", "Path", "any", "~T", "~U")


def joins() -> list[list[str | None]]:
    """[source, target, how] for every pair of types, lists and lists of lists among them."""
    types = [*_PLAIN, *map(list_of, _PLAIN), *(list_of(list_of(name)) for name in ("int", "~T"))]
    return [[source, target, join(source, target)] for source in types for target in types]


_PARTS: dict[str, Any] = {
    "nodeflow": 1,
    "zebra": {"b": [1, {"d": 2, "c": []}], "a": {}},
    "description": "Unknown keys stay.",
    "nodes": {
        "10": {"type": "toy.number", "inputs": {"value": 0.5}, "mode": None, "repeat": None},
        "2": {"type": "toy.add", "inputs": {"b": 1, "a": {"output": "number", "node": "10"}}},
        "muted": {"type": "toy.number", "mode": "mute", "inputs": {}, "unknown": None},
        "call": {
            "type": "group:g",
            "repeat": {"times": 3, "until": None, "feed": {"y": "x"}},
            "inputs": {"x": [{"node": "2"}, {"node": "10", "output": ""}]},
        },
        "again": {"type": "group:g", "repeat": {"until": "y", "times": 2}},
        "\U0001f600": {"type": "toy.words", "inputs": {"text": 'line\n\t"quoted" \\ é \u2028'}},
        "\ufb01": {"type": "toy.words", "inputs": {"text": "\x01\x7f"}},
    },
    "outputs": {"last": {"node": "call"}, "first": {"node": "2", "output": "sum"}},
    "inputs": {"x": {"node": "2", "input": "b"}, "y": [{"node": "2", "input": "b"}]},
    "groups": {
        "g": {
            "description": "Of a group.",
            "nodes": {"n": {"type": "toy.number", "mode": None}},
            "inputs": {"x": {"node": "n", "input": "value"}},
            "outputs": {"y": {"node": "n"}},
        },
        "empty": {},
    },
    "layout": {
        "nodes": {"2": {"at": [300, -20.5], "title": "Sum", "collapsed": True}},
        "frames": {"f": {"at": [0, 0], "size": [100, 80], "title": "Frame"}},
        "notes": {"n": {"at": [0, 0], "size": [100, 80], "text": "# Note"}},
        "reroutes": {"r": {"at": [10, 20]}},
        "wires": {"2/a": ["r"]},
        "inputs": ["y", "x"],
    },
}


def canonical() -> list[dict[str, Any]]:
    """Documents, each with the text that Python saves."""
    return [
        {"document": document, "text": Workflow.from_data(document).dumps()}
        for document in (_PARTS, {"nodeflow": 1})
    ]


def tables() -> dict[Path, str]:
    """Every table's file, and what it should hold."""
    return {
        FOLDER / "joins.json": _lines(joins()),
        FOLDER / "canonical.json": json.dumps(canonical(), indent=1) + "\n",
    }


def _lines(rows: list[list[str | None]]) -> str:
    return "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n]\n"


if __name__ == "__main__":
    for path, text in tables().items():
        path.write_text(text, encoding="utf-8")
