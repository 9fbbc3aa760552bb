"""OpenAPI routes: the description of every route that bears an `@operation` mark."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from nodeflow.server.operation import MARK, Answer, Operation
from nodeflow.server.problems import MEDIA_TYPE
from nodeflow.server.typed_schema import inlined
from nodeflow.server.views import Finding

_REFERENCE = "#/components/schemas/{model}"
_JSON = "application/json"
_OPEN = ("/healthz", "/login")
# OpenAPI says these elsewhere: as media types and as security schemes.
_SAID_ELSEWHERE = ("accept", "content-type", "authorization")
_BINARY: Mapping[str, Any] = {"type": "string", "format": "binary"}


class ProblemView(BaseModel):
    """Why a request failed (RFC 9457)."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str
    title: str
    status: int
    detail: str = Field(description="What is wrong, with the value, and what to do.")
    problems: list[Finding] | None = Field(None, description="Only of a workflow that fails.")


@dataclass(frozen=True)
class Route:
    """A route and its mark."""

    method: str
    path: str
    name: str
    text: str
    operation: Operation

    @property
    def id(self) -> str:
        return f"{self.method}_{re.sub(r'[^A-Za-z0-9]+', '_', self.path).strip('_')}"


def marked_routes(app: web.Application) -> list[Route]:
    """The routes that are to be described, in the order in which they were added."""
    found = []
    for route in app.router.routes():
        mark = getattr(route.handler, MARK, None)
        # For each GET there is a HEAD too.
        if isinstance(mark, Operation) and route.resource and route.method != "HEAD":
            text = inspect.getdoc(route.handler) or ""
            name = getattr(route.handler, "__name__", "")
            found.append(Route(route.method.lower(), route.resource.canonical, name, text, mark))
    return found


class RouteDocs:
    """Paths and schemas of marked routes.

    Attributes:
        paths: As OpenAPI has them.
        schemas: What they refer to, by name.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = list(routes)
        adapters = {
            (kind, mode): TypeAdapter(kind)
            for route in self._routes
            for kind, mode in _kinds(route.operation)
        } | {(ProblemView, "serialization"): TypeAdapter(ProblemView)}
        keys = list(adapters)
        made, definitions = TypeAdapter.json_schemas(
            [(index, keys[index][1], adapters[keys[index]]) for index in range(len(keys))],
            ref_template=_REFERENCE,
        )
        self._made: dict[tuple[Any, JsonSchemaMode], Any] = {
            keys[index]: schema for (index, _), schema in made.items()
        }
        self.schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
        self.paths: dict[str, dict[str, Any]] = {}
        for route in self._routes:
            self.paths.setdefault(route.path, {})[route.method] = self._describe(route)

    def _describe(self, route: Route) -> dict[str, Any]:
        operation = route.operation
        described: dict[str, Any] = {
            "operationId": route.id,
            "tags": [operation.tag],
            "summary": operation.summary,
            "description": route.text,
            "parameters": list(_parameters(route)),
            "responses": self._responses(operation.answers),
        }
        if (body := self._body(operation)) is not None:
            described["requestBody"] = body
        if route.path in _OPEN:
            described["security"] = []
        return described

    def _body(self, operation: Operation) -> dict[str, Any] | None:
        content: dict[str, Any] = {}
        if operation.body is not None:
            content[_JSON] = {"schema": self._made[operation.body, "validation"]}
        if operation.uploads:
            content[operation.uploads] = {"schema": _upload(operation.uploads)}
        return {"required": True, "content": content} if content else None

    def _responses(self, answers: Mapping[int, Answer]) -> dict[str, Any]:
        responses: dict[str, Any] = {}
        for status, answer in sorted(answers.items()):
            response: dict[str, Any] = {"description": answer.says}
            if answer.body is not None:
                schema = self._made[answer.body, "serialization"]
                response["content"] = {answer.media_type: {"schema": schema}}
            elif answer.media_type != _JSON:
                response["content"] = {answer.media_type: {"schema": {}}}
            elif status >= 400:
                response = {"$ref": "#/components/responses/Problem"} | response
            responses[str(status)] = response
        responses["default"] = {"$ref": "#/components/responses/Problem"}
        return responses

    def problem(self) -> dict[str, Any]:
        """The response that any route may give."""
        schema = self._made[ProblemView, "serialization"]
        return {"description": "Why it failed.", "content": {MEDIA_TYPE: {"schema": schema}}}


def _kinds(operation: Operation) -> Iterator[tuple[Any, JsonSchemaMode]]:
    """The types whose schemas are wanted."""
    if operation.body is not None:
        yield operation.body, "validation"
    for answer in operation.answers.values():
        if answer.body is not None:
            yield answer.body, "serialization"


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
        }
    if route.operation.query is not None:
        schema = route.operation.query.model_json_schema()
        required = schema.get("required", [])
        plain = inlined({**schema, "title": None})
        for name, part in plain.get("properties", {}).items():
            item = {key: value for key, value in part.items() if key not in ("title",)}
            text = item.pop("description", "")
            yield {"name": name, "in": "query", "required": name in required, "schema": item} | (
                {"description": text} if text else {}
            )
    for name, text in route.operation.headers.items():
        if name.lower() not in _SAID_ELSEWHERE:
            yield {"name": name, "in": "header", "schema": {"type": "string"}, "description": text}


def _upload(media_type: str) -> dict[str, Any]:
    if media_type.startswith("multipart/"):
        return {"type": "object", "additionalProperties": dict(_BINARY)}
    return dict(_BINARY)
