"""Server-Sent Events as a plain HTTP client reads them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.server.hub_tools import PATIENCE, QUICK, Feed, House, house, kept, until


async def told(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The next block of an event stream; a comment has the name ''."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE):
        while (line := (await answer.content.readline()).decode()) not in ("\n", ""):
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
    return fields


def ask(at: House, last: int | None = None, **query: Any) -> Any:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    url = f"http://127.0.0.1:{at.port}/api/events"
    return at.session.get(url, params=query, headers=headers, timeout=aiohttp.ClientTimeout(60))


async def test_events_have_their_number_as_id_and_their_name() -> None:
    async with house(Feed([kept(1), kept(2)])) as at, ask(at, after=1) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        opening = await told(answer)
        assert (opening["event"], opening["id"]) == ("position", "1")
        assert opening["retry"].isdigit()
        assert json.loads(opening["data"]) == {"after": 1, "last": 2}
        at.feed.happen(1, "job_finished", status="done")
        second, third = await told(answer), await told(answer)
        assert (second["id"], second["event"]) == ("2", "node_log")
        assert (third["id"], third["event"]) == ("3", "job_finished")
        assert json.loads(third["data"])["status"] == "done"


async def test_a_client_that_comes_back_with_its_last_id_misses_nothing() -> None:
    async with house(Feed()) as at:
        seen: list[str] = []
        last = None
        for count in (3, 0, 40, 1):
            async with ask(at, last) as answer:
                last = int((await told(answer))["id"])
                at.feed.happen(count)
                for _ in range(len(seen), at.feed.bounds()[1]):
                    seen.append((await told(answer))["id"])
                    last = int(seen[-1])
            at.feed.happen(5)
        async with ask(at, last) as answer:
            await told(answer)
            seen += [(await told(answer))["id"] for _ in range(5)]
        assert seen == [str(number) for number in range(1, at.feed.bounds()[1] + 1)]


async def test_progress_has_no_id() -> None:
    async with house(Feed()) as at, ask(at) as answer:
        await told(answer)
        at.hub.progress("a", {"event": "node_progress", "job": "a", "node": "n", "step": 4})
        block = await told(answer)
        assert block["event"] == "node_progress"
        assert "id" not in block


async def test_a_comment_says_now_and_then_that_the_server_is_there() -> None:
    async with house(Feed(), beat=0.05) as at, ask(at) as answer:
        await told(answer)
        for _ in range(3):
            assert await told(answer) == {"": "the server is there"}


async def test_a_stream_ends_whole_when_the_server_stops() -> None:
    async with house(Feed()) as at, ask(at) as answer:
        await told(answer)
        at.feed.happen(2)
        await at.hub.close()
        rest = (await answer.content.read()).decode()
        assert rest.count("\nevent: node_log\n") == 2
        async with ask(at) as refused:
            assert refused.status == 503
            assert "stops" in (await refused.json())["detail"]


async def test_who_goes_away_is_forgotten() -> None:
    async with house(Feed(), beat=0.05) as at:
        async with ask(at) as answer:
            await told(answer)
            assert len(at.hub._watchers) == 1
        await until(lambda: not at.hub._watchers)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_stream_is_read_by_old_and_new_http(version: str) -> None:
    async with house(Feed([kept(1)])) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(f"GET /api/events?after=0 HTTP/{version}\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert (b"chunked" in head) == (version == "1.1")
        await reader.readuntil(b"id: 1\n")
        await at.hub.close()
        rest = await reader.read()
        assert rest.endswith(b"0\r\n\r\n" if version == "1.1" else b"}\n\n")
        writer.close()
        await writer.wait_closed()


async def test_who_never_reads_a_stream_is_cut_off() -> None:
    async with house(Feed(bars=QUICK)) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port, limit=1024)
        writer.write(b"GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: len(at.hub._watchers) == 1)
        for _ in range(100):
            at.feed.happen(50, text="x" * 3000)
            await asyncio.sleep(0.001)
        await until(lambda: not at.hub._watchers)
        assert not reader.at_eof()
        writer.transport.abort()
