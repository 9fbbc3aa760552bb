"""OpenAPI workflows: every saved workflow and template as an operation of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from nodeflow.errors import WorkflowError
from nodeflow.server.shelf import LOOKED_INTO, Saved
from nodeflow.server.typed_places import Find
from nodeflow.server.typed_schema import PICTURES, TypedWorkflow, may_be_picture, value_schema
from nodeflow.spec import OutputSpec
from nodeflow.workflow import Workflow

RUN = "/api/workflows/{path}/run"
PICTURE_TYPES = ("image/png", "image/webp", "image/jpeg")
_BINARY: Mapping[str, Any] = {"type": "string", "format": "binary"}
_FILES: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "files": {"type": "array", "items": {"$ref": "#/components/schemas/ResultView"}}
    },
    "required": ["files"],
}


def workflow_paths(
    shelf: Iterable[Saved], find: Find, generic: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, path item) of each workflow that can be read.

    Args:
        generic: The operation that runs any workflow; what these do not say is taken from it.
    """
    used: set[str] = set()
    for saved in shelf:
        if len(saved.text) > LOOKED_INTO:
            continue
        try:
            workflow = Workflow.parse(saved.text, saved.path)
        except WorkflowError:
            # The list of workflows says what is wrong with it.
            continue
        described = _describe(saved, workflow, TypedWorkflow.of(workflow, find), generic)
        described["operationId"] = _fresh(saved.path, used)
        yield RUN.replace("{path}", quote(saved.path, safe="/")), {"post": described}


def _describe(
    saved: Saved, workflow: Workflow, typed: TypedWorkflow, generic: Mapping[str, Any]
) -> dict[str, Any]:
    name = workflow.name or saved.path
    parameters = [item for item in generic["parameters"] if item["in"] != "path"]
    responses = {
        **generic["responses"],
        "200": {
            "description": "The job is done.",
            "content": {"application/json": {"schema": _result(typed)}} | _pictures(typed),
        },
    }
    return {
        "tags": ["templates" if saved.template else "saved workflows"],
        "summary": name,
        "description": _text(workflow) or f"Runs the workflow '{name}'.",
        "parameters": parameters,
        "requestBody": {"required": _is_required(typed), "content": _contents(typed)},
        "responses": responses,
    }


def _text(workflow: Workflow) -> str:
    """What its author wrote of it: the `description` of its layout, or of the document."""
    for place in (workflow.layout, workflow.model_extra or {}):
        text = place.get("description")
        if isinstance(text, str):
            return text
    return ""


def _is_required(typed: TypedWorkflow) -> bool:
    return any(item.required for item in typed.inputs.values())


def _contents(typed: TypedWorkflow) -> dict[str, Any]:
    schema = typed.schema()
    example = {
        name: item.default[0]
        for name, item in typed.inputs.items()
        if item.takes_values and item.default is not None
    }
    form = json.loads(json.dumps(schema))
    for name, item in typed.inputs.items():
        if item.takes_uploads and item.takes_values:
            text = "A file, or the name of one that was uploaded."
            form["properties"][name] = {**_BINARY, "description": text}
    return {
        "application/json": {"schema": schema, "example": example},
        "multipart/form-data": {"schema": form},
    }


def _result(typed: TypedWorkflow) -> dict[str, Any]:
    outputs = {name: _output(spec) for name, spec in typed.outputs.items()}
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "description": "Of the job."},
            "status": {"const": "done"},
            "outputs": {"type": "object", "properties": outputs},
        },
        "required": ["id", "status", "outputs"],
    }


def _output(spec: OutputSpec | None) -> dict[str, Any]:
    text = {"description": spec.description} if spec is not None and spec.description else {}
    if spec is None:
        return {"type": "object"}
    if spec.type in PICTURES:
        return {**_FILES, **text}
    if (schema := value_schema(spec.type)) is not None:
        properties = {"value": schema}
        return {"type": "object", "properties": properties, "required": ["value"], **text}
    return {"$ref": "#/components/schemas/ResultsView", **text}


def _pictures(typed: TypedWorkflow) -> dict[str, Any]:
    """A workflow that gives a picture can answer with it."""
    if not any(map(may_be_picture, typed.outputs.values())):
        return {}
    return {media_type: {"schema": {}} for media_type in PICTURE_TYPES}


def _fresh(path: str, used: set[str]) -> str:
    base = "run_" + (re.sub(r"[^A-Za-z0-9]+", "_", path).strip("_") or "workflow")
    name, count = base, 2
    while name in used:
        name, count = f"{base}_{count}", count + 1
    used.add(name)
    return name
