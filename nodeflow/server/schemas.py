"""Schemas: what crosses the wire as JSON Schema, from which the editor's types are made.

`python -m nodeflow.server.schemas` writes the files of `schema/`, `--check` says which are stale.
Nothing is listed by hand: models are those that the routes name, events those that are declared.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_type_hints

from docstring_parser import DocstringStyle, parse
from pydantic import BaseModel, Field, RootModel, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from nodeflow import events, job_events
from nodeflow.events import Event
from nodeflow.server.app import ROUTES
from nodeflow.server.nodes_api import Nodes
from nodeflow.server.openapi_routes import ProblemView
from nodeflow.server.operation import MARK, Operation
from nodeflow.server.views import FileView, OutputView
from nodeflow.spec import NodeSpec
from nodeflow.workflow import Workflow, json_schema

FOLDER = Path(__file__).parents[2] / "schema"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{model}"

_HOME: Mapping[str, str] = {
    "Nodes": "nodes.json",
    "NodeSpec": "nodes.json#/$defs/NodeSpec",
    "Workflow": "workflow.json",
    "FileView": "api.json#/$defs/FileView",
    "OutputView": "api.json#/$defs/OutputView",
}
"""Where a model stands that several files need."""

# A run's own last event is told by `job_finished`; a preview is a binary frame. None of them is
# ever a JSON object on the server's wire.
_NEVER_SENT = (events.RunFinished, events.NodePreview)
_NOT_KEPT = (events.NodeProgress,)
# The journal knows what it says of outputs and files; the event's own declaration does not.
_EXACT: Mapping[tuple[type[Event], str], Any] = {
    (job_events.JobFinished, "outputs"): dict[str, OutputView],
    (job_events.JobFinished, "files"): dict[str, list[FileView]],
}


class _Whole(GenerateJsonSchema):
    """Of models that are written field by field: each of them is there, whatever it is."""

    leaves_out_none = False

    def field_is_required(self, field: Any, total: bool) -> bool:
        if self.mode == "validation":
            return super().field_is_required(field, total)
        schema: dict[str, Any] = field["schema"]
        lacking = schema["type"] == "default" and schema.get("default", ...) is None
        return not (self.leaves_out_none and lacking)


class _Views(_Whole):
    """Of views, some of which are written from rows: what is None may be left out."""

    leaves_out_none = True


def schemas() -> dict[str, str]:
    """The text of every file, by its name."""
    made = {
        "workflow.json": json_schema(),
        "nodes.json": TypeAdapter(Nodes).json_schema(mode="serialization", schema_generator=_Whole),
        "events.json": _by_name("Events", "What a server tells of what happens.", _event_models()),
        "api.json": _by_name("Api", "What the routes take and give.", _route_models()),
    }
    whole = {
        name: {"$schema": _DIALECT} | _told(_linked(schema, name)) for name, schema in made.items()
    }
    return {
        name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in whole.items()
    }


def _by_name(
    title: str, text: str, models: Mapping[type[BaseModel], JsonSchemaMode]
) -> dict[str, Any]:
    """One schema that has every model as a property, so that a tool that walks it meets all."""
    wanted = sorted(models, key=lambda model: model.__name__)
    made, definitions = TypeAdapter.json_schemas(
        [(model.__name__, models[model], TypeAdapter(model)) for model in wanted],
        ref_template=_REFERENCE,
        schema_generator=_Views,
    )
    parts = {name: schema for (name, _), schema in made.items()}
    return {
        "title": title,
        "description": text,
        "type": "object",
        "properties": parts,
        "required": list(parts),
        "$defs": dict(sorted(definitions["$defs"].items())),
    }


def _route_models() -> dict[type[BaseModel], JsonSchemaMode]:
    """Every model that a route takes or gives, with the way it is read."""
    found: dict[type[BaseModel], JsonSchemaMode] = {ProblemView: "serialization"}
    for module in ROUTES:
        for route in module.routes:
            mark = getattr(getattr(route, "handler", None), MARK, None)
            if isinstance(mark, Operation):
                found |= _of_operation(mark)
    return {
        model: mode for model, mode in found.items() if model not in (Nodes, NodeSpec, Workflow)
    }


def _of_operation(mark: Operation) -> dict[type[BaseModel], JsonSchemaMode]:
    taken: dict[type[BaseModel], JsonSchemaMode] = {}
    if mark.body is not None:
        taken[mark.body] = "validation"
    bodies = (answer.body for answer in mark.answers.values())
    given = (body for body in bodies if isinstance(body, type) and issubclass(body, BaseModel))
    return taken | dict.fromkeys(given, "serialization")


def sent_events() -> list[type[Event]]:
    """The events that come as JSON objects over the server's wire, by name."""
    # Not by `__subclasses__`: with slots a dataclass is made twice, and the first one may linger.
    named = (item for module in (events, job_events) for item in vars(module).values())
    kinds = {kind for kind in named if isinstance(kind, type) and issubclass(kind, Event)}
    return sorted(kinds - {Event, *_NEVER_SENT}, key=lambda kind: kind.event)


