"""Tail: the events of a server in order, without a gap, over as many connections as it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nodeflow.client.calls import Call
from nodeflow.job_events import JobFinished, JobRemoved

ServerEvent = Mapping[str, Any]
"""An event as the server sends it: `{"seq", "time", "event", "job", ...}`; see `docs/server.md`."""

SILENCE = 60.0
"""Seconds without a byte after which a stream counts as lost; a server sends a comment earlier."""

GAP = "gap"
"""Name of an event that only clients have: the server no longer keeps some that came before."""

_LAST = (JobFinished.event, JobRemoved.event)


class Tail:
    """Reads Server-Sent Events from pieces of text; does no input or output itself.

    Of their fields only `data` is needed: a server writes each event on one such line, as JSON that
    holds its `seq` and its name.

    Attributes:
        after: The last `seq` that was read, from which it goes on; None until one is known.
        job: The only job that matters, or empty for all.
        over: The job's last event was read.
    """

    def __init__(self, after: int | None = None, job: str = "") -> None:
        self.after = after
        self.job = job
        self.over = False
        self._rest = ""

    def connect(self) -> Call:
        """The request that begins, or goes on after what was read; half a line is forgotten."""
        self._rest = ""
        query: dict[str, str | int | list[str]] = {}
        if self.after is not None:
            query["after"] = self.after
        if self.job:
            query["job"] = self.job
        return Call("GET", "/api/events", query, headers={"Accept": "text/event-stream"})

    def feed(self, text: str) -> list[ServerEvent]:
        """The events that are whole now."""
        # Not `splitlines`: JSON may hold characters that it takes for line ends.
        *lines, self._rest = (self._rest + text).split("\n")
        found: list[ServerEvent] = []
        for line in lines:
            if line.startswith("data:"):
                found += self._read(json.loads(line[5:]))
                if self.over:
                    break
        return found

    def _read(self, data: Mapping[str, Any]) -> list[ServerEvent]:
        if "event" not in data:
            return self._open(data)
        seq = data.get("seq")
        if seq is not None:
            if self.after is not None and seq <= self.after:
                return []
            self.after = seq
        self.over = bool(self.job) and data.get("job") == self.job and data["event"] in _LAST
        return [data]

    def _open(self, facts: Mapping[str, Any]) -> list[ServerEvent]:
        """What the server says first: where it begins, and whether it has all that we lack."""
        gap = bool(facts.get("gap"))
        if self.after is None:
            self.after = facts["after"]
        elif gap and facts["last"] < self.after:
            # Fewer events than we have seen: its journal was replaced, and counts anew.
            self.after = facts["last"]
        return [{"event": GAP, **facts}] if gap and not self.job else []
