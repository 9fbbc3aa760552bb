"""Login: a plain page that takes the token and hands out the cookie."""

from __future__ import annotations

import asyncio
import html
import re
from urllib.parse import parse_qs, quote

from aiohttp import web
from pydantic import BaseModel

from nodeflow.server.access import Access
from nodeflow.server.bodies import read_body
from nodeflow.server.headers import nonce
from nodeflow.server.operation import Answer, operation, read_query
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE

routes = web.RouteTableDef()

FORM = "application/x-www-form-urlencoded"
_FORM_BYTES = 4096
_MONTH = 30 * 24 * 3600
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 12vh auto; max-width: 26rem; padding: 1rem;
       background: #16181c; color: #e8eaed; }
label, input, button { display: block; width: 100%; box-sizing: border-box; }
input, button { font: inherit; padding: .6rem .8rem; margin: .4rem 0 1rem; border-radius: .4rem;
                border: 1px solid #5f6368; background: #202327; color: inherit; }
button { background: #2f6fde; border-color: #2f6fde; color: #fff; cursor: pointer; }
:focus-visible { outline: 3px solid #8ab4f8; outline-offset: 2px; }
[role=alert] { color: #ff9d94; }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Log in · nodeflow</title><style nonce="{nonce}">{style}</style></head>
<body><main><h1>nodeflow</h1>
<form method="post" action="/login?next={next}">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
{fault}<button>Log in</button></form>
<p>The token stands in the file <code>token</code> of the server's data folder.</p>
</main></body></html>
"""


class LoginQuery(BaseModel):
    """Where to go once the token was right; only paths of this server count."""

    next: str = "/"


def own_path(text: str) -> str:
    """A path of this server to go on to; `/` for everything that may lead elsewhere."""
    return text if _OWN_PATH.fullmatch(text) else "/"


@routes.get("/login")
@operation(
    "The login page",
    tag="system",
    query=LoginQuery,
    answers={200: Answer("A form that asks for the token.", media_type="text/html")},
)
async def show_login(request: web.Request) -> web.StreamResponse:
    """A page for people; programs send the token as `Authorization: Bearer`."""
    query = read_query(request, LoginQuery)
    return _page(request, query.next)


@routes.post("/login")
@operation(
    "Log in with the token",
    tag="system",
    query=LoginQuery,
    uploads=FORM,
    answers={
        303: Answer("The token was right; a cookie comes along."),
        403: Answer("The token was wrong.", media_type="text/html"),
    },
)
async def log_in(request: web.Request) -> web.StreamResponse:
    """Takes a form with the field `token`."""
    query = read_query(request, LoginQuery)
    access = request.app[STATE].access
    client = request.remote or ""
    access.guesses.refuse_eager(client)
    token = await _token(request)
    if not access.admits(token):
        await asyncio.sleep(access.guesses.count(client))
        return _page(request, query.next, fault="This is not the token.", status=403)
    response = web.Response(status=303, headers={"Location": own_path(query.next)})
    _hand_out(access, response)
    return response


async def _token(request: web.Request) -> str:
    """The token of the form that was sent.

    Raises:
        HttpError: 400 or 415, it is no such form.
    """
    if request.content_type != FORM:
        raise HttpError(415, f"A login is sent as '{FORM}', not as '{request.content_type}'.")
    text = (await read_body(request, _FORM_BYTES, "a login")).decode("utf-8", "replace")
    try:
        form = parse_qs(text, max_num_fields=8)
    except ValueError as error:
        raise HttpError(400, f"This is no login form: {error}.") from error
    return form.get("token", [""])[0].strip()


def _hand_out(access: Access, response: web.Response) -> None:
    if access.token is not None:
        response.set_cookie(
            access.cookie,
            access.token,
            max_age=_MONTH,
            httponly=True,
            samesite="Strict",
            secure=access.secure,
        )


def _page(request: web.Request, goal: str, *, fault: str = "", status: int = 200) -> web.Response:
    body = _PAGE.format(
        nonce=nonce(request),
        style=_STYLE,
        next=quote(own_path(goal), safe=""),
        fault=f'<p role="alert">{html.escape(fault)}</p>' if fault else "",
    )
    # Without a referrer at all, a browser sends the form with `Origin: null`, which is refused.
    headers = {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
    return web.Response(text=body, status=status, content_type="text/html", headers=headers)
