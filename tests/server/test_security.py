from __future__ import annotations

import asyncio
import json
import logging

import aiohttp
import pytest

from nodeflow.server.access import Access
from nodeflow.server.limits import Limits
from nodeflow.server.origins import Origin
from tests.server.guarded_tools import guarded

TOKEN = "a-token-for-the-tests-of-security"
CLOSED = Access(token=TOKEN)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("[::1]:{port}", 200),
        ("localhost:9999", 200),  # a port that was forwarded
        ("allowed.example.org", 200),
        ("evil.org", 421),
        ("localhost.evil.org:{port}", 421),
        ("127.0.0.1.nip.io", 421),
        ("10.0.0.1", 421),
        ("localhost@evil.org", 400),
        ("a b", 400),
        ("", 400),
    ],
)
async def test_only_known_hosts_are_answered(host: str, status: int) -> None:
    access = Access(hosts=Access().hosts | {"allowed.example.org"})
    async with guarded(access) as server:
        reply = await server.ask(host=host.format(port=server.port))
        assert reply.status == status, reply.body
        assert bool(server.seen) == (status == 200)
    if status == 421:
        assert "--allow-host" in json.loads(reply.body)["detail"]


async def test_two_hosts_are_none() -> None:
    async with guarded() as server:
        reply = await server.ask(headers=[("Host", "evil.org")])
    assert reply.status == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://{host}", 200),
        ("http://allowed.example.org", 200),
        ("https://{host}", 403),
        ("http://127.0.0.1:1", 403),
        ("http://127.0.0.1", 403),
        ("http://localhost:{port}", 403),
        ("https://evil.org", 403),
        ("http://{host}.evil.org", 403),
        ("http://{host}@evil.org", 403),
        ("null", 403),
        ("file://", 403),
        ("", 403),
        ("http://{host} http://{host}", 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_only_pages_of_the_server_itself_may_use_it(
    origin: str, status: int, method: str
) -> None:
    access = Access(origins=frozenset({Origin("http", "allowed.example.org", 80)}))
    async with guarded(access) as server:
        sent = origin.format(host=server.host, port=server.port)
        reply = await server.ask(headers={"Origin": sent}, method=method)
        assert reply.status == status, reply.body
        assert bool(server.seen) == (status == 200)
    assert "Access-Control-Allow-Origin" not in reply.headers


async def test_a_foreign_page_may_not_change_anything_even_if_it_names_no_origin() -> None:
    async with guarded() as server:
        cross = {"Sec-Fetch-Site": "cross-site"}
        assert (await server.ask(headers=cross, method="POST")).status == 403
        assert (await server.ask(headers=cross)).status == 200

        own = {"Sec-Fetch-Site": "same-origin"}
        assert (await server.ask(headers=own, method="POST")).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"bearer  {TOKEN} "}, 200),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": "Bearer \xff\xfe"}, 401),
        ({"Cookie": f"{CLOSED.cookie}={TOKEN}"}, 200),
        ({"Cookie": f"{CLOSED.cookie}=wrong"}, 401),
        ({"Cookie": f"token={TOKEN}"}, 401),
        ({"Authorization": "Bearer no", "Cookie": f"{CLOSED.cookie}={TOKEN}"}, 401),
        ({"Accept": "text/html"}, 401),
    ],
)
async def test_without_the_token_the_api_is_closed(headers: dict[str, str], status: int) -> None:
    async with guarded(CLOSED) as server:
        reply = await server.ask(headers=headers)
        assert reply.status == status
        assert bool(server.seen) == (status == 200)
    if status == 401:
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        assert reply.headers["Content-Type"].startswith("application/problem+json")


async def test_a_person_is_led_to_the_login_page_and_back() -> None:
    async with guarded(CLOSED) as server:
        reply = await server.ask("/page?a=1&b=%2F", headers={"Accept": "text/html,*/*"})
        assert (reply.status, reply.headers["Location"]) == (
            303,
            "/login?next=%2Fpage%3Fa%3D1%26b%3D%252F",
        )
        posted = await server.ask("/page", headers={"Accept": "text/html"}, method="POST")
        assert posted.status == 401


async def test_whether_it_is_well_may_be_asked_by_everybody() -> None:
    async with guarded(CLOSED) as server:
        assert (await server.ask("/healthz")).status == 200
        assert (await server.ask("/healthz", host="evil.org")).status == 421
        assert (await server.ask("/healthz/")).status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BEARER, 101),
        ({"Cookie": f"{CLOSED.cookie}={TOKEN}"}, 101),
        ({}, 401),
        (BEARER | {"Origin": "http://evil.org"}, 403),
        (BEARER | {"Origin": "null"}, 403),
        (BEARER | {"Host": "evil.org"}, 421),
    ],
)
async def test_the_socket_is_no_side_door(headers: dict[str, str], status: int) -> None:
    async with guarded(CLOSED) as server, aiohttp.ClientSession() as session:
        url = f"{server.url}/api/events"
        if status == 101:
            async with session.ws_connect(url, headers=headers) as socket:
                assert await socket.receive_str() == "hello"
            return
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url, headers=headers)
        assert refused.value.status == status
        assert not server.seen


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/thing%00", 400),
        ("/api/%0d%0aX: y", 400),
        ("/api/thing?name=%00", 400),
        ("/api/thing?%1f=1", 400),
        ("/api/thing?name=a%0Ab", 400),
        ("/api/" + "x" * 256, 414),
        ("/api/" + "%C3%A4" * 130, 414),
        ("/api/" + "x" * 255, 404),
        ("/api/..%2f..%2fetc%2fpasswd", 404),
        ("/api/%ff%fe", 404),
        ("/api/thing?name=ok", 200),
    ],
)
async def test_paths_are_clear_or_refused(target: str, status: int) -> None:
    async with guarded() as server:
        reply = await server.ask(target.replace(" ", "%20"))
        assert reply.status == status, reply.body


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br", "gzip, gzip"])
async def test_packed_bodies_are_refused_before_they_are_unpacked(packing: str) -> None:
    async with guarded() as server:
        headers = {"Content-Encoding": packing}
        reply = await server.ask(method="POST", headers=headers, body=b"\x1f\x8b" + b"0" * 100)
        assert reply.status == 415, reply.body
        assert not server.seen


async def test_refusals_leave_nothing_in_the_error_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with guarded(CLOSED, Limits()) as server:
        await asyncio.gather(
            server.ask(host="evil.org"),
            server.ask(headers={"Origin": "null"}),
            server.ask("/api/%00"),
            server.ask(),
        )
    assert not caplog.records