def _event_models() -> dict[type[BaseModel], JsonSchemaMode]:
    # The type is made while it runs, so that an event need not be named twice.
    union: Any = Union[tuple(_event_model(kind) for kind in sent_events())]  # noqa: UP007
    told = create_model(
        "ServerEvent",
        __base__=RootModel[Annotated[union, Field(discriminator="event")]],
        __doc__="Something that happened; `event` says what.",
    )
    frame = create_model(
        "EventFrame",
        __doc__="A text frame of `/api/events`; only the first one has `after` and `last`.",
        events=(list[told], ...),
        after=(int | None, Field(None, description="Where the client stands.")),
        last=(int | None, Field(None, description="Number of the last event that there is.")),
        gap=(bool | None, Field(None, description="Events are missing: read the jobs anew.")),
    )
    head = create_model(
        "PreviewHead",
        __doc__="The JSON head of a binary frame, which a picture follows.",
        job=(str, ...),
        node=(str, ...),
        media_type=(str, ...),
    )
    return dict.fromkeys((told, frame, head), "serialization")


def _event_model(kind: type[Event]) -> type[BaseModel]:
    """An event as the server sends it: with its number, and with `job` in place of `run`."""
    hints = get_type_hints(kind)
    own: dict[str, Any] = {
        "job" if item.name == "run" else item.name: (
            _EXACT.get((kind, item.name), hints[item.name]),
            ...,
        )
        for item in fields(kind)
    }
    number: dict[str, Any] = {} if kind in _NOT_KEPT else {"seq": (int, ...), "time": (float, ...)}
    name: dict[str, Any] = {"event": (Literal[kind.event], ...)}
    return create_model(kind.__name__, __doc__=kind.__doc__, **number, **name, **own)


def _linked(schema: dict[str, Any], file: str) -> dict[str, Any]:
    """A schema that leads to other files for what stands there, and holds nothing unused."""
    homes = {
        _REFERENCE.format(model=name): home
        for name, home in _HOME.items()
        if not home.startswith(file)
    }

    def lead(part: Any) -> Any:
        if isinstance(part, dict):
            return {
                key: lead_to(item) if key == "$ref" else lead(item) for key, item in part.items()
            }
        return [lead(item) for item in part] if isinstance(part, list) else part

    def lead_to(reference: str) -> str:
        # A model that is read one way and written another bears two names.
        return homes.get(re.sub(r"-(Input|Output)$", "", reference), reference)

    linked: dict[str, Any] = lead(schema)
    definitions = linked.pop("$defs", {})
    used: dict[str, Any] = {}
    todo = [linked]
    while todo:
        for name in re.findall(r'"#/\$defs/([^"]+)"', json.dumps(todo.pop())):
            if name not in used:
                used[name] = definitions[name]
                todo.append(used[name])
    return {**linked, "$defs": dict(sorted(used.items()))}


def _told(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in which the docstring's word on an attribute stands at that attribute."""
    told = dict(schema)
    if "$defs" in told:
        told["$defs"] = {name: _told(part) for name, part in told["$defs"].items()}
    text = parse(told.get("description", ""), DocstringStyle.GOOGLE)
    words = {
        name.strip(): item.description or ""
        for item in text.params
        for name in item.arg_name.split(",")
    }
    if words and "properties" in told:
        told["description"] = (text.description or "").strip()
        told["properties"] = {
            name: {**part, "description": " ".join(words[name].split())} if name in words else part
            for name, part in told["properties"].items()
        }
    return told


def stale(folder: Path) -> list[str]:
    """Names of the files that are not what they should be."""
    return [name for name, text in schemas().items() if _text(folder / name) != text]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m nodeflow.server.schemas", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--check", action="store_true", help="write nothing; say what is stale")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if options.check:
        return _check(options.folder)
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (options.folder / name).write_text(text, encoding="utf-8")
    return 0


def _check(folder: Path) -> int:
    found = stale(folder)
    for name in found:
        print(
            f"'{folder / name}' is not what the code says; 'make schema' writes it anew.",
            file=sys.stderr,
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
