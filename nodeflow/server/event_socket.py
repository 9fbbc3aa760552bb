"""Event socket: a watcher that came by WebSocket, and the little that it may say."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from nodeflow.server.frames import WEB_SOCKET
from nodeflow.server.hub import Hub
from nodeflow.server.watcher import Want, Watcher

MESSAGE_BYTES = 4096
"""How long a message of a client may be."""

MESSAGES = 100
MESSAGES_SECONDS = 10.0
"""How many messages a client may send in how many seconds."""

HEARTBEAT_SECONDS = 30.0
"""How often a client that says nothing is asked whether it is still there."""

UNREADABLE = 'A message is no JSON object such as {"previews": true}.'

REASONS = {
    WSCloseCode.PROTOCOL_ERROR: "A frame breaks the rules of RFC 6455.",
    WSCloseCode.INVALID_TEXT: "A message is no UTF-8 text.",
    WSCloseCode.MESSAGE_TOO_BIG: f"A message may have {MESSAGE_BYTES} bytes; this one has more.",
}
"""What aiohttp finds out by itself, as sentences."""


class EventSocket(web.WebSocketResponse):
    """A WebSocket that never closes without a reason, and to which nothing is written after it."""

    def __init__(self) -> None:
        super().__init__(
            # aiohttp's parser counts a message that is just as long as this as too long.
            max_msg_size=MESSAGE_BYTES + 1,
            heartbeat=HEARTBEAT_SECONDS,
            # Frames are written past aiohttp, the same to all, so they cannot be compressed.
            compress=False,
            # Pings are counted like all that a client says.
            autoping=False,
            timeout=2.0,
        )
        self.watcher: Watcher | None = None
        self._endings: set[asyncio.Task[bool]] = set()

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        if self.watcher is not None:
            self.watcher.finish()
        reason = message or REASONS.get(WSCloseCode(code), "").encode()
        return await super().close(code=code, message=reason, drain=drain)

    def hang_up(self, code: int, reason: str) -> None:
        """Close without waiting until the client has read what is left, or answers."""
        ending = asyncio.get_running_loop().create_task(
            self.close(code=code, message=reason.encode(), drain=False)
        )
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


async def watch_by_socket(request: web.Request, hub: Hub, want: Want) -> EventSocket:
    """Send events to a client until it goes, or has to."""
    socket = EventSocket()
    await socket.prepare(request)
    if request.transport is None:
        return socket
    watcher = Watcher(request.transport, WEB_SOCKET, want, socket.hang_up, grace=hub.bars.grace)
    socket.watcher = watcher
    try:
        await hub.join(watcher)
        with suppress(ConnectionError):
            await _listen(socket, hub, watcher)
    finally:
        hub.leave(watcher)
    return socket


async def _listen(socket: EventSocket, hub: Hub, watcher: Watcher) -> None:
    loop = asyncio.get_running_loop()
    since, count = loop.time(), 0
    while True:
        message = await socket.receive()
        if loop.time() - since > MESSAGES_SECONDS:
            since, count = loop.time(), 0
        count += 1
        if count > MESSAGES:
            watcher.end(
                WSCloseCode.POLICY_VIOLATION,
                f"More than {MESSAGES} messages in {MESSAGES_SECONDS:.0f} seconds; say less.",
            )
        match message.type:
            case WSMsgType.TEXT:
                _heed(message.data, hub, watcher)
            case WSMsgType.BINARY:
                watcher.end(WSCloseCode.UNSUPPORTED_DATA, "Binary messages are not understood.")
            case WSMsgType.PING if not watcher.gone:
                await socket.pong(message.data)
            case WSMsgType.PING | WSMsgType.PONG:
                pass
            case _:
                return


def _heed(text: str, hub: Hub, watcher: Watcher) -> None:
    try:
        wish = json.loads(text)
    except (ValueError, RecursionError):
        wish = None
    if not isinstance(wish, dict):
        watcher.end(WSCloseCode.INVALID_TEXT, UNREADABLE)
    elif "previews" in wish:
        if isinstance(wish["previews"], bool):
            hub.show_previews(watcher, wish["previews"])
        else:
            watcher.end(WSCloseCode.INVALID_TEXT, "'previews' must be true or false.")
