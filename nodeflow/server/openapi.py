"""`/openapi.json`: what every route takes and gives, each saved workflow among them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiohttp import web

from nodeflow import __version__
from nodeflow.server.access import Access
from nodeflow.server.openapi_routes import Route, RouteDocs, marked_routes
from nodeflow.server.openapi_workflows import RUN, workflow_paths
from nodeflow.server.operation import Answer, operation
from nodeflow.server.preconditions import etag_of, is_fresh, quoted
from nodeflow.server.problems import HttpError
from nodeflow.server.shelf import LOOKED_INTO, Saved, SavedInfo
from nodeflow.server.state import STATE, State

routes = web.RouteTableDef()

_ABOUT = (
    "Workflows for making pictures: save them, run them, watch them. Every saved workflow is an "
    "operation of its own. Errors are problem objects (RFC 9457) whose `detail` is a sentence."
)


class OpenApi:
    """The document of one server, made anew only when something in it changed.

    All of it blocks; call it from a thread.
    """

    def __init__(self, described: Sequence[Route], access: Access) -> None:
        self._docs = RouteDocs(described)
        self._access = access
        self._lock = threading.Lock()
        self._made_of: object = None
        self._made = (b"", "")

    def text(self, state: State) -> tuple[bytes, str]:
        """The document and its tag."""
        with self._lock:
            infos = state.shelf.list()
            made_of = (state.catalog.generation, [(info.path, info.etag) for info in infos])
            if made_of != self._made_of:
                body = json.dumps(
                    self._document(state, infos), ensure_ascii=False, separators=(",", ":")
                ).encode("utf-8", "replace")
                self._made, self._made_of = (body, etag_of(body)), made_of
            return self._made

    def _document(self, state: State, infos: Sequence[SavedInfo]) -> dict[str, Any]:
        paths = dict(self._docs.paths)
        if RUN in paths:
            shelf = [saved for info in infos if (saved := _read(state, info)) is not None]
            paths.update(workflow_paths(shelf, state.catalog.registry.find, paths[RUN]["post"]))
        tags = dict.fromkeys(
            tag for item in paths.values() for one in item.values() for tag in one["tags"]
        )
        document: dict[str, Any] = {
            "openapi": "3.1.0",
            "info": {
                "title": "nodeflow",
                "version": __version__,
                "description": _ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": tag} for tag in tags],
            "paths": paths,
            "components": {
                "schemas": self._docs.schemas,
                "responses": {"Problem": self._docs.problem()},
                "securitySchemes": _schemes(self._access),
            },
        }
        if self._access.token is not None:
            document["security"] = [{"bearer": []}, {"cookie": []}]
        return document


OPENAPI = web.AppKey("openapi", OpenApi)


async def openapi_context(app: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`, after the state: the document is kept between requests."""
    app[OPENAPI] = OpenApi(marked_routes(app), app[STATE].access)
    yield


def _schemes(access: Access) -> dict[str, Any]:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token that the server printed when it was started.",
        },
        "cookie": {"type": "apiKey", "in": "cookie", "name": access.cookie},
    }


def _read(state: State, info: SavedInfo) -> Saved | None:
    """A workflow of the list, if it is still there and of a size that is looked into."""
    if info.problem or info.size > LOOKED_INTO:
        return None
    try:
        return state.shelf.read(info.path)
    except HttpError:
        return None


@routes.get("/openapi.json")
@operation(
    "Describe this interface",
    tag="about",
    headers={"If-None-Match": "The ETag of what is known; nothing is sent if it is the same."},
    answers={
        200: Answer("An OpenAPI 3.1 document.", dict[str, Any]),
        304: Answer("Nothing has changed."),
    },
)
async def openapi(request: web.Request) -> web.StreamResponse:
    """Every saved workflow stands in it with the types and limits of its inputs."""
    state = request.app[STATE]
    # A client generates code of it, so the nodes of typed inputs must not be missing.
    await state.catalog.known()
    kept = request.app.get(OPENAPI)
    if kept is None:
        kept = OpenApi(marked_routes(request.app), state.access)
    body, etag = await asyncio.to_thread(kept.text, state)
    headers = {"ETag": quoted(etag), "Cache-Control": "no-cache"}
    if is_fresh(request.headers.get("If-None-Match"), etag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", headers=headers)
