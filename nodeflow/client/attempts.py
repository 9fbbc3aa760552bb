"""Attempts: whether and when a call whose connection was lost is tried again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from nodeflow.client.calls import Reply
from nodeflow.client.errors import ServerUnreachable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
_BUSY = (429, 503)


@dataclass
class Link:
    """What a client knows of its server.

    Attributes:
        patience: Seconds that a server which was there may be away, to be started again.
        met: It has answered before. Who never answered is not waited for.
    """

    url: str
    patience: float
    met: bool = False


class Attempts:
    """The attempts at one call or one stream.

    Args:
        again: Whether it may be sent again although the server may have got it.
        stream: Silence means a lost connection, as a living server says something.
    """

    def __init__(self, link: Link, *, again: bool, stream: bool = False) -> None:
        self._link = link
        self._again = again
        self._stream = stream
        self._pause = _FIRST_PAUSE
        self._until = 0.0

    def heard(self, events: Sequence[object]) -> None:
        """A stream said something, so the server's next absence is a new one."""
        self._until = 0.0
        if events:
            self._pause = _FIRST_PAUSE

    def ended(self) -> float:
        """Seconds until a stream that the server closed is asked for again."""
        return self._next_pause()

    def failed(self, error: httpx2.TransportError) -> float:
        """Seconds until the next attempt.

        Raises:
            ServerUnreachable: There is none.
        """
        unsent = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
        silent = isinstance(error, httpx2.TimeoutException) and not unsent and not self._stream
        worth = self._link.met if unsent else self._again and _may_pass(error)
        if silent or not worth or self._out_of_patience():
            raise _unreachable(self._link.url, error, unsent) from error
        return self._next_pause()

    def answered(self, reply: Reply) -> float | None:
        """Seconds until a busy server is asked again; None if the answer is the answer."""
        self._link.met = True
        wait = reply.headers.get("retry-after", "")
        if reply.status not in _BUSY or not wait.isdecimal() or self._out_of_patience():
            return None
        return max(self._next_pause(), min(float(wait), _LONGEST_PAUSE * 5))

    def _next_pause(self) -> float:
        pause = self._pause
        self._pause = min(_LONGEST_PAUSE, pause * 2)
        return pause

    def _out_of_patience(self) -> bool:
        now = time.monotonic()
        self._until = self._until or now + self._link.patience
        return now >= self._until


def _may_pass(error: httpx2.TransportError) -> bool:
    return isinstance(
        error, httpx2.NetworkError | httpx2.RemoteProtocolError | httpx2.TimeoutException
    )


def _unreachable(url: str, error: httpx2.TransportError, unsent: bool) -> ServerUnreachable:
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx2.TimeoutException) and not unsent:
        sentence = f"The server at {url} did not answer in time; a larger timeout waits longer."
    elif unsent:
        sentence = (
            f"There is no server at {url} ({reason}). Start one with `nodeflow serve`, "
            "or name another with --server or NODEFLOW_SERVER."
        )
    else:
        sentence = f"The connection to the server at {url} was lost ({reason})."
    return ServerUnreachable(url, sentence)
