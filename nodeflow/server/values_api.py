"""`/api/values`: a look at what lies between nodes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from nodeflow.server.kept_values import KeptValues
from nodeflow.server.operation import Answer, operation, read_query
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE

routes = web.RouteTableDef()

VALUES = web.AppKey("values", KeptValues)

_KEY = re.compile(r"[0-9a-f]{32}")
_FOREVER = "private, max-age=31536000, immutable"


class LookQuery(BaseModel):
    """How large the look is.

    Attributes:
        thumb: Longer side in pixels.
    """

    thumb: Annotated[int, Field(ge=16, le=1024)] = 512


async def values_context(app: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`: what reads values, for as long as the application runs."""
    settings = app[STATE].settings
    app[VALUES] = KeptValues(settings.cache / "values", settings.disk)
    yield
    app[VALUES].close()


@routes.get("/api/values/{key}")
@operation(
    "Look at the picture that a node made",
    tag="results",
    query=LookQuery,
    answers={
        200: Answer("The first picture, small. It never changes.", media_type="image/webp"),
        400: Answer("The query is wrong, or this is no key."),
        404: Answer("The value is not kept, or is no picture."),
    },
)
async def get_value(request: web.Request) -> web.StreamResponse:
    """The key is the one that `node_finished` and a job's nodes tell. Values are kept only as long
    as the disk store has room for them.
    """
    query = read_query(request, LookQuery)
    key = request.match_info["key"]
    if not _KEY.fullmatch(key):
        raise HttpError(
            400, f"'{key[:80]}' is no key of a node; a key is 32 digits of 0-9 and a-f."
        )
    picture = await request.app[VALUES].look(key, query.thumb)
    if picture is None:
        raise HttpError(
            404,
            f"No picture is kept under the key '{key}': it made room for newer values, or is none. "
            "Run the workflow again to make it anew.",
        )
    headers = {"Cache-Control": _FOREVER, "X-Content-Type-Options": "nosniff"}
    return web.Response(body=picture, content_type="image/webp", headers=headers)
