"""Limits: how much one client may ask for, and how it is told that it is too much."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from nodeflow.server.access import is_loopback
from nodeflow.server.problems import HttpError

_KNOWN = 4096
"""Clients that are remembered before those that ask for nothing are forgotten."""


@dataclass(frozen=True)
class Limits:
    """Budgets of a server, and of each client, which is one address.

    Attributes:
        json_body: Bytes of a JSON body.
        upload: Bytes of an uploaded file.
        depth: Levels of nesting in JSON.
        nodes: Nodes of a workflow, those inside of groups counted once for each call.
        in_flight: Requests of a client at one time.
        watching: Event streams of a client at one time.
        rate: Requests of a client per second in the long run; None for no limit.
        burst: Requests that may come at once before `rate` counts.
        loopback_rate: The same for this computer's own programs.
        head_seconds: Within so long the head of a request is there, else the connection ends.
        body_seconds: A body that brings nothing for so long has failed.
        body_rate: Bytes per second that a body brings, on average, after its first `body_seconds`.
        head_bytes: The longest line of a request's head.
        name_bytes: The longest part of a path between two `/`.
    """

    json_body: int = 64 << 20
    upload: int = 512 << 20
    depth: int = 100
    nodes: int = 50_000
    in_flight: int = 200
    watching: int = 1000
    rate: float | None = 100.0
    burst: int = 1000
    loopback_rate: float | None = None
    head_seconds: float = 30.0
    body_seconds: float = 20.0
    body_rate: int = 1024
    head_bytes: int = 8190
    name_bytes: int = 255

    def rate_of(self, client: str) -> float | None:
        """Requests per second that a client may send."""
        return self.loopback_rate if is_loopback(client) else self.rate


@dataclass(slots=True)
class _Client:
    tokens: float
    seen: float
    requests: int = 0
    streams: int = 0


@dataclass
class Clients:
    """What each client is asking for now, and how many requests it may still send."""

    limits: Limits
    clock: Callable[[], float] = time.monotonic
    _clients: dict[str, _Client] = field(default_factory=dict)

    @contextmanager
    def serving(self, name: str, *, stream: bool) -> Iterator[None]:
        """Count a request while it is answered.

        Args:
            name: The client's address.
            stream: It is answered for as long as the client listens.

        Raises:
            HttpError: 429, the client asks for too much.
        """
        client = self._client(name)
        self._take(name, client)
        most = self.limits.watching if stream else self.limits.in_flight
        if (client.streams if stream else client.requests) >= most:
            what = "event streams open" if stream else "requests under way"
            raise HttpError(
                429,
                f"Your address {name} has {most} {what}, which is the limit; "
                "wait until one of them is over.",
                headers={"Retry-After": "1"},
            )
        client.requests += not stream
        client.streams += stream
        try:
            yield
        finally:
            client.requests -= not stream
            client.streams -= stream

    def _client(self, name: str) -> _Client:
        found = self._clients.get(name)
        if found is None:
            if len(self._clients) >= _KNOWN:
                self._forget_idle()
            found = self._clients[name] = _Client(self.limits.burst, self.clock())
        return found

    def _take(self, name: str, client: _Client) -> None:
        rate = self.limits.rate_of(name)
        if rate is None:
            return
        now = self.clock()
        client.tokens = min(self.limits.burst, client.tokens + (now - client.seen) * rate)
        client.seen = now
        if client.tokens < 1:
            wait = math.ceil((1 - client.tokens) / rate)
            raise HttpError(
                429,
                f"Your address {name} sends more than {rate:g} requests a second; "
                f"go on in {wait} s.",
                headers={"Retry-After": str(wait)},
            )
        client.tokens -= 1

    def _forget_idle(self) -> None:
        """Whoever has been silent until its bucket was full again is as good as new."""
        now = self.clock()
        for name, client in list(self._clients.items()):
            rate = self.limits.rate_of(name)
            full = rate is None or client.tokens + (now - client.seen) * rate >= self.limits.burst
            if full and not client.requests and not client.streams:
                del self._clients[name]
