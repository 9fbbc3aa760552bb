"""`/api/events` with the real journal behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from nodeflow.job_events import QueueChanged, WorkerChanged
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Kept
from nodeflow.server import events_api
from nodeflow.server.hub import Hub
from nodeflow.server.operation import MARK, Operation
from nodeflow.server.problems import problem_middleware
from nodeflow.server.state import STATE, State
from tests.server.hub_tools import PATIENCE, events, numbers


@dataclass
class Served:
    """A journal, the hub that it feeds, and where they are served."""

    journal: Journal
    url: str
    session: aiohttp.ClientSession

    async def pause(self, count: int) -> None:
        """So many events, committed."""
        changes = [QueueChanged(bool(number % 2)) for number in range(count)]
        await asyncio.wrap_future(self.journal.append(changes))


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Served]:
    journal = Journal(folder)
    loop = asyncio.get_running_loop()

    async def read(after: int, limit: int, job: str) -> list[Kept]:
        return await asyncio.to_thread(journal.events_after, after, limit, job)

    hub = Hub(read, journal.bounds, ring=50)

    def committed(kept: Sequence[Kept]) -> None:
        loop.call_soon_threadsafe(hub.publish, kept)

    async def close(app: web.Application) -> None:
        await hub.close()

    journal.committed = committed
    app = web.Application(middlewares=[problem_middleware])
    # The handler asks for the hub and nothing else.
    app[STATE] = cast("State", SimpleNamespace(hub=hub))
    app.add_routes(events_api.routes)
    app.on_shutdown.append(close)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/events"
    try:
        async with aiohttp.ClientSession() as session:
            yield Served(journal, url, session)
    finally:
        await runner.cleanup()
        await asyncio.to_thread(journal.close)


async def test_all_events_after_a_number_come_from_the_journal_and_then_live(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as at:
        await at.pause(1700)
        async with at.session.ws_connect(at.url, params={"after": 20}) as watching:
            await at.pause(1)
            found = await events(watching, 1701)
            assert numbers(found) == list(range(21, 1702))
            assert found[0]["event"] == "queue_changed"
            await asyncio.wrap_future(at.journal.append([WorkerChanged("cpu", "ready")]))
            (last,) = await events(watching, 1702)
            assert (last["worker"], last["state"], last["seq"]) == ("cpu", "ready", 1702)


async def test_after_a_restart_the_numbers_go_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as at:
        await at.pause(3)
    async with serving(tmp_path) as at, at.session.ws_connect(at.url + "?after=1") as watching:
        await at.pause(2)
        assert numbers(await events(watching, 5)) == [2, 3, 4, 5]


async def test_events_that_are_committed_while_watchers_come_reach_each_once(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as at:
        await at.pause(5)

        async def watch(after: int) -> list[int]:
            await asyncio.sleep(after / 500)
            async with at.session.ws_connect(at.url, params={"after": after}) as watching:
                return numbers(await events(watching, 305))

        looking = [asyncio.create_task(watch(after)) for after in range(6)]
        for _ in range(60):
            await at.pause(5)
        for after, task in enumerate(looking):
            assert await task == list(range(after + 1, 306))


async def test_without_an_upgrade_the_same_path_gives_server_sent_events(tmp_path: Path) -> None:
    async with serving(tmp_path) as at:
        await at.pause(4)
        headers = {"Last-Event-ID": "2"}
        async with at.session.get(at.url, params={"after": 0}, headers=headers) as answer:
            assert answer.content_type == "text/event-stream"
            async with asyncio.timeout(PATIENCE):
                text = await answer.content.readuntil(b"id: 4\n")
            assert [line for line in text.split(b"\n") if line.startswith(b"id: ")] == [
                b"id: 2",
                b"id: 3",
                b"id: 4",
            ]


@pytest.mark.parametrize(
    ("query", "headers", "named"),
    [
        ({"after": "soon"}, {}, "after"),
        ({"after": "-1"}, {}, "after"),
        ({"after": str(10**30)}, {}, "after"),
        ({"previews": "perhaps"}, {}, "previews"),
        ({"job": "x" * 300}, {}, "job"),
        ({}, {"Last-Event-ID": "zero"}, "Last-Event-ID"),
        ({"after": "x"}, {"Upgrade": "websocket", "Connection": "Upgrade"}, "after"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_with_a_sentence(
    tmp_path: Path, query: dict[str, str], headers: dict[str, str], named: str
) -> None:
    async with (
        serving(tmp_path) as at,
        at.session.get(at.url, params=query, headers=headers) as refused,
    ):
        assert refused.status == 400
        assert named in (await refused.json())["detail"]


async def test_only_get_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as at:
        for method in ("HEAD", "POST"):
            async with at.session.request(method, at.url) as refused:
                assert refused.status == 405


def test_the_operation_tells_of_both_ways_to_watch() -> None:
    marked: Any = getattr(events_api.watch_events, MARK)
    assert isinstance(marked, Operation)
    assert marked.answers[200].media_type == "text/event-stream"
    assert 101 in marked.answers
    assert marked.query is events_api.EventsQuery
