"""Watcher: a client that looks at events. What it wants, where it stands, what it has not read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

from nodeflow.server.frames import Wire

UNSENT_BYTES = 256 * 1024
"""What the system may hold for a client on top of what is on its way."""

REASON_BYTES = 123
"""The longest reason that a WebSocket close frame can have."""

HangUp = Callable[[int, str], None]
"""Ends the conversation with a close code and a reason, without waiting for the client."""


@dataclass(frozen=True)
class Want:
    """What a client asked for.

    Attributes:
        after: Number of the last event that it has; None for from now on.
        job: Only events of this job; empty for all.
        previews: Whether it wants pictures of unfinished work.
    """

    after: int | None = None
    job: str = ""
    previews: bool = False


class Watcher:
    """What the hub knows of one client.

    Args:
        transport: Is written to directly, since frames are the same for all.
        wire: How events look to it.
        hang_up: How its conversation ends.
        grace: Seconds that it has for reading the rest after it was told that nothing more comes.

    Attributes:
        position: Number of the last event that was written, or passed over, for it.
        shown: Stamp of the last preview that it was shown.
        over: Whether nothing more may be written.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        wire: Wire,
        want: Want,
        hang_up: HangUp,
        *,
        grace: float = 5.0,
    ) -> None:
        self.transport = transport
        self.wire = wire
        self.want = want
        self.job = want.job
        self.previews = want.previews
        self.position = 0
        self.shown = 0
        self.over = False
        self.ended = asyncio.Event()
        self._hang_up = hang_up
        self._grace = grace
        _hold_little(transport)

    @property
    def gone(self) -> bool:
        """Whether nothing can be written any more."""
        return self.over or self.transport.is_closing()

    @property
    def unread(self) -> int:
        """Bytes that were written and that the system has not taken yet."""
        try:
            return self.transport.get_write_buffer_size()
        except AttributeError:
            # A TLS transport that was closed twice has forgotten its buffer (Python 3.11).
            return 0

    def write(self, data: bytes) -> None:
        """Write a frame, if the client is still there."""
        if not self.gone:
            self.transport.write(data)

    def end(self, code: int, reason: str) -> None:
        """Tell the client that nothing more comes, and cut it off if it does not read even that."""
        if self.over:
            return
        self.finish()
        self._hang_up(code, reason.encode()[:REASON_BYTES].decode(errors="ignore"))

    def finish(self) -> None:
        """Write no more; what the client has not read after the grace is dropped."""
        if self.over:
            return
        self.over = True
        self.ended.set()
        if self.unread or not self.transport.is_closing():
            asyncio.get_running_loop().call_later(self._grace, self.transport.abort)


def _hold_little(transport: asyncio.Transport) -> None:
    # The system would take megabytes for a client that reads slowly, and previews would wait
    # behind all of that. Linux and macOS can be told; elsewhere it only works less well.
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    sock = transport.get_extra_info("socket")
    if option is not None and sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
