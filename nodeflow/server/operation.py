"""Operations: what a route takes and gives, declared once; the check and `/openapi.json` follow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, TypeAdapter, ValidationError

from nodeflow.server.problems import HttpError

H = TypeVar("H", bound=Handler)
M = TypeVar("M", bound=BaseModel)

MARK = "__nodeflow_operation__"


@dataclass(frozen=True)
class Answer:
    """One way in which an operation answers.

    Attributes:
        says: What it means.
        body: Model of its JSON, or any type that pydantic makes a schema of; None if it has none.
        media_type: Of the body.
    """

    says: str
    body: Any = None
    media_type: str = "application/json"


@dataclass(frozen=True)
class Operation:
    """A route as `/openapi.json` tells it; the description is the handler's docstring.

    Attributes:
        body: Model of the JSON that is sent; None if nothing is.
        query: Model of the query; every field has a default unless it is required.
        headers: Request headers that matter, with what they mean.
        answers: By status; problems that any route may give need not be named.
        uploads: Media type of a request body that is no JSON.
    """

    summary: str
    tag: str
    answers: Mapping[int, Answer]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    uploads: str = ""


def operation(
    summary: str,
    *,
    tag: str,
    answers: Mapping[int, Answer],
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    headers: Mapping[str, str] | None = None,
    uploads: str = "",
) -> Callable[[H], H]:
    """Mark a handler with what it takes and gives; put it below the route decorator."""
    marked = Operation(summary, tag, answers, body, query, headers or {}, uploads)

    def mark(handler: H) -> H:
        setattr(handler, MARK, marked)
        return handler

    return mark


def read_query(request: web.Request, model: type[M]) -> M:
    """The query of a request, validated.

    Raises:
        HttpError: 400, with a sentence for each thing that is wrong.
    """
    given = {name: request.query.getall(name) for name in request.query}
    values = {name: items if len(items) > 1 else items[0] for name, items in given.items()}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise HttpError(400, sentences(error, "the query")) from error


def read_json(text: bytes, model: type[M]) -> M:
    """A JSON body, validated.

    Raises:
        HttpError: 400 if it is no JSON, 422 if it is another JSON than the model's.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        status = 400 if faults and faults[0]["type"] == "json_invalid" else 422
        raise HttpError(status, sentences(error, "the body")) from error


def sentences(error: ValidationError, where: str) -> str:
    """What is wrong with a body or a query, as one text of sentences."""
    found = []
    for fault in error.errors(include_url=False)[:10]:
        place = ".".join(str(part) for part in fault["loc"])
        reason = fault["msg"].removeprefix("Value error, ")
        given = repr(fault["input"])
        given = given if len(given) <= 60 else given[:57] + "..."
        if fault["type"] == "json_invalid":
            found.append(f"{where} is no JSON: {reason.removeprefix('Invalid JSON: ')}.")
        elif fault["type"] == "missing":
            found.append(f"{where} has no '{place}', which is required.")
        else:
            named = f"'{place}' in {where}" if place else where
            found.append(f"{named} cannot be {given}: {reason}.")
    text = " ".join(found)
    return text[:1].upper() + text[1:]


def answer(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A value (model, dataclass, plain data) as a JSON response."""
    body = (
        value.model_dump_json().encode()
        if isinstance(value, BaseModel)
        else json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    )
    return web.Response(
        status=status, body=body, content_type="application/json", headers=dict(headers or {})
    )


def schema_of(kind: Any, template: str) -> dict[str, Any]:
    """JSON Schema of a model or type, with references as `template` says."""
    return TypeAdapter(kind).json_schema(ref_template=template, mode="serialization")
