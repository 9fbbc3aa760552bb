"""A client that does not read costs nobody anything but itself."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace

import pytest

from nodeflow.server.watcher import UNSENT_BYTES
from tests.server.hub_tools import (
    PATIENCE,
    QUICK,
    Feed,
    events,
    frames,
    house,
    kept,
    numbers,
    read_all,
    until,
)

LONG = "x" * 2000


async def test_who_never_reads_holds_up_nobody_and_is_cut_off() -> None:
    async with house(Feed(bars=QUICK)) as at:
        stuck = await at.raw()
        (watcher,) = at.hub._watchers
        watching = await at.joined()
        for _ in range(100):
            at.feed.happen(50, text=LONG)
            await asyncio.sleep(0.001)
        assert numbers(await events(watching, 5000)) == list(range(1, 5001))
        await until(lambda: len(at.hub._watchers) == 1)
        at.feed.happen()
        assert numbers(await events(watching, 5001)) == [5001]
        await until(lambda: watcher.unread == 0, QUICK.grace + 5)
        stuck.close()


async def test_what_is_held_for_who_never_reads_has_a_bound() -> None:
    async with house(Feed(bars=replace(QUICK, patience=60.0))) as at:
        stuck = await at.raw()
        (watcher,) = at.hub._watchers
        largest = 0
        for _ in range(200):
            at.feed.happen(20, text=LONG)
            await asyncio.sleep(0.001)
            largest = max(largest, watcher.unread)
        assert watcher in at.hub._behind
        assert QUICK.low < largest < 3 * QUICK.high
        stuck.close()


async def test_who_reads_too_late_is_told_where_to_resume_and_misses_nothing() -> None:
    feed = Feed([kept(1)], bars=replace(QUICK, grace=20.0), ring=100)
    async with house(feed) as at:
        stuck = await at.raw(after=0)
        at.feed.happen(3000, text=LONG)
        (watcher,) = at.hub._watchers
        await until(lambda: watcher.over)
        *texts, (kind, goodbye) = frames(await read_all(stuck))
        stuck.close()
        assert kind == 8
        assert int.from_bytes(goodbye[:2]) == 4008
        reason = goodbye[2:].decode()
        seen = numbers([event for _, text in texts for event in json.loads(text)["events"]])
        assert seen == list(range(1, len(seen) + 1))
        assert reason == f"resume from {seen[-1]}"
        again = await at.joined(after=int(reason.rpartition(" ")[2]))
        assert seen + numbers(await events(again, 3001)) == list(range(1, 3002))


async def test_who_falls_too_far_behind_is_ended_without_further_patience() -> None:
    async with house(Feed(bars=replace(QUICK, patience=3600.0, behind=2000))) as at:
        stuck = await at.raw()
        (watcher,) = at.hub._watchers
        for _ in range(100):
            at.feed.happen(50, text=LONG)
            await asyncio.sleep(0.001)
        await until(lambda: watcher.over)
        assert watcher.position < 5000 - 2000
        stuck.close()


async def test_a_long_history_is_no_reason_to_be_ended() -> None:
    old = [kept(number, text=LONG) for number in range(1, 4001)]
    async with house(Feed(old, bars=replace(QUICK, behind=1000, patience=60.0), ring=50)) as at:
        slow = await at.raw(after=0)
        (watcher,) = at.hub._watchers
        await until(lambda: watcher.unread > QUICK.low)
        await asyncio.sleep(0.1)
        assert not watcher.over
        assert watcher.position < 3000
        reading = asyncio.create_task(read_all(slow))
        await until(lambda: watcher in at.hub._live and watcher.unread == 0)
        await at.hub.close()
        assert len(frames(await reading)) > 80
        slow.close()


async def test_who_pauses_and_reads_on_catches_up_and_is_live_again() -> None:
    async with house(Feed(bars=replace(QUICK, patience=60.0), ring=100)) as at:
        slow = await at.raw()
        (watcher,) = at.hub._watchers
        for _ in range(100):
            at.feed.happen(20, text=LONG)
            await asyncio.sleep(0.001)
        await until(lambda: watcher in at.hub._behind)
        reading = asyncio.create_task(read_all(slow))
        await until(lambda: watcher in at.hub._live)
        at.feed.happen(7)
        await until(lambda: watcher.unread == 0)
        await at.hub.close()
        found = frames(await reading)
        slow.close()
        texts = [json.loads(text) for kind, text in found if kind == 1]
        assert numbers([event for text in texts for event in text["events"]]) == list(
            range(1, 2008)
        )
        assert found[-1][0] == 8


async def test_many_that_come_back_at_once_all_get_their_history() -> None:
    async with house(Feed([kept(number) for number in range(1, 2001)], ring=10)) as at:
        watchers = [await at.joined(after=number) for number in range(0, 1000, 50)]
        at.feed.happen(3)
        found = await asyncio.gather(*(events(watching, 2003) for watching in watchers))
        for number, seen in zip(range(0, 1000, 50), found, strict=True):
            assert numbers(seen) == list(range(number + 1, 2004))


async def test_a_server_with_a_stuck_client_stops_within_its_grace() -> None:
    async with house(Feed(bars=replace(QUICK, patience=60.0))) as at:
        stuck = await at.raw()
        at.feed.happen(3000, text=LONG)
        (watcher,) = at.hub._watchers
        await until(lambda: watcher.unread > QUICK.low)
        async with asyncio.timeout(PATIENCE):
            await at.hub.close()
        assert watcher.transport.is_closing()
        assert watcher.unread == 0
        stuck.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="the system has no such limit")
async def test_the_system_is_told_to_hold_little_for_a_watcher() -> None:
    async with house(Feed()) as at:
        await at.joined()
        (watcher,) = at.hub._watchers
        sock = watcher.transport.get_extra_info("socket")
        held = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
        assert held == UNSENT_BYTES
