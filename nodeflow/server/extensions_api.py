"""`/api/extensions` and `/plugins`: what packs bring to the editor, loaded only if it is wanted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web
from pydantic import BaseModel, Field

from nodeflow.server.extensions import ENTRY, Extension, find_extensions
from nodeflow.server.operation import Answer, answer, operation
from nodeflow.server.problems import HttpError
from nodeflow.server.sending import send_file
from nodeflow.server.state import STATE, State

routes = web.RouteTableDef()


class ExtensionView(BaseModel):
    """The part of a pack that runs in the editor."""

    pack: str
    version: str = Field(description="Digest of its files; another one means other files.")
    url: str = Field(description="Its module, to be imported; relative to where the server is.")
    enabled: bool = Field(
        description="It came with nodeflow, or `extensions` in the settings has it."
    )


class ExtensionList(BaseModel):
    """All extensions, by pack."""

    extensions: list[ExtensionView]


@routes.get("/api/extensions")
@operation(
    "List what packs bring to the editor",
    tag="extensions",
    answers={
        200: Answer("Those that are not enabled, too.", ExtensionList),
        409: Answer("The settings, which say what is enabled, were damaged on disk."),
    },
)
async def list_extensions(request: web.Request) -> web.StreamResponse:
    """A pack has one if there is `web/index.js` beside its `__init__.py`; nothing is imported."""
    state = request.app[STATE]
    views = await asyncio.to_thread(lambda: [_view(item) for item in _found(state)])
    return answer(ExtensionList(extensions=views))


@routes.get("/plugins/{pack}/{file:.+}")
@operation(
    "Get a file of an extension",
    tag="extensions",
    headers={"If-None-Match": "The ETag of what is known; nothing is sent if it is the same."},
    answers={
        200: Answer("Script, style, data or picture.", media_type="*/*"),
        206: Answer("The bytes that were asked for.", media_type="*/*"),
        304: Answer("Nothing has changed."),
        403: Answer("The extension is not enabled, or a link leads out of its folder."),
        404: Answer("There is no such extension, or it has no such file."),
        409: Answer("The settings, which say what is enabled, were damaged on disk."),
        416: Answer("There are no such bytes."),
    },
)
async def extension_file(request: web.Request) -> web.StreamResponse:
    """Its modules import each other by relative addresses; a file may change at any time."""
    pack, name = request.match_info["pack"], request.match_info["file"]
    path, kind = await asyncio.to_thread(_file, request.app[STATE], pack, name)
    headers = {"Content-Type": kind, "Cache-Control": "no-cache"}
    return await send_file(request, path, path.name, headers)


def _found(state: State) -> list[Extension]:
    wanted = state.editor.read().body.extensions or ()
    return find_extensions(state.catalog.sources(), frozenset(wanted))


def _view(extension: Extension) -> ExtensionView:
    pack = extension.pack
    try:
        version = extension.version()
    except OSError as error:
        raise HttpError(
            409, f"The files of the extension of the pack '{pack}' cannot be read: {error}."
        ) from error
    url = f"plugins/{pack}/{ENTRY}?v={version}"
    return ExtensionView(pack=pack, version=version, url=url, enabled=extension.enabled)


def _file(state: State, pack: str, name: str) -> tuple[Path, str]:
    extension = next((item for item in _found(state) if item.pack == pack), None)
    if extension is None:
        raise HttpError(
            404, f"No pack '{pack[:80]}' brings anything to the editor; "
            "'GET /api/extensions' lists those that do."
        )  # fmt: skip
    if not extension.enabled:
        raise HttpError(
            403,
            f"The extension of the pack '{pack}' is not enabled. Its code could do in the editor "
            "whatever you can; if you trust it, add its name to 'extensions' in the settings.",
        )
    return extension.file(name)
