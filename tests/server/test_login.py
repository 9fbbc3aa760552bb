from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from urllib.parse import quote, urljoin, urlsplit

import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st

from nodeflow.server import login
from nodeflow.server.access import Access
from nodeflow.server.guesses import Guesses
from nodeflow.server.limits import Limits
from nodeflow.server.login import FORM, own_path
from nodeflow.server.problems import problem_middleware
from nodeflow.server.security import guard
from nodeflow.server.state import STATE
from tests.server.guarded_tools import Guarded, Reply, serving

TOKEN = "a-token-for-the-tests-of-the-login"


@asynccontextmanager
async def login_server(**options: Any) -> AsyncIterator[Guarded]:
    """The login page, and `/api/thing` behind it."""
    access = Access(token=TOKEN, guesses=Guesses(allowed=3, pause=0.01), **options)
    app = web.Application(middlewares=[problem_middleware])
    guard(app, access, Limits())
    app.add_routes(login.routes)

    async def thing(request: web.Request) -> web.StreamResponse:
        return web.Response(text="inside")

    class Parts:  # the login needs one part of the state only
        pass

    parts = cast("Any", Parts())
    parts.access = access
    app[STATE] = parts
    app.router.add_get("/api/thing", thing)
    async with serving(app) as server:
        yield server


async def post(
    server: Guarded, token: str, target: str = "/login", headers: dict[str, str] | None = None
) -> Reply:
    body = f"token={quote(token)}".encode()
    sent = {"Content-Type": FORM} | (headers or {})
    return await server.ask(target, sent, method="POST", body=body)


async def test_the_right_token_gives_a_cookie_that_opens_the_door() -> None:
    async with login_server() as server:
        origin = {"Origin": server.url}
        reply = await post(server, TOKEN, "/login?next=%2Fpage%3Fa%3D1", origin)
        assert (reply.status, reply.headers["Location"]) == (303, "/page?a=1")
        cookie, *marks = reply.headers["Set-Cookie"].split("; ")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(marks)
        assert "Secure" not in marks
        inside = await server.ask(headers={"Cookie": cookie})
        assert (inside.status, inside.body) == (200, b"inside")


async def test_under_tls_the_cookie_stays_on_tls() -> None:
    async with login_server(secure=True) as server:
        assert "Secure" in (await post(server, TOKEN)).headers["Set-Cookie"].split("; ")


async def test_a_wrong_token_is_refused_with_the_page_and_in_the_end_with_patience() -> None:
    async with login_server() as server:
        for wrong in ("no", "", TOKEN + "x"):
            reply = await post(server, wrong)
            assert reply.status == 403
            assert b"This is not the token." in reply.body
            assert "Set-Cookie" not in reply.headers
        refused = await post(server, TOKEN)
        assert refused.status == 429
        assert int(refused.headers["Retry-After"]) > 0


async def test_the_page_obeys_its_own_policy() -> None:
    async with login_server() as server:
        reply = await server.ask('/login?next="><script>alert(1)</script>'.replace(" ", "%20"))
    page = reply.body.decode()
    assert reply.status == 200
    assert "<script" not in page
    assert not re.search(r"\son\w+=|style=|https?://", page)
    found = re.search(r'<style nonce="([^"]+)">', page)
    assert found is not None
    assert f"'nonce-{found[1]}'" in reply.headers["Content-Security-Policy"]
    # Without a referrer a browser would send the form with `Origin: null`.
    assert reply.headers["Referrer-Policy"] == "same-origin"
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("origin", ["null", "https://evil.org"])
async def test_foreign_pages_cannot_log_anybody_in(origin: str) -> None:
    async with login_server() as server:
        assert (await post(server, TOKEN, headers={"Origin": origin})).status == 403


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b"{}", 415),
        ({}, b"token=x", 415),
        ({"Content-Type": FORM}, b"token=" + b"x" * 5000, 413),
        ({"Content-Type": FORM}, b"&".join(b"a=1" for _ in range(99)), 400),
        ({"Content-Type": FORM}, b"\xff\xfe=%zz", 403),
        ({"Content-Type": FORM}, b"", 403),
    ],
)
async def test_what_is_no_form_is_refused(
    headers: dict[str, str], body: bytes, status: int
) -> None:
    async with login_server() as server:
        reply = await server.ask("/login", headers, method="POST", body=body)
    assert reply.status == status, reply.body


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("/", "/"),
        ("/page?a=1#b", "/page?a=1#b"),
        ("", "/"),
        ("page", "/"),
        ("//evil.org", "/"),
        ("/\\evil.org", "/"),
        ("/\t/evil.org", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("https://evil.org", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\\b", "/"),
    ],
)
def test_only_paths_of_the_server_are_gone_on_to(text: str, goal: str) -> None:
    assert own_path(text) == goal


@given(st.text(st.sampled_from("/\\.:@?#%\t\n\r a5evil.orghtps"), max_size=20) | st.text())
@example("/%09/evil.org")
@example("/.//evil.org")
def test_no_text_leads_to_another_server(text: str) -> None:
    goal = own_path(text)
    # Browsers take a backslash for a slash, and leave out tabs and line ends.
    seen = re.sub(r"[\t\r\n]", "", goal).replace("\\", "/")
    base = "http://localhost:8188/login"
    assert urlsplit(urljoin(base, seen))[:2] == urlsplit(base)[:2]
