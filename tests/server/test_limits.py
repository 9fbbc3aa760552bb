from __future__ import annotations

import asyncio

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.server.limits import Clients, Limits
from nodeflow.server.problems import HttpError
from tests.server.guarded_tools import Guarded, guarded


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def try_once(clients: Clients, name: str = "10.0.0.1") -> int:
    """The status of one request, which is over at once."""
    try:
        with clients.serving(name, stream=False):
            return 200
    except HttpError as error:
        return error.status


def test_a_client_may_send_a_burst_and_then_so_many_a_second() -> None:
    clock = Clock()
    clients = Clients(Limits(rate=10, burst=5), clock)
    assert [try_once(clients) for _ in range(7)] == [200] * 5 + [429] * 2
    assert try_once(clients, "10.0.0.2") == 200
    clock.now += 0.21
    assert [try_once(clients) for _ in range(3)] == [200, 200, 429]


def test_programs_of_this_computer_have_no_rate_unless_it_is_set() -> None:
    assert {try_once(Clients(Limits(burst=1)), "127.0.0.1") for _ in range(50)} == {200}
    clients = Clients(Limits(burst=1, loopback_rate=1), Clock())
    assert [try_once(clients, "::1") for _ in range(2)] == [200, 429]


def test_the_sentence_says_when_to_go_on() -> None:
    clients = Clients(Limits(rate=0.5, burst=1), Clock())
    try_once(clients)
    sentence = r"more than 0\.5 requests a second; go on in 2 s"
    with (
        pytest.raises(HttpError, match=sentence) as refused,
        clients.serving("10.0.0.1", stream=False),
    ):
        pass
    assert refused.value.headers == {"Retry-After": "2"}


def test_requests_under_way_and_streams_are_counted_apart() -> None:
    clients = Clients(Limits(in_flight=1, watching=1))
    with clients.serving("a", stream=False), clients.serving("a", stream=True):
        for stream, what in ((False, "requests under way"), (True, "event streams open")):
            with (
                pytest.raises(HttpError, match=f"a has 1 {what}"),
                clients.serving("a", stream=stream),
            ):
                pass
        with clients.serving("b", stream=False):
            pass
    with clients.serving("a", stream=False), clients.serving("a", stream=True):
        pass


@given(st.lists(st.floats(0, 3), max_size=60))
def test_no_client_gets_more_than_burst_and_rate_allow(pauses: list[float]) -> None:
    clock = Clock()
    clients = Clients(Limits(rate=2, burst=4), clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += try_once(clients) == 200
    assert passed <= 4 + 2 * clock.now + 1e-6


def test_clients_that_are_silent_are_forgotten_and_busy_ones_are_not() -> None:
    clock = Clock()
    clients = Clients(Limits(rate=1, burst=2), clock)
    with clients.serving("busy", stream=True):
        for number in range(10_000):
            clock.now += 1
            try_once(clients, f"10.{number // 256}.{number % 256}.1")
        assert len(clients._clients) < 5000
        assert "busy" in clients._clients


async def hold(server: Guarded, count: int) -> list[asyncio.StreamWriter]:
    """Requests whose bodies do not come."""
    writers = []
    for _ in range(count):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"POST /api/thing HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 9\r\n\r\n".encode()
        )
        await writer.drain()
        writers.append(writer)
    while len(server.seen) < count:
        await asyncio.sleep(0.01)
    return writers


async def test_a_client_with_too_many_requests_under_way_is_told_so() -> None:
    async with guarded(limits=Limits(in_flight=3)) as server:
        held = await hold(server, 3)
        reply = await server.ask()
        assert reply.status == 429
        assert reply.headers["Retry-After"] == "1"
        assert b"3 requests under way" in reply.body
        for writer in held:
            writer.close()
        async with asyncio.timeout(10):
            while (await server.ask()).status != 200:
                await asyncio.sleep(0.01)


async def test_open_sockets_are_no_requests_under_way() -> None:
    limits = Limits(in_flight=1, watching=2)
    async with guarded(limits=limits) as server, aiohttp.ClientSession() as session:
        url = f"{server.url}/api/events"
        async with session.ws_connect(url), session.ws_connect(url):
            assert (await server.ask()).status == 200
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(url)
            assert refused.value.status == 429
