from __future__ import annotations

import re

from aiohttp import web

from nodeflow.server.access import Access
from nodeflow.server.limits import Limits
from nodeflow.server.problems import problem_middleware
from nodeflow.server.security import guard
from tests.server.guarded_tools import Reply, guarded, serving


def policy_of(reply: Reply) -> dict[str, str]:
    parts = reply.headers["Content-Security-Policy"].split("; ")
    return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}


async def test_every_response_bears_them_whatever_it_is() -> None:
    async with guarded(Access(token="a-token-of-some-length")) as server:
        bearer = {"Authorization": "Bearer a-token-of-some-length"}
        replies = [
            await server.ask(headers=bearer),
            await server.ask("/page", headers=bearer),
            await server.ask("/nothing", headers=bearer),
            await server.ask("/page", headers={"Accept": "text/html"}),
            await server.ask(),
            await server.ask(host="evil.org"),
            await server.ask("/api/%00"),
            await server.send(b"no http at all\r\n\r\n"),
        ]
    assert [reply.status for reply in replies] == [200, 200, 404, 303, 401, 421, 400, 400]
    for reply in replies:
        policy = policy_of(reply)
        assert policy["default-src"] == "'self'"
        assert policy["img-src"] == "'self' blob: data:"
        for name in ("object-src", "frame-ancestors", "base-uri"):
            assert policy[name] == "'none'"
        assert policy["form-action"] == "'self'"
        assert "unsafe" not in reply.headers["Content-Security-Policy"]
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert reply.headers["X-Frame-Options"] == "DENY"


async def test_a_page_has_a_nonce_of_its_own_and_others_have_none() -> None:
    async with guarded() as server:
        first, second = await server.ask("/page"), await server.ask("/page")
        plain = await server.ask()
    words = [re.sub("</?p>", "", reply.body.decode()) for reply in (first, second)]
    assert words[0] != words[1]
    assert policy_of(first)["style-src"] == f"'self' 'nonce-{words[0]}'"
    assert policy_of(plain)["style-src"] == "'self'"


async def test_a_handler_may_change_what_is_no_wall_and_nothing_else() -> None:
    async def loose(request: web.Request) -> web.StreamResponse:
        headers = {
            "Referrer-Policy": "same-origin",
            "Content-Security-Policy": "default-src *",
            "X-Content-Type-Options": "sniff",
        }
        return web.Response(headers=headers)

    app = web.Application(middlewares=[problem_middleware])
    guard(app, Access(), Limits())
    app.router.add_get("/", loose)
    async with serving(app) as server:
        reply = await server.ask("/")
    assert reply.headers["Referrer-Policy"] == "same-origin"
    assert policy_of(reply)["default-src"] == "'self'"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_stream_has_them_before_its_first_byte() -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"data")
        return answer

    app = web.Application()
    guard(app, Access(), Limits())
    app.router.add_get("/", stream)
    async with serving(app) as server:
        assert policy_of(await server.ask("/"))["default-src"] == "'self'"
