"""The document: one JSON format for the editor, the command line, the server and git.

It knows nothing of nodes' declarations and nothing of running.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from nodeflow.building import Handle, Port, fresh_id, only_output, place_of, type_of, written
from nodeflow.errors import InputError, Problem, WorkflowError
from nodeflow.findings import escape
from nodeflow.garbage import uncollected
from nodeflow.migrations import FORMAT, migrate
from nodeflow.pictures import read_workflow
from nodeflow.reading import read_json, unreadable

MAX_BYTES = 64 << 20
GROUP_PREFIX = "group:"
_ORDER = ("nodeflow", "name", "nodes", "inputs", "outputs", "groups", "layout")


class _Part(BaseModel):
    # Unknown keys survive: a newer editor's notes are not ours to throw away.
    model_config = ConfigDict(
        extra="allow", validate_assignment=False, ser_json_inf_nan="constants"
    )


class Repeat(_Part):
    """Runs a group call several times, outputs fed back into inputs.

    Attributes:
        times: How often; with `until`, at most.
        until: A bool output of the group: the round in which it is true is the last.
        feed: Output of one round to input of the next.
    """

    times: int = Field(ge=1, le=10_000)
    until: str | None = None
    feed: dict[str, str] = {}


class NodeEntry(_Part):
    """One node: its type and its inputs.

    Attributes:
        inputs: A JSON object is a link, a list with objects in it is a list of links, a literal
            object is written `{"value": ...}`; everything else is a literal.
        mode: `bypass` hands an input through, `mute` takes the node and its dependants out.
        repeat: Only for calls of groups (`type` is `group:NAME`).
    """

    type: str
    inputs: dict[str, JsonValue] = {}
    mode: Literal["bypass", "mute"] | None = None
    repeat: Repeat | None = None


class InputPlace(_Part):
    """An input of a node inside this graph."""

    node: str
    input: str


class OutputPlace(_Part):
    """An output of a node inside this graph; empty means its only one."""

    node: str
    output: str = ""


class Graph(_Part):
    """Nodes with what they show to the outside: a workflow, or a group in it.

    Attributes:
        inputs: Exposed inputs by name; one may feed several places.
        layout: All that cannot change a result.
    """

    nodes: dict[str, NodeEntry] = {}
    inputs: dict[str, InputPlace | list[InputPlace]] = {}
    outputs: dict[str, OutputPlace] = {}
    layout: dict[str, JsonValue] = {}


@dataclass(frozen=True, slots=True)
class Link:
    """An input that takes another node's output; an empty output means its only one."""

    node: str
    output: str


@dataclass(frozen=True, slots=True)
class Value:
    """An input that is written in the document."""

    value: JsonValue


Source = Link | Value | tuple[Link, ...]


def read_input(raw: JsonValue) -> Source:
    """What an input of a document means.

    Raises:
        ValueError: An object that is neither a link nor `{"value": ...}`.
    """
    if isinstance(raw, dict):
        if "value" in raw and "node" not in raw:
            return Value(raw["value"])
        return _link(raw)
    if isinstance(raw, list) and any(isinstance(item, dict) for item in raw):
        return tuple(_link(item) for item in raw)
    return Value(raw)


def is_link(raw: JsonValue) -> bool:
    """Whether a value of a document is meant as a link and can be one."""
    return (
        isinstance(raw, dict)
        and isinstance(raw.get("node"), str)
        and isinstance(raw.get("output", ""), str)
    )


def _link(raw: JsonValue) -> Link:
    if isinstance(raw, dict):
        node, output = raw.get("node"), raw.get("output", "")
        if isinstance(node, str) and isinstance(output, str):
            return Link(node, output)
    raise ValueError(
        f"{json.dumps(raw)[:80]} is no link; "
        'a link is {"node": ID, "output": NAME}, a literal object is {"value": {...}}'
    )


