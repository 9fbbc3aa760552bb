"""Outbox: what a worker has to tell, gathered for a moment and sent in few frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nodeflow.events import Event, NodePreview, NodeProgress
from nodeflow.worker.messages import Happened, Message, Preview

GATHER_SECONDS = 0.01
"""What happens meanwhile goes out together."""

PATIENCE = 100
"""So often the outbox is looked into though nothing came, before its thread goes to sleep."""


class Outbox:
    """Keeps the order, and of progress and previews only the newest of each node.

    A thread looks in every few milliseconds: to wake it for each event would cost a short job more
    than its work. `flush` sends at once.

    Args:
        send: Sends messages in one piece; may wait for the server to read.
    """

    def __init__(self, send: Callable[..., None]) -> None:
        self._send = send
        self._waiting: list[Message | Event] = []
        self._sending = threading.Lock()
        self._awake = threading.Event()
        threading.Thread(target=self._look, name="to the server", daemon=True).start()

    def put(self, item: Message | Event) -> None:
        """Send a message, or an event of a run, after all that was put before."""
        self._waiting.append(item)
        if not self._awake.is_set():
            self._awake.set()

    def flush(self) -> bool:
        """Send what waits; false if nothing did."""
        with self._sending:
            count = len(self._waiting)
            items = self._waiting[:count]
            # Not a new list: another thread may be about to append to this one.
            del self._waiting[:count]
            if items:
                self._send(*packed(items))
            return count > 0

    def _look(self) -> None:
        while True:
            self._awake.wait()
            vain = 0
            while vain < PATIENCE:
                time.sleep(GATHER_SECONDS)
                vain = 0 if self.flush() else vain + 1
            self._awake.clear()
            if self._waiting:  # put after the last look, by one who saw this thread awake
                self._awake.set()


def packed(items: Sequence[Message | Event]) -> list[Message]:
    """Messages for all items, in order; events between two messages share one."""
    messages: list[Message] = []
    frame: Happened | None = None
    for item in _newest(items):
        if isinstance(item, Message):
            messages.append(item)
            frame = None
            continue
        event = _of_job(item)
        if frame is None or frame.job != event["job"]:
            frame = Happened(event["job"], [])
            messages.append(frame)
        frame.events.append(event)
    return messages


def _newest(items: Sequence[Message | Event]) -> Iterator[Message | Event]:
    """All items but progress and previews that a later one of their node replaces."""
    last: dict[tuple[str, str, str], int] = {}
    for place, item in enumerate(items):
        if isinstance(item, NodeProgress | NodePreview):
            last[item.event, item.run, item.node] = place
    for place, item in enumerate(items):
        if isinstance(item, NodeProgress | NodePreview):
            if last[item.event, item.run, item.node] != place:
                continue
            if isinstance(item, NodePreview):
                yield Preview(item.run, item.node, item.media_type, item.picture)
                continue
        yield item


def _of_job(event: Event) -> dict[str, Any]:
    """An event of a run as an event of its job; they have the same id."""
    body = event.as_json()
    body["job"] = body.pop("run")
    return body
