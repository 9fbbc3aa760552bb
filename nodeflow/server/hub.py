"""Hub: sends events to whoever watches, in order, each once, without waiting for anybody.

A watcher is a position in the sequence of events. Those that stand at its end are live: one frame
is made for all of them and written to each. The others are behind: they join late, or do not read
what was written. They catch up from the ring or the journal, one chunk at a time, and become live
when they have all that was sent. So nothing is queued for anyone but what a socket holds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from nodeflow.errors import NodeflowError
from nodeflow.journal.records import Kept
from nodeflow.server.catching_up import Bars, Patience, Read, Replay
from nodeflow.server.frames import Entry, Wire, preview_frame
from nodeflow.server.latest import Latest
from nodeflow.server.pace import Pace, Urgency
from nodeflow.server.problems import HttpError
from nodeflow.server.ring import Ring
from nodeflow.server.watcher import Watcher
from nodeflow.worker.messages import Preview

logger = logging.getLogger(__name__)

Bounds = Callable[[], tuple[int, int]]
"""Numbers of the oldest event in the journal, or one after the last if it has none, and of the
last."""

RESUME = 4008
"""Close code for a watcher that does not read; the reason says where to go on."""

STOPS = 1001
BROKEN = 1011

MOST_EVENTS = 1_000
MOST_BYTES = 1 << 19
"""What one broadcast carries at most; if there is more, everybody catches up at leisure."""

PAUSE_SECONDS = 0.02
"""How often the buffer of a watcher that does not read is looked at."""

SHOW_SECONDS = 0.25
"""When a preview is offered again to a watcher that had not read what came before."""


class Hub:
    """Knows all watchers; everything here happens on the event loop.

    Args:
        read: Reads events that are no longer in the ring.
        bounds: What the journal has; called here, and in a thread if somebody wants old events.
        ring: How many events are kept in memory.

    Attributes:
        watched: Whether anybody wants previews.
        on_watched: Told when that changes.
    """

    def __init__(
        self, read: Read, bounds: Bounds, *, bars: Bars | None = None, ring: int = 10_000
    ) -> None:
        self.watched = False
        self.on_watched: Callable[[bool], None] = lambda watched: None
        self.bars = bars or Bars()
        self._bounds = bounds
        self._ring = Ring(bounds()[1], ring)
        self._replay = Replay(self._ring, read, self.bars)
        # Every live watcher has the events and the progress up to here.
        self._sent = self._ring.last
        self._told = 0
        self._progress = Latest[Mapping[str, Any]]()
        self._previews = Latest[bytes]()
        self._watchers: set[Watcher] = set()
        self._live: dict[Watcher, None] = {}
        self._behind: dict[Watcher, asyncio.Task[None]] = {}
        self._pace = Pace()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    # What happens.

    def publish(self, events: Sequence[Kept]) -> None:
        """Events that are safe in the journal, in order."""
        self._ring.extend(Entry.of(kept) for kept in events)
        urgency = Urgency.KEPT
        for kept in events:
            if kept.event == "job_finished":
                urgency = Urgency.LAST
            elif kept.event in ("node_finished", "node_failed"):
                self._node_over(kept)
        self._wake(urgency)

    def progress(self, job: str, event: Mapping[str, Any]) -> None:
        """How far a node is; replaces what it said before."""
        self._progress.put(job, str(event.get("node", "")), event)
        self._wake(Urgency.PASSING)

    def preview(self, preview: Preview) -> None:
        """A look at what a node makes; replaces the one before."""
        if self.watched:
            self._previews.put(preview.job, preview.node, preview_frame(preview))
            self._wake(Urgency.PASSING)

    def forget(self, job: str) -> None:
        """A job is over, or starts anew: nothing of it is under way any more."""
        self._progress.forget(job)
        self._previews.forget(job)

    def _node_over(self, kept: Kept) -> None:
        if self._progress or self._previews:
            node = json.loads(kept.text).get("node", "")
            self._progress.drop(kept.job, node)
            self._previews.drop(kept.job, node)

    # Who watches.

    def admit(self) -> None:
        """Refuse whoever wants to watch if the server cannot have one more.

        Raises:
            HttpError: 503, with a sentence.
        """
        if self._closed:
            raise HttpError(503, "The server stops; connect again when it is back.")
        if len(self._watchers) >= self.bars.watchers:
            raise HttpError(
                503,
                f"{self.bars.watchers} clients watch events already; close one of them, or ask "
                "'/api/jobs' now and then.",
                headers={"Retry-After": "10"},
            )

    async def join(self, watcher: Watcher) -> None:
        """Send a watcher what it has missed and, from then on, all that happens."""
        after = watcher.want.after
        gap = after is not None and await self._misses(after)
        last = self._sent
        watcher.position = last if after is None or after > last else after
        facts: dict[str, Any] = {"after": last if after is None else after, "last": last}
        watcher.write(
            watcher.wire.opening(watcher.position, facts | ({"gap": True} if gap else {}))
        )
        self._watchers.add(watcher)
        if self._closed:
            watcher.end(STOPS, "The server stops.")
        elif watcher.position == last:
            self._go_live(watcher)
        else:
            self._fall_behind(watcher)
        self._look_who_watches()

    def leave(self, watcher: Watcher) -> None:
        """A client is gone, or is to go."""
        watcher.finish()
        self._watchers.discard(watcher)
        self._live.pop(watcher, None)
        if (task := self._behind.pop(watcher, None)) is not None:
            task.cancel()
        self._look_who_watches()

    def show_previews(self, watcher: Watcher, wanted: bool) -> None:
        """Whether a watcher wants previews from now on."""
        watcher.previews = wanted
        self._look_who_watches()
        self._wake(Urgency.PASSING)

    async def close(self) -> None:
        """Send what is left, say goodbye to all, and wait a moment for those who read slowly."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._broadcast()
        for task in tuple(self._behind.values()):
            task.cancel()
        leaving = tuple(self._watchers)
        for watcher in leaving:
            watcher.end(STOPS, "The server stops.")
        loop = asyncio.get_running_loop()
        until = loop.time() + self.bars.grace
        while loop.time() < until and (
            self._watchers or any(watcher.unread for watcher in leaving)
        ):
            await asyncio.sleep(PAUSE_SECONDS / 2)
        for watcher in leaving:
            if watcher.unread or watcher in self._watchers:
                watcher.transport.abort()

    async def _misses(self, after: int) -> bool:
        """Whether events after a number are not here any more, or never were."""
        if after > self._sent:
            return True
        if self._ring.covers(after):
            return False
        oldest, _last = await asyncio.to_thread(self._bounds)
        return after + 1 < oldest

    def _look_who_watches(self) -> None:
        watched = any(watcher.previews for watcher in self._watchers)
        if watched != self.watched:
            self.watched = watched
            self.on_watched(watched)

    # What is written when.

    def _wake(self, urgency: Urgency) -> None:
        if self._closed:
            return
        if not self._live:
            self._sent, self._told = self._ring.last, self._progress.stamp
            return
        loop = asyncio.get_running_loop()
        self._wake_at(self._pace.due(urgency, loop.time()))

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._tick)

    def _tick(self) -> None:
        self._timer = None
        began = time.thread_time()
        self._broadcast()
        # What it cost this thread: an interruption by another process is not the watchers' doing.
        cost = time.thread_time() - began
        now = asyncio.get_running_loop().time()
        self._pace.took(now, cost)
        if not self._show():
            self._wake_at(now + SHOW_SECONDS)

    def _broadcast(self) -> None:
        before, self._sent = self._sent, self._ring.last
        passing, self._told = self._progress.newer(self._told), self._progress.stamp
        entries = self._ring.between(before, self._sent, MOST_EVENTS, MOST_BYTES)
        end = entries[-1].seq if entries else before
        if end < self._sent or not self._ring.covers(before):
            for watcher in tuple(self._live):
                watcher.position = before
                self._fall_behind(watcher)
            return
        entries += [Entry.passing(news.value, news.job) for news in passing]
        frames: dict[tuple[Wire, str], bytes] = {}
        for watcher in tuple(self._live):
            view = (watcher.wire, watcher.job)
            frame = frames.get(view)
            if frame is None:
                frame = frames[view] = _frame(entries, *view)
            if frame:
                watcher.write(frame)
                if watcher.unread > self.bars.high:
                    watcher.position = self._sent
                    self._fall_behind(watcher)

    def _show(self) -> bool:
        """Show new previews; whether everybody had read enough to see theirs."""
        everybody = True
        for watcher in self._live:
            if not watcher.previews or watcher.shown == self._previews.stamp:
                continue
            for news in self._previews.newer(watcher.shown):
                if watcher.unread > self.bars.preview:
                    everybody = False
                    break
                watcher.shown = news.stamp
                if watcher.job in ("", news.job):
                    watcher.write(news.value)
        return everybody

    def _go_live(self, watcher: Watcher) -> None:
        self._live[watcher] = None
        under_way = [Entry.passing(news.value, news.job) for news in self._progress.newer(0)]
        if frame := _frame(under_way, watcher.wire, watcher.job):
            watcher.write(frame)
        if watcher.previews:
            self._wake(Urgency.PASSING)

    def _fall_behind(self, watcher: Watcher) -> None:
        self._live.pop(watcher, None)
        task = asyncio.get_running_loop().create_task(self._catch_up(watcher))
        self._behind[watcher] = task
        task.add_done_callback(partial(self._caught_up, watcher))

    async def _catch_up(self, watcher: Watcher) -> None:
        loop = asyncio.get_running_loop()
        patience = Patience(self.bars, self._sent - watcher.position)
        while not watcher.gone:
            if watcher.unread > self.bars.low:
                lag = self._sent - watcher.position
                if patience.is_lost(watcher.unread, lag, loop.time()):
                    watcher.end(RESUME, f"resume from {watcher.position}")
                # Looking is cheaper than it seems, and leaves aiohttp's own drain waiters alone.
                await asyncio.sleep(PAUSE_SECONDS)
            elif watcher.position < self._sent:
                patience.read()
                await self._replay.next(watcher, self._sent)
            else:
                self._behind.pop(watcher, None)
                self._go_live(watcher)
                return

    def _caught_up(self, watcher: Watcher, task: asyncio.Task[None]) -> None:
        if self._behind.get(watcher) is task:
            del self._behind[watcher]
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        logger.error("Events could not be read for a client.", exc_info=error)
        known = isinstance(error, NodeflowError)
        watcher.end(BROKEN, str(error) if known else "The server could not read its journal.")


def _frame(entries: Sequence[Entry], wire: Wire, job: str) -> bytes:
    """What watchers of one kind get; empty if it is nothing."""
    chosen = [entry for entry in entries if entry.job == job] if job else entries
    return wire.events(chosen) if chosen else b""
