"""`/api/inputs`: the files that nodes load, for an editor to show."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from nodeflow.server.operation import Answer, operation, read_query
from nodeflow.server.paths import inside
from nodeflow.server.problems import HttpError
from nodeflow.server.sending import FormQuery, Source, send, source_of
from nodeflow.server.state import STATE, State

routes = web.RouteTableDef()


@routes.get("/api/inputs/{name:.+}")
@operation(
    "Get a file that nodes can load",
    tag="uploads",
    query=FormQuery,
    headers={
        "Range": "Only some of the bytes.",
        "If-None-Match": "The ETag of what is known; nothing is sent if it is the same.",
    },
    answers={
        200: Answer("The file as it is now.", media_type="*/*"),
        206: Answer("The bytes that were asked for.", media_type="*/*"),
        304: Answer("Nothing has changed."),
        400: Answer(
            "The query is wrong, or the file is no picture and another form was asked for."
        ),
        403: Answer("The name leads out of the folder of inputs."),
        404: Answer("There is no such file."),
        413: Answer("The picture has too many pixels to be put into another form."),
        416: Answer("There are no such bytes."),
        422: Answer("The picture is damaged and cannot be put into another form."),
        507: Answer("The disk has no room for the other form."),
    },
)
async def get_input(request: web.Request) -> web.StreamResponse:
    """`name` is what a file input of a node says, such as the `name` of an upload. Forms are those
    of results; unlike a result, a file may change, so ask with its `ETag` again.
    """
    query = read_query(request, FormQuery)
    source = await asyncio.to_thread(_locate, request.app[STATE], request.match_info["name"])
    return await send(request, source, query, "no-cache")


def _locate(state: State, name: str) -> Source:
    """An input's file.

    Raises:
        HttpError: 403 if it lies outside, 404 if there is none, 400 if its links go in a circle.
    """
    shown = name if len(name) <= 80 else f"{name[:77]}..."
    given = Path(name)
    if given.is_absolute() or ".." in given.parts:
        raise HttpError(
            403, f"'{shown}' lies outside of the folder of inputs; give a name inside of it."
        )
    for folder in state.catalog.roots.folders["inputs"]:
        if "\0" not in name and (found := _found(folder, name)) is not None:
            return found
    raise HttpError(
        404, f"There is no file '{shown}' among the inputs; 'POST /api/uploads' puts one there."
    )


def _found(folder: Path, name: str) -> Source | None:
    try:
        path = inside(folder, name, "input").resolve()
        return source_of(path, Path(name).name) if path.is_file() else None
    except OSError:  # a name too long, a file that may not be read, or one that has just gone
        return None
