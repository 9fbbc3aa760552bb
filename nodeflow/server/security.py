"""Security: the checks that every request passes before a handler sees it, in their order."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from nodeflow.server.access import Access as Access
from nodeflow.server.headers import on_prepare
from nodeflow.server.limits import Clients
from nodeflow.server.limits import Limits as Limits
from nodeflow.server.origins import Place, read_host, read_origin
from nodeflow.server.problems import HttpError
from nodeflow.server.slow_bodies import watched_body

_OPEN = ("/healthz", "/login")
_SAFE = ("GET", "HEAD", "OPTIONS")
_BEARER = 'Bearer realm="nodeflow"'


def guard(app: web.Application, access: Access, limits: Limits) -> None:
    """Put the checks and the headers on an application.

    Its middlewares so far, among them the one that answers errors, stay around the checks.
    """
    app.middlewares.extend(security_middlewares(access, limits))
    app.on_response_prepare.append(on_prepare)


def security_middlewares(access: Access, limits: Limits) -> list[Middleware]:
    """The checks, for use inside of `problem_middleware`; `guard` adds the headers too."""
    clients = Clients(limits)

    @web.middleware
    async def check_request(request: web.Request, handler: Handler) -> web.StreamResponse:
        refuse_unclear(request, limits)
        refuse_foreign(request, access)
        return await handler(request)

    @web.middleware
    async def check_budget(request: web.Request, handler: Handler) -> web.StreamResponse:
        with clients.serving(request.remote or "", stream=_is_stream(request)):
            async with watched_body(request, limits):
                return await handler(request)

    @web.middleware
    async def check_token(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in _OPEN and not access.admits(token_of(request, access)):
            return ask_for_token(request)
        return await handler(request)

    return [check_request, check_budget, check_token]


def refuse_unclear(request: web.Request, limits: Limits) -> None:
    """Refuse what no honest client sends.

    Raises:
        HttpError: 400 for control characters in the path or the query, 414 for long names,
            415 for a packed body.
    """
    for what, text in (("path", request.path), ("query", request.query_string)):
        found = next((char for char in text if ord(char) < 32 or ord(char) == 127), None)
        if found is not None:
            raise HttpError(400, f"The {what} has the control character {found!r}; leave it out.")
    longest = max(request.path.split("/"), key=len)
    if len(longest.encode("utf-8", "replace")) > limits.name_bytes:
        raise HttpError(
            414,
            f"The path has a name of {len(longest)} characters, '{longest[:40]}...'; "
            f"the limit is {limits.name_bytes} bytes.",
        )
    packed = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if packed != "identity":
        raise HttpError(415, f"The body is packed with '{packed[:40]}'; send it as it is.")


def refuse_foreign(request: web.Request, access: Access) -> None:
    """Refuse requests that are meant for another name, or come from a foreign page.

    Raises:
        HttpError: 400, 403 or 421.
    """
    place = _place(request)
    if not access.knows(place, _reached(request)):
        raise HttpError(
            421,
            f"This server is not known as '{place.name}'. "
            f"If it should be, start it with --allow-host {place.name}.",
        )
    for text in request.headers.getall(hdrs.ORIGIN, ()):
        origin = read_origin(text)
        if origin is None:
            raise HttpError(403, f"Requests from the origin {text[:80]!r} are not taken.")
        if not access.welcomes(origin, place):
            raise HttpError(
                403,
                f"Pages of {origin} may not use this server. "
                f"If they should, start it with --allow-origin {origin}.",
            )
    site = request.headers.get("Sec-Fetch-Site", "")
    if site == "cross-site" and request.method not in _SAFE and hdrs.ORIGIN not in request.headers:
        raise HttpError(403, "A page of another site may not change anything on this server.")


def token_of(request: web.Request, access: Access) -> str | None:
    """The token that a request shows, as bearer or as cookie."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.cookies.get(access.cookie)


def ask_for_token(request: web.Request) -> web.StreamResponse:
    """A person is led to the login page, a program is told what to send.

    Raises:
        HttpError: 401, for programs.
    """
    page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", "")
    if page and not request.path.startswith("/api/"):
        here = quote(request.raw_path, safe="")
        return web.Response(status=303, headers={hdrs.LOCATION: f"/login?next={here}"})
    raise HttpError(
        401,
        "This server asks for a token: send 'Authorization: Bearer TOKEN', or open '/login'. "
        "The token is in the file 'token' of the server's data folder.",
        headers={hdrs.WWW_AUTHENTICATE: _BEARER},
    )


def _place(request: web.Request) -> Place:
    given = request.headers.getall(hdrs.HOST, ())
    place = read_host(given[0]) if len(given) == 1 else None
    if place is None:
        shown = ", ".join(given)[:80]
        raise HttpError(400, f"The header 'Host: {shown}' names no host; send one that does.")
    return place


def _reached(request: web.Request) -> str:
    """The address at which a connection came in."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    return str(name[0]) if isinstance(name, tuple) else ""


def _is_stream(request: web.Request) -> bool:
    upgrade = request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
    return upgrade or "text/event-stream" in request.headers.get(hdrs.ACCEPT, "")
