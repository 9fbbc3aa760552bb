"""`/docs`: a page that shows and tries what `/openapi.json` describes; it asks no other server."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from nodeflow.server.operation import Answer, operation
from nodeflow.server.problems import HttpError

routes = web.RouteTableDef()

FOLDER = Path(__file__).parent / "static" / "docs"
FILES = {
    "index.html": "text/html",
    "docs.css": "text/css",
    "docs.js": "text/javascript",
    "dom.js": "text/javascript",
    "form.js": "text/javascript",
    "schema.js": "text/javascript",
}


@routes.get("/docs")
@operation(
    "Read this interface in a browser",
    tag="about",
    answers={200: Answer("A page.", media_type="text/html")},
)
async def docs(request: web.Request) -> web.StreamResponse:
    """It needs nothing but this server, and can send what it describes."""
    return _file("index.html")


@routes.get("/docs/{file}")
@operation(
    "A file of the page that `/docs` is",
    tag="about",
    answers={
        200: Answer("Style or script.", media_type="*/*"),
        404: Answer("The page has no such file."),
    },
)
async def docs_file(request: web.Request) -> web.StreamResponse:
    """Browsers ask for it by themselves."""
    return _file(request.match_info["file"])


def _file(name: str) -> web.FileResponse:
    kind = FILES.get(name)
    if kind is None:
        raise HttpError(404, f"The page has no file '{name[:80]}'; '/docs' is its address.")
    headers = {"Content-Type": f"{kind}; charset=utf-8", "Cache-Control": "no-cache"}
    return web.FileResponse(FOLDER / name, headers=headers)
