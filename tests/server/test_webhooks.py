"""Webhooks: a receiver hears of every job once it listens, whatever happens in between."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from nodeflow.job_events import JobFinished, JobStarted
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Document, NewJob
from nodeflow.server import webhooks as module
from nodeflow.server.webhooks import PAUSES, Webhooks

KEY = b"0123456789abcdef0123456789abcdef"
SOON = (0.02, 0.05, 0.05)
FILE = {"digest": "d1", "name": "a.png", "media_type": "image/png", "size": 3}


@dataclass
class Receiver:
    """A real server that answers with the statuses it was given, the last one for ever."""

    statuses: list[int]
    url: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append((dict(request.headers), await request.read()))
        status = self.statuses[min(len(self.calls), len(self.statuses)) - 1]
        headers = {"Location": f"{self.url}/elsewhere"} if status in (301, 307) else {}
        self.called.set()
        return web.Response(status=status, headers=headers)

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.calls) < count:
                self.called.clear()
                await self.called.wait()


@contextlib.asynccontextmanager
async def receiver(*statuses: int) -> AsyncIterator[Receiver]:
    found = Receiver(list(statuses))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "journal")
    yield found
    found.close()


@contextlib.asynccontextmanager
async def at_work(hooks: Webhooks) -> AsyncIterator[Webhooks]:
    task = asyncio.create_task(hooks.run())
    try:
        yield hooks
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def ended_job(journal: Journal, url: str, name: str = "j1", status: str = "done") -> None:
    journal.submit([NewJob(name, "Cat", Document("d", "{}", nodes=1), webhook=url)]).result()
    journal.append([JobStarted(name, "worker")]).result()
    outputs = {"image": {"files": [FILE]}, "count": {"value": 3}}
    problem = "" if status == "done" else "Node 'a' failed."
    event = JobFinished(name, status, 1.5, outputs, problem=problem)  # type: ignore[arg-type]
    journal.finish(event).result()


async def until_none_is_due(journal: Journal) -> None:
    async with asyncio.timeout(10):
        while journal.deliveries(float("inf")):
            await asyncio.sleep(0.01)


async def test_a_receiver_that_fails_twice_hears_at_the_third_try(journal: Journal) -> None:
    async with receiver(500, 503, 204) as there:
        hooks = Webhooks(journal, KEY, private=True, pauses=SOON, base="https://me.example")
        async with at_work(hooks):
            ended_job(journal, f"{there.url}/done?x=1")
            hooks.wake()
            await there.wait(3)
            await until_none_is_due(journal)
    assert len(there.calls) == 3
    assert {headers["Webhook-Id"] for headers, _ in there.calls} == {"job_j1"}
    headers, body = there.calls[-1]
    content = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(KEY, content, hashlib.sha256)).decode()
    assert headers["Webhook-Signature"] == f"v1,{expected}"
    told = json.loads(body)
    assert (told["job"], told["status"], told["problem"]) == ("j1", "done", "")
    assert told["outputs"]["count"] == {"value": 3}
    assert told["outputs"]["image"]["files"][0]["url"] == "https://me.example/api/results/d1"
    assert headers["Content-Type"] == "application/json"


async def test_a_failed_job_is_told_of_with_its_sentence(journal: Journal) -> None:
    async with receiver(200) as there:
        ended_job(journal, there.url, status="failed")
        async with at_work(Webhooks(journal, KEY, private=True)):
            await there.wait(1)
            await until_none_is_due(journal)
    assert json.loads(there.calls[0][1])["problem"] == "Node 'a' failed."


async def test_a_call_that_is_due_survives_a_restart(tmp_path: Path) -> None:
    async with receiver(500, 200) as there:
        first = Journal(tmp_path / "journal")
        async with at_work(Webhooks(first, KEY, private=True, pauses=(0.3,))) as hooks:
            ended_job(first, there.url)
            hooks.wake()
            await there.wait(1)
            async with asyncio.timeout(10):
                while not [item for item in first.deliveries(float("inf")) if item.attempts]:
                    await asyncio.sleep(0.01)
        first.close()
        await asyncio.sleep(0.3)
        second = Journal(tmp_path / "journal")
        async with at_work(Webhooks(second, KEY, private=True)):
            await there.wait(2)
            await until_none_is_due(second)
        second.close()
    assert len(there.calls) == 2


@pytest.mark.parametrize(("status", "calls"), [(410, 1), (500, 4), (301, 4), (404, 4)])
async def test_who_will_not_listen_is_given_up(
    journal: Journal, status: int, calls: int, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = Webhooks(journal, KEY, private=True, pauses=SOON)
    async with receiver(status) as there, at_work(hooks):
        ended_job(journal, there.url)
        hooks.wake()
        await until_none_is_due(journal)
    # A redirect is never followed: every call came to the address that was given.
    assert len(there.calls) == calls
    assert "given up" in caplog.text


async def test_a_receiver_that_does_not_answer_does_not_hold_up_others(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        await _told_beside(journal, f"http://127.0.0.1:{port}/")
    assert [item.job for item in journal.deliveries(float("inf"))] == ["slow"]


async def _told_beside(journal: Journal, silent: str) -> None:
    async with receiver(200) as there:
        ended_job(journal, silent, "slow")
        ended_job(journal, there.url, "quick")
        async with at_work(Webhooks(journal, KEY, private=True)):
            async with asyncio.timeout(0.4):
                await there.wait(1)
            async with asyncio.timeout(5):
                while not any(item.attempts for item in journal.deliveries(float("inf"))):
                    await asyncio.sleep(0.02)


async def test_a_public_server_does_not_call_its_own_house(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiver(200) as there:
        ended_job(journal, there.url)
        async with at_work(Webhooks(journal, KEY, private=False, pauses=())):
            await until_none_is_due(journal)
    assert there.calls == []
    assert "private network" in caplog.text


async def test_many_calls_are_all_made_though_few_at_once(journal: Journal) -> None:
    async with receiver(200) as there:
        for number in range(30):
            ended_job(journal, there.url, f"j{number}")
        async with at_work(Webhooks(journal, KEY, private=True)):
            await there.wait(30)
            await until_none_is_due(journal)
    assert len({headers["Webhook-Id"] for headers, _ in there.calls}) == len(there.calls) == 30


def test_tries_go_on_for_most_of_a_day() -> None:
    assert PAUSES[:4] == (1, 5, 30, 300)
    assert sorted(PAUSES) == list(PAUSES)
    assert 20 * 3600 < sum(PAUSES) < 24 * 3600
