"""What a client may say on a WebSocket, and how it is ended if it says something else."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import WSMsgType

from nodeflow.server.event_socket import MESSAGES
from tests.server.hub_tools import PATIENCE, Feed, events, frames, house, numbers, read_all, until


@pytest.mark.parametrize(
    ("said", "code", "sentence"),
    [
        pytest.param("hello", 1007, "no JSON object", id="no JSON"),
        pytest.param("[1]", 1007, "no JSON object", id="no object"),
        pytest.param("[" * 4000, 1007, "no JSON object", id="deep"),
        pytest.param('{"previews": "yes"}', 1007, "true or false", id="no boolean"),
        pytest.param('{"x": "' + "y" * 4090 + '"}', 1009, "4096 bytes", id="long"),
        pytest.param("z" * 100_000, 1009, "4096 bytes", id="very long"),
        pytest.param(b"abc", 1003, "Binary", id="binary"),
    ],
)
async def test_what_is_not_understood_ends_the_watcher_with_a_sentence(
    said: str | bytes, code: int, sentence: str
) -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        other = await at.joined()
        await (watching.send_bytes(said) if isinstance(said, bytes) else watching.send_str(said))
        goodbye = await watching.receive(timeout=PATIENCE)
        assert (goodbye.type, goodbye.data) == (WSMsgType.CLOSE, code)
        assert sentence in goodbye.extra
        await until(lambda: len(at.hub._watchers) == 1)
        at.feed.happen()
        assert numbers(await events(other, 1)) == [1]


async def test_text_that_is_no_utf8_ends_the_watcher_with_a_sentence() -> None:
    async with house(Feed()) as at:
        client = await at.raw()
        await asyncio.get_running_loop().sock_sendall(client, b"\x81\x82\0\0\0\0\xff\xfe")
        kind, goodbye = frames(await read_all(client))[-1]
        client.close()
        assert (kind, int.from_bytes(goodbye[:2])) == (8, 1007)
        assert goodbye[2:].decode() == "A message is no UTF-8 text."


async def test_an_object_of_the_longest_allowed_size_is_passed_over() -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        text = json.dumps({"x": ""})
        await watching.send_str(text.replace('""', '"' + "y" * (4096 - len(text)) + '"'))
        await watching.ping(b"there?")
        at.feed.happen()
        assert numbers(await events(watching, 1)) == [1]


async def test_a_ping_is_answered() -> None:
    async with house(Feed()) as at:
        url = f"http://127.0.0.1:{at.port}/api/events"
        async with at.session.ws_connect(url, autoping=False) as watching:
            await watching.receive()
            await watching.ping(b"there?")
            pong = await watching.receive(timeout=PATIENCE)
            assert (pong.type, pong.data) == (WSMsgType.PONG, b"there?")


async def test_who_talks_without_end_is_ended() -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        for _ in range(MESSAGES + 1):
            await watching.send_str("{}")
        goodbye = await watching.receive(timeout=PATIENCE)
        assert (goodbye.data, goodbye.extra[:18]) == (1008, "More than 100 mess")


async def test_who_closes_is_forgotten_at_once() -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        await watching.close()
        assert watching.close_code == 1000
        await until(lambda: not at.hub._watchers)


async def test_a_handshake_that_is_wrong_is_refused_with_a_sentence() -> None:
    async with house(Feed()) as at:
        url = f"http://127.0.0.1:{at.port}/api/events"
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "1"}
        async with at.session.get(url, headers=headers) as refused:
            assert refused.status == 400
            assert "version" in (await refused.json())["detail"]
