"""`/`: the editor, as it was built from `web/`; without it, a page that says how to get it."""

from __future__ import annotations

import asyncio
import html
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from nodeflow.server.headers import nonce
from nodeflow.server.operation import Answer, operation
from nodeflow.server.problems import HttpError
from nodeflow.web_build import BuildError, Say, build, is_checkout, is_fresh

routes = web.RouteTableDef()

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "site"
NONCE = b"__NONCE__"
"""Stands in `index.html` where the page is told the word that its own styles need."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_YEAR = 365 * 24 * 3600
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Kinds of files that a site has; the system's own table differs from machine to machine."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 12vh auto; max-width: 40rem; padding: 1rem;
       background: #16181c; color: #e8eaed; }
a { color: #8ab4f8; }
pre { overflow: auto; padding: 1rem; background: #202327; border-radius: .4rem; }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>nodeflow</title><style nonce="{nonce}">{style}</style></head>
<body><main><h1>nodeflow</h1>
<p>This server runs, but it has no editor to show.</p>
<p>{why}</p>
{output}<p>All else works: <a href="docs">the API</a> is described and can be tried.</p>
</main></body></html>
"""
_MISSING = (
    "In a checkout 'make web' builds it, with npm and Node; "
    "a released package of nodeflow holds it."
)


@dataclass(frozen=True)
class Site:
    """The editor's files.

    Attributes:
        fault: Why they are not to be used; empty if they may.
        output: What a tool said that failed to make them.
    """

    folder: Path = FOLDER
    fault: str = ""
    output: str = ""


SITE = web.AppKey("site", Site)


def find_site(say: Say, *, may_build: bool, root: Path = ROOT, folder: Path = FOLDER) -> Site:
    """The site of this installation; that of a checkout is built first if its sources changed.

    Args:
        say: Told what happens, as it may take a while.
    """
    if not is_checkout(root) or is_fresh(root, folder):
        return Site(folder)
    if not may_build:
        if (folder / "index.html").is_file():
            say("The editor is older than its sources; without --no-build it is built anew.")
        return Site(folder)
    try:
        build(root, folder, say)
    except BuildError as error:
        say(f"{error}\n{error.output}".rstrip())
        return Site(folder, str(error), error.output)
    return Site(folder)


@routes.get("/")
@operation(
    "Open the editor",
    tag="about",
    answers={200: Answer("A page.", media_type="text/html")},
)
async def index(request: web.Request) -> web.StreamResponse:
    """If it was not built, the page says why and what to do."""
    site = request.app[SITE]
    text = None if site.fault else await asyncio.to_thread(_read, site.folder / "index.html")
    word = nonce(request)
    body = _without_editor(site, word) if text is None else text.replace(NONCE, word.encode())
    headers = {"Cache-Control": "no-cache"}
    return web.Response(body=body, content_type="text/html", charset="utf-8", headers=headers)


@routes.get("/assets/{file}")
@operation(
    "A file of the editor",
    tag="about",
    answers={
        200: Answer("Style, script or picture. It never changes.", media_type="*/*"),
        304: Answer("Nothing has changed."),
        404: Answer("The editor has no such file."),
    },
)
async def asset(request: web.Request) -> web.StreamResponse:
    """Its name holds a digest of its content. Browsers ask for it by themselves."""
    return await _file(request, "assets", f"public, max-age={_YEAR}, immutable")


@routes.get(r"/{file:[A-Za-z0-9_-]+\.(?:ico|png|svg|txt|webmanifest)}")
@operation(
    "An icon of the editor",
    tag="about",
    answers={
        200: Answer("The file.", media_type="*/*"),
        304: Answer("Nothing has changed."),
        404: Answer("The editor has no such file."),
    },
)
async def icon(request: web.Request) -> web.StreamResponse:
    """Browsers ask for it by themselves."""
    return await _file(request, "", "no-cache")


async def _file(request: web.Request, folder: str, caching: str) -> web.StreamResponse:
    name = request.match_info["file"]
    path = request.app[SITE].folder / folder / name
    kind = _KINDS.get(path.suffix)
    named = kind is not None and _NAME.fullmatch(name) is not None
    if kind is None or not named or not await asyncio.to_thread(path.is_file):
        raise HttpError(404, f"The editor has no file '{name[:80]}'; load the page '/' again.")
    headers = {"Content-Type": kind, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    # A file beside it that is packed already is sent instead to those who take it.
    return web.FileResponse(path, headers=headers)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _without_editor(site: Site, word: str) -> bytes:
    output = f"<pre>{html.escape(site.output)}</pre>\n" if site.output else ""
    why = html.escape(site.fault or _MISSING)
    return _PAGE.format(nonce=word, style=_STYLE, why=why, output=output).encode()
