"""Events reach each watcher in order and once, whatever the watchers do."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiohttp import WSMsgType
from hypothesis import given, settings
from hypothesis import strategies as st

from nodeflow.errors import StoreError
from nodeflow.events import NodeFinished, NodeStarted
from nodeflow.server.catching_up import Bars
from tests.server.hub_tools import PATIENCE, Feed, House, events, house, kept, numbers


async def test_every_watcher_gets_every_event_once_and_in_order() -> None:
    async with house(Feed()) as at:
        watchers = [await at.joined() for _ in range(5)]
        for count in (1, 3, 200, 1):
            at.feed.happen(count)
            await asyncio.sleep(0.002)
        for watching in watchers:
            assert numbers(await events(watching, 205)) == list(range(1, 206))


async def test_who_does_not_say_where_to_begin_gets_what_happens_from_now_on() -> None:
    async with house(Feed([kept(number) for number in range(1, 8)])) as at:
        watching = await at.watch()
        assert await watching.receive_json() == {"events": [], "after": 7, "last": 7}
        at.feed.happen()
        assert numbers(await events(watching, 8)) == [8]


async def test_old_events_come_from_the_journal_and_then_from_memory() -> None:
    feed = Feed([kept(number) for number in range(1, 2001)], ring=100)
    async with house(feed) as at:
        at.feed.happen(500)
        watching = await at.watch(after=3)
        assert await watching.receive_json() == {"events": [], "after": 3, "last": 2500}
        at.feed.happen(5)
        assert numbers(await events(watching, 2505)) == list(range(4, 2506))
        assert feed.reads > 1


async def test_what_is_committed_and_not_published_yet_comes_once_and_later() -> None:
    async with house(Feed([kept(number) for number in range(1, 11)])) as at:
        early = [kept(number) for number in range(11, 16)]
        at.feed.journal += early
        watching = await at.joined(after=3)
        assert numbers(await events(watching, 10)) == list(range(4, 11))
        at.hub.publish(early)
        assert numbers(await events(watching, 15)) == list(range(11, 16))


async def test_what_memory_has_is_not_read_from_the_journal() -> None:
    async with house(Feed()) as at:
        at.feed.happen(3000)
        watching = await at.joined(after=0)
        assert len(await events(watching, 3000)) == 3000
        assert at.feed.reads == 0


@pytest.mark.parametrize(
    ("after", "gap", "first"),
    [
        pytest.param(3, True, 11, id="events after it are gone"),
        pytest.param(9, True, 11, id="one is gone"),
        pytest.param(10, False, 11, id="none is gone"),
        pytest.param(99, True, 21, id="it was never given"),
    ],
)
async def test_a_watcher_is_told_that_events_are_missing(after: int, gap: bool, first: int) -> None:
    old = [kept(number) for number in range(11, 21)]
    async with house(Feed(old)) as at:
        watching = await at.watch(after=after)
        opening = await watching.receive_json()
        said = {"gap": True} if gap else {}
        assert opening == {"events": [], "after": after, "last": 20} | said
        at.feed.happen()
        assert numbers(await events(watching, 21)) == list(range(first, 22))


async def test_a_watcher_of_one_job_gets_events_of_that_job_only() -> None:
    old = [kept(number, job="ab"[number % 2]) for number in range(1, 1001)]
    async with house(Feed(old, ring=10)) as at:
        watching = await at.joined(after=900, job="b")
        at.feed.happen(3, job="a")
        at.feed.happen(1, "queue_changed", job="", paused=True)
        at.hub.progress("a", {"event": "node_progress", "job": "a", "node": "n", "step": 1})
        at.feed.happen(1, job="b")
        found = await events(watching, 1005)
        assert numbers(found) == [*range(901, 1001, 2), 1005]
        assert {event["job"] for event in found} == {"b"}


async def test_a_flood_of_events_reaches_live_watchers_as_well() -> None:
    async with house(Feed(ring=300)) as at:
        watching = await at.joined()
        at.feed.happen(10)
        at.feed.happen(5000)
        at.feed.happen(10)
        assert numbers(await events(watching, 5020)) == list(range(1, 5021))


Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("happen"), st.integers(1, 30)),
        st.tuples(st.just("pause"), st.integers(0, 5)),
        st.tuples(st.just("cut"), st.integers(0, 40)),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(before=st.integers(0, 40), steps=STEPS, ring=st.integers(1, 30), chunk=st.integers(1, 9))
def test_any_points_of_disconnection_give_the_same_sequence(
    before: int, steps: list[Step], ring: int, chunk: int
) -> None:
    feed_bars = Bars(chunk=chunk, chunk_bytes=600)
    old = [kept(number) for number in range(1, before + 1)]

    async def play() -> tuple[list[int], int]:
        async with house(Feed(old, bars=feed_bars, ring=ring)) as at:
            seen: list[int] = []
            for step, size in [*steps, ("happen", 1)]:
                if step == "happen":
                    at.feed.happen(size)
                elif step == "pause":
                    await asyncio.sleep(size / 2000)
                else:
                    await look(at, seen, size)
            last = at.feed.bounds()[1]
            await look(at, seen, last)
            return seen, last

    seen, last = asyncio.run(play())
    assert len(seen) >= last
    assert seen == list(range(1, len(seen) + 1))


async def look(at: House, seen: list[int], count: int) -> None:
    """Read up to so many more events, while others happen, and break off at once."""
    last = at.feed.bounds()[1]
    watching = await at.joined(after=seen[-1] if seen else 0)
    wanted = min(len(seen) + count, last)
    while len(seen) < wanted:
        if len(seen) % 3 == 0 and count < 40 and at.feed.bounds()[1] < last + 20:
            at.feed.happen(2)
        frame = await watching.receive_json(timeout=PATIENCE)
        seen += numbers(frame["events"])
    assert watching._response.connection is not None
    transport = watching._response.connection.transport
    assert transport is not None
    transport.abort()


async def test_a_thousand_nodes_are_less_than_a_megabyte_for_a_watcher() -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        job = "0123456789abcdef" * 2
        for number in range(1000):
            node = f"upscale_{number}"
            new = "input 'image' is new"
            for event in (
                NodeStarted(job, node, "image.scale", new),
                NodeFinished(job, node, "ran", 0.123456, new, key="f0" * 32),
            ):
                body = event.as_json() | {"time": 1763884800.123456}
                del body["run"]
                at.feed.happen(1, body.pop("event"), job, **body)
            if number % 10 == 0:
                await asyncio.sleep(0)
        size, seen = 0, 0
        while seen < 2000:
            message = await watching.receive(timeout=PATIENCE)
            size += len(message.data) + 10
            seen = message.json()["events"][-1]["seq"]
        assert size <= 1 << 20


async def test_nobody_is_let_in_beyond_what_the_server_can_have() -> None:
    async with house(Feed(bars=replace(Bars(), watchers=1))) as at:
        watching = await at.joined()
        url = f"http://127.0.0.1:{at.port}/api/events"
        async with at.session.get(url) as refused:
            assert refused.status == 503
            assert "1 clients watch" in (await refused.json())["detail"]
        await watching.close()
        assert await at.joined()


async def test_a_server_that_stops_says_so_and_waits_for_nobody() -> None:
    async with house(Feed()) as at:
        watching = await at.joined()
        at.feed.happen(3)
        await at.hub.close()
        assert numbers(await events(watching, 3)) == [1, 2, 3]
        goodbye = await watching.receive(timeout=PATIENCE)
        assert (goodbye.type, goodbye.data) == (WSMsgType.CLOSE, 1001)
        assert goodbye.extra == "The server stops."


async def test_a_journal_that_cannot_be_read_ends_the_watcher_with_its_sentence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    feed = Feed([kept(number) for number in range(1, 9)])

    async def read(after: int, limit: int, job: str) -> list[object]:
        raise StoreError("The journal cannot be read: the disk is gone.")

    feed.hub._replay._read = read  # type: ignore[assignment]  # a disk that breaks
    async with house(feed) as at:
        watching = await at.joined(after=2)
        goodbye = await watching.receive(timeout=PATIENCE)
        assert (goodbye.data, goodbye.extra) == (
            1011,
            "The journal cannot be read: the disk is gone.",
        )
        assert "could not be read" in caplog.text
