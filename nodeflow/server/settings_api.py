"""`/api/settings`: what people set in the editor, for all windows and computers of theirs."""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import BaseModel, Field

from nodeflow.server.bodies import read_body, require_json
from nodeflow.server.editor_settings import MOST_BYTES, SettingsBody
from nodeflow.server.operation import Answer, answer, operation
from nodeflow.server.preconditions import is_fresh, quoted
from nodeflow.server.state import STATE

routes = web.RouteTableDef()


class SettingsSaved(BaseModel):
    """Settings that were written."""

    etag: str = Field(description="As in the header, but without quotation marks.")


@routes.get("/api/settings")
@operation(
    "Read the editor's settings",
    tag="settings",
    headers={"If-None-Match": "The ETag of what is known; nothing is sent if it is the same."},
    answers={
        200: Answer("Exactly the text that was written; `{}` at first.", SettingsBody),
        304: Answer("Nothing has changed."),
        409: Answer("The file was damaged; the ETag to write over it is in the header."),
    },
)
async def read_settings(request: web.Request) -> web.StreamResponse:
    """The `ETag` is what `PUT` wants in `If-Match`; `settings_changed` tells when to read again."""
    kept = await asyncio.to_thread(request.app[STATE].editor.read)
    headers = {"ETag": quoted(kept.etag), "Cache-Control": "no-cache"}
    if is_fresh(request.headers.get("If-None-Match"), kept.etag):
        return web.Response(status=304, headers=headers)
    await asyncio.to_thread(lambda: kept.body)
    return web.Response(body=kept.text, content_type="application/json", headers=headers)


@routes.put("/api/settings")
@operation(
    "Write the editor's settings",
    tag="settings",
    body=SettingsBody,
    headers={"If-Match": "The ETag of the settings that are written over."},
    answers={
        200: Answer("They are kept.", SettingsSaved),
        400: Answer("They are no JSON, or the body is broken off."),
        412: Answer("They were changed by somebody else; the current ETag is in the header."),
        413: Answer(f"They have more than {MOST_BYTES} bytes."),
        422: Answer("They are no JSON object, or `extensions` is no list of names."),
        428: Answer("`If-Match` is missing."),
        507: Answer("The disk cannot be written to."),
    },
)
async def write_settings(request: web.Request) -> web.StreamResponse:
    """The whole object is written; what the server does not know is kept as it is."""
    require_json(request)
    text = await read_body(request, MOST_BYTES, "settings")
    etag = await request.app[STATE].editor.write(text, request.headers.get("If-Match"))
    return answer({"etag": etag}, headers={"ETag": quoted(etag)})
