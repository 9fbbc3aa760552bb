"""Sender: events of one run, one at a time whatever thread they come from."""

from __future__ import annotations

import threading

from nodeflow.events import Emit, Event
from nodeflow.runs.console import silent


class Sender:
    """Sends events to `sink`, if there is one."""

    def __init__(self, sink: Emit | None) -> None:
        self._sink = sink
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        if self._sink is not None:
            # Who listens may print: that is not the node's, and would wait here for itself.
            with self._lock, silent():
                self._sink(event)
