"""`/api/read`: whatever holds a workflow, read for an editor to open; nothing is kept."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from nodeflow.server.bodies import is_json, read_file, read_text
from nodeflow.server.opening import text_inside
from nodeflow.server.operation import Answer, operation, read_query
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE
from nodeflow.server.submitting import SubmitText
from nodeflow.workflow import Workflow

routes = web.RouteTableDef()


class ReadQuery(BaseModel):
    """What the body itself cannot say."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=1000, description="Of the file, for messages.")] = ""


class Opened(BaseModel):
    """A workflow as the editor takes it."""

    workflow: Workflow = Field(description="In today's format, however old the file is.")


@routes.post("/api/read")
@operation(
    "Read a workflow from a file",
    tag="workflows",
    query=ReadQuery,
    body=Workflow,
    uploads="image/*",
    answers={
        200: Answer("The workflow in today's format.", Opened),
        400: Answer("The query is wrong, or the body is empty or cut off."),
        413: Answer("Too many bytes or pixels."),
        415: Answer("The body is said to be neither JSON nor a picture."),
        422: Answer("It holds no workflow, or one of a newer nodeflow; `problems` says why."),
        507: Answer("The disk has no room for it."),
    },
)
async def read(request: web.Request) -> web.StreamResponse:
    """Takes the JSON of a workflow of any format version, or a picture (`Content-Type: image/...`)
    that nodeflow saved, and keeps neither. It need not check: unknown nodes and keys survive.
    """
    desk, query = request.app[STATE].desk, read_query(request, ReadQuery)
    source = query.name[:80] or "workflow"
    if is_json(request):
        given = await read_text(request)
    elif request.content_type.startswith("image/"):
        given = await _inside(request, source)
    else:
        raise HttpError(
            415,
            f"The body is said to be '{request.content_type[:80]}'; send a workflow as "
            "'application/json', or a picture as 'image/png', 'image/jpeg' or 'image/webp'.",
        )
    text = await desk.read(given, source)
    return web.Response(body=b'{"workflow": ' + text + b"}", content_type="application/json")


async def _inside(request: web.Request, source: str) -> SubmitText:
    """The document that a picture carries."""
    limits = request.app[STATE].limits
    picture = await read_file(request, limits.upload, "a picture")
    try:
        return SubmitText(await asyncio.to_thread(text_inside, picture, source))
    finally:
        await asyncio.to_thread(picture.unlink, missing_ok=True)