class Workflow(Graph):
    """A workflow document. Two that are equal compute the same and look the same."""

    nodeflow: int = FORMAT
    name: str = ""
    groups: dict[str, Graph] = {}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Workflow:
        """Read a workflow from a JSON file, or from a picture that nodeflow saved.

        Raises:
            WorkflowError: It cannot be read; the problems say why.
        """
        path = Path(path)
        try:
            size = path.stat().st_size
            if _is_picture(path):
                text = read_workflow(path)
                if text is None:
                    raise unreadable(
                        "no_workflow", "The picture carries no workflow of nodeflow.", str(path)
                    )
                return cls.parse(text, str(path))
            if size > MAX_BYTES:
                raise unreadable(
                    "too_large", f"It has {size} bytes; the limit is {MAX_BYTES}.", str(path)
                )
            data = path.read_bytes()
        except InputError as error:
            raise unreadable("unreadable_file", f"{error}.", str(path)) from error
        except OSError as error:
            raise unreadable(
                "unreadable_file", f"It cannot be read: {error.strerror}.", str(path)
            ) from error
        return cls.parse(data, str(path))

    @classmethod
    def parse(cls, text: str | bytes, source: str = "workflow") -> Workflow:
        """Read a workflow from JSON text.

        Raises:
            WorkflowError: It is no JSON, no workflow, or from a newer version.
        """
        with uncollected():
            return cls.from_data(read_json(text, source), source)

    @classmethod
    def from_data(cls, data: object, source: str = "workflow") -> Workflow:
        """Read a workflow from parsed JSON of any format version; see `parse`."""
        try:
            return cls.model_validate(migrate(data))
        except ValidationError as error:
            raise WorkflowError(list(_shape_problems(error)), source) from error
        except WorkflowError as error:
            raise WorkflowError(error.problems, source) from error

    def dumps(self) -> str:
        """The canonical text: top-level keys in one order, everything below sorted.

        Raises:
            ValueError: A workflow made in Python holds NaN or an infinity, which JSON lacks.
        """
        data = self.model_dump()
        ordered = {name: data.pop(name) for name in _ORDER}
        for graph in (ordered, *ordered["groups"].values()):
            graph["nodes"] = {key: _tidy(value) for key, value in graph["nodes"].items()}
        body = ordered | dict(sorted(data.items()))
        parts = [
            f"  {json.dumps(name)}: "
            + json.dumps(
                value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False
            ).replace("\n", "\n  ")
            for name, value in body.items()
        ]
        return "{\n" + ",\n".join(parts) + "\n}\n"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the canonical text; the file is whole at every moment."""
        path = Path(path)
        handle, temporary = tempfile.mkstemp(prefix=".unfinished-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self.dumps())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def add(
        self, node: str | Callable[..., Any], /, *, id: str | None = None, **inputs: object
    ) -> Handle:
        """Add a node; its inputs are values, handles of other nodes, or lists of handles.

        Args:
            node: A function marked with `@node`, a type id, or `group:NAME`.
            id: The node's id; made from the function's name if not given.

        Raises:
            InputError: No such node or input, the id is taken, or a value that is no JSON.
        """
        type_id = type_of(node, inputs)
        if id is not None and id in self.nodes:
            raise InputError(f"the id '{id}' is taken by a {self.nodes[id].type}; give another")
        node_id = id or fresh_id(type_id, self.nodes)
        values = {name: written(name, value) for name, value in inputs.items()}
        self.nodes[node_id] = NodeEntry(type=type_id, inputs=values)
        return Handle(node_id, only_output(node))

    def expose(self, name: str, *places: Port) -> None:
        """Show inputs to the outside under one name: `flow.expose("text", prompt.text)`."""
        found = [InputPlace(node=place.node, input=place.name) for place in places]
        self.inputs[name] = found[0] if len(found) == 1 else found

    def output(self, name: str, source: Handle | Port) -> None:
        """Show an output of a node to the outside."""
        place = place_of(source)
        self.outputs[name] = OutputPlace(node=place.node, output=place.name)

    def with_values(self, values: Mapping[InputPlaceKey, JsonValue]) -> Workflow:
        """A copy with literals put into some inputs of top-level nodes.

        Args:
            values: (node, input) to the new literal.
        """
        nodes = dict(self.nodes)
        for (node, name), value in values.items():
            entry = nodes[node]
            wrapped: JsonValue = {"value": value} if _needs_wrapping(value) else value
            nodes[node] = entry.model_copy(update={"inputs": entry.inputs | {name: wrapped}})
        return self.model_copy(update={"nodes": nodes})

    def places(self, name: str) -> list[InputPlace]:
        """The inputs that an exposed input feeds."""
        place = self.inputs[name]
        return list(place) if isinstance(place, list) else [place]


InputPlaceKey = tuple[str, str]


def _is_picture(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(12)
    return start.startswith((b"\x89PNG", b"\xff\xd8\xff")) or start[8:] == b"WEBP"


def _needs_wrapping(value: JsonValue) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, dict) for item in value)
    )


def _tidy(node: dict[str, Any]) -> dict[str, Any]:
    """A node without the keys that say nothing; unknown keys stay, whatever they say."""
    if node["repeat"] is not None and node["repeat"]["until"] is None:
        del node["repeat"]["until"]
    silent: dict[str, object] = {"mode": None, "repeat": None, "inputs": {}}
    return {
        name: value for name, value in node.items() if name not in silent or value != silent[name]
    }


def _shape_problems(error: ValidationError) -> Iterable[Problem]:
    found: dict[str, Problem] = {}
    for item in error.errors(include_url=False):
        parts = [str(part) for part in item["loc"]]
        # The union of one place and a list of places names its branches.
        parts = [
            part
            for index, part in enumerate(parts)
            if index < 2
            or parts[index - 2] != "inputs"
            or part not in ("InputPlace", "list[InputPlace]")
        ]
        # What is missing cannot be pointed at: its surroundings are.
        absent = item["type"] == "missing"
        pointer = "".join(f"/{escape(part)}" for part in (parts[:-1] if absent else parts))
        what = f"The key '{parts[-1]}' is missing" if absent else _plain(item["msg"])
        found.setdefault(
            pointer + (parts[-1] if absent else ""),
            Problem(
                "invalid_document",
                f"{what}: {json.dumps(item['input'], default=repr)[:60]}.",
                node=parts[1] if len(parts) > 1 and parts[0] == "nodes" else None,
                pointer=pointer,
                way_out="See `nodeflow schema` for the format.",
            ),
        )
    return found.values()


def _plain(message: str) -> str:
    """pydantic's sentence in the words of JSON."""
    return re.sub(r"a valid dictionary( or .*)?$", "an object", message)


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of the document."""
    schema = TypeAdapter(Workflow).json_schema()
    # Models made in Python have today's format; a document has to say it.
    schema["required"] = ["nodeflow"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
