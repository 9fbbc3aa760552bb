"""Progress and previews: the newest only, to those who want them, never in anybody's way."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from nodeflow.server.hub import Hub
from nodeflow.worker.messages import Preview
from tests.server.hub_tools import (
    PATIENCE,
    QUICK,
    Feed,
    events,
    frames,
    house,
    numbers,
    read_all,
    until,
)


def step(hub: Hub, number: int, node: str = "sampler", job: str = "a") -> None:
    event = {"event": "node_progress", "job": job, "node": node, "step": number, "total": 99}
    hub.progress(job, event)


def picture(number: int, node: str = "sampler", job: str = "a", size: int = 10) -> Preview:
    return Preview(job, node, "image/jpeg", bytes([number]) * size)


def shown(message: aiohttp.WSMessage) -> tuple[dict[str, Any], bytes]:
    """Head and picture of a preview."""
    assert message.type is WSMsgType.BINARY, message
    length = int.from_bytes(message.data[:4])
    return json.loads(message.data[4 : 4 + length]), message.data[4 + length :]


async def test_of_many_steps_between_two_frames_only_the_newest_is_sent() -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        for number in range(1000):
            step(at.hub, number)
            step(at.hub, number, node="decoder")
        frame = await watching.receive_json(timeout=PATIENCE)
        assert [(event["node"], event["step"]) for event in frame["events"]] == [
            ("sampler", 999),
            ("decoder", 999),
        ]
        assert all("seq" not in event for event in frame["events"])


async def test_steps_over_time_come_in_few_frames_and_the_last_one_always() -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        for number in range(200):
            step(at.hub, number)
            await asyncio.sleep(0.001)
        seen = [-1]
        while seen[-1] < 199:
            frame = await watching.receive_json(timeout=PATIENCE)
            seen += [event["step"] for event in frame["events"]]
        assert seen == sorted(set(seen))
        assert len(seen) < 60


async def test_who_comes_in_the_middle_sees_how_far_things_are() -> None:
    async with house(Feed()) as at:
        step(at.hub, 7)
        step(at.hub, 3, job="b")
        watching = await at.joined(job="b")
        frame = await watching.receive_json(timeout=PATIENCE)
        assert [(event["job"], event["step"]) for event in frame["events"]] == [("b", 3)]


async def test_of_a_node_that_is_done_or_a_job_that_is_over_no_progress_is_told() -> None:
    async with house(Feed()) as at:
        step(at.hub, 1)
        step(at.hub, 1, node="decoder")
        step(at.hub, 1, job="b")
        step(at.hub, 1, job="c")
        at.feed.happen(1, "node_finished", "a", node="sampler")
        at.feed.happen(1, "node_failed", "c", node="sampler")
        at.hub.forget("b")
        watching = await at.joined()
        frame = await watching.receive_json(timeout=PATIENCE)
        assert [(event["job"], event["node"]) for event in frame["events"]] == [("a", "decoder")]


async def test_previews_go_only_to_those_who_want_them_and_only_the_newest() -> None:
    async with house(Feed()) as at:
        plain = await at.joined()
        wanting = await at.joined(previews=1)
        for number in range(50):
            at.hub.preview(picture(number))
            at.hub.preview(picture(number, job="b"))
        heads = [shown(await wanting.receive(timeout=PATIENCE)) for _ in range(2)]
        assert heads == [
            ({"job": job, "node": "sampler", "media_type": "image/jpeg"}, bytes([49]) * 10)
            for job in "ab"
        ]
        at.feed.happen()
        assert (await plain.receive(timeout=PATIENCE)).type is WSMsgType.TEXT
        assert (await wanting.receive(timeout=PATIENCE)).type is WSMsgType.TEXT


async def test_a_watcher_of_one_job_sees_previews_of_that_job_only() -> None:
    async with house(Feed()) as at:
        wanting = await at.joined(previews=1, job="b")
        at.hub.preview(picture(1, job="a"))
        at.hub.preview(picture(2, job="b"))
        assert shown(await wanting.receive(timeout=PATIENCE))[1] == bytes([2]) * 10


async def test_the_worker_is_told_whether_anybody_wants_previews() -> None:
    told: list[bool] = []
    async with house(Feed()) as at:
        at.hub.on_watched = told.append
        first = await at.joined(previews=1)
        second = await at.joined()
        assert (told, at.hub.watched) == ([True], True)
        await first.close()
        await until(lambda: told == [True, False])
        at.hub.preview(picture(1))
        await second.send_json({"previews": True})
        await until(lambda: told == [True, False, True])
        at.hub.preview(picture(2))
        assert shown(await second.receive(timeout=PATIENCE))[1] == bytes([2]) * 10
        await second.send_json({"previews": False})
        await until(lambda: not at.hub.watched)
        at.hub.preview(picture(3))
        at.feed.happen()
        assert (await second.receive(timeout=PATIENCE)).type is WSMsgType.TEXT


async def test_previews_wait_for_who_does_not_read_and_then_only_the_newest_comes() -> None:
    bars = replace(QUICK, high=10 << 20, patience=60.0)
    async with house(Feed(bars=bars)) as at:
        slow = await at.raw(previews=1)
        (watcher,) = at.hub._watchers
        for number in range(200):
            at.hub.preview(picture(number, size=200_000))
            await asyncio.sleep(0.001)
            at.hub.preview(picture(number, node="decoder", size=20_000))
            await asyncio.sleep(0.02 if number % 20 == 0 else 0)
        await until(lambda: watcher.unread > bars.preview)
        assert watcher.unread < 500_000
        reading = asyncio.create_task(read_all(slow))
        await until(lambda: watcher.shown == at.hub._previews.stamp)
        await until(lambda: watcher.unread == 0)
        await at.hub.close()
        pictures = [payload for kind, payload in frames(await reading) if kind == 2]
        slow.close()
        assert {payload[-1] for payload in pictures[-2:]} == {199}
        assert len(pictures) < 100


async def test_kept_events_are_not_held_up_by_progress() -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        for number in range(300):
            step(at.hub, number)
            at.feed.happen(1, "node_log")
            await asyncio.sleep(0)
        assert numbers(await events(watching, 300)) == list(range(1, 301))
