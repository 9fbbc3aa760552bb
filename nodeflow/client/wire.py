"""Wire: how calls become requests of httpx2, for both connections; nothing is sent here."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx2

import nodeflow
from nodeflow.client.address import Address
from nodeflow.client.attempts import Attempts, Link
from nodeflow.client.calls import Call, Reply
from nodeflow.client.tail import SILENCE

TIMEOUT = 90.0
"""Seconds that a server may take to answer, if the user says nothing else: more than the minute
that it waits itself for packs that were never read."""

PATIENCE = 60.0
"""Seconds for which a server that was there may be away, if the user says nothing else."""


class Wire:
    """What the sync and the async connection share.

    Args:
        timeout: Seconds that the server may take to answer.
        patience: See `Link`.
    """

    def __init__(self, address: Address, timeout: float, patience: float) -> None:
        self.address = address
        self.link = Link(address.url, patience)
        self._timeout = httpx2.Timeout(timeout, connect=min(timeout, 10.0))

    def options(self) -> dict[str, Any]:
        """What both clients of httpx2 are made with."""
        headers = {"User-Agent": f"nodeflow/{nodeflow.__version__}"}
        if self.address.token:
            headers["Authorization"] = f"Bearer {self.address.token}"
        return {
            "base_url": self.address.url,
            "headers": headers,
            "timeout": self._timeout,
            # A proxy cannot reach this machine's own loopback.
            "trust_env": not self.address.loopback,
            # Reading the certificates of the system takes longer than a request does.
            "verify": self.address.url.startswith("https:"),
        }

    def attempts(self, *, again: bool, stream: bool = False) -> Attempts:
        """The attempts at one call."""
        return Attempts(self.link, again=again, stream=stream)

    def listening(self, deadline: Deadline) -> httpx2.Timeout:
        """How long a stream may be silent."""
        left = deadline.left()
        silence = SILENCE if left is None else min(SILENCE, left)
        return httpx2.Timeout(**(self._timeout.as_dict() | {"read": silence}))


@dataclass(frozen=True)
class Deadline:
    """When to stop waiting, by the monotonic clock; None for never."""

    at: float | None = None

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        return cls(None if seconds is None else time.monotonic() + seconds)

    def left(self) -> float | None:
        """Seconds, more than none."""
        return None if self.at is None else max(0.001, self.at - time.monotonic())

    def check(self) -> None:
        """Raise TimeoutError if it is past."""
        if self.at is not None and time.monotonic() >= self.at:
            raise TimeoutError


def arguments(call: Call) -> dict[str, Any]:
    """A call without its body, as httpx2 takes it."""
    return {
        "method": call.method,
        "url": call.path,
        "params": dict(call.query) or None,
        "headers": dict(call.headers),
    }


def reply_of(response: httpx2.Response) -> Reply:
    """A response that was read."""
    return Reply(response.status_code, dict(response.headers), response.content)
