"""Pipe: a worker's end of the two pipes to its server."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import psutil

from nodeflow.worker.lifeline import die_with_parent
from nodeflow.worker.messages import Alive, Frames, Message, encode

CHUNK = 1 << 18
ALIVE_SECONDS = 1.0
SERVER_GONE = 0
CONFUSED = 3

logger = logging.getLogger(__name__)


class Pipe:
    """Messages to and from the server; without a server there is nothing to do, so it ends.

    Args:
        incoming: File descriptor that messages are read from.
        outgoing: File descriptor that messages are written to.
    """

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._lock = threading.Lock()
        self._process = psutil.Process()

    @classmethod
    def taken(cls) -> Pipe:
        """The pipes that are standard input and output, which from now on are others.

        Whatever a node or a C library prints goes to standard error, and reads nothing.
        """
        incoming, outgoing = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        for stream in (sys.stdout, sys.stderr):
            # Said before it dies, and whatever its letters are.
            stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]  # a TextIOWrapper, as Python starts
        die_with_parent()
        return cls(incoming, outgoing)

    @property
    def rss(self) -> int:
        """Bytes of memory that this process occupies."""
        return int(self._process.memory_info().rss)

    def send(self, *messages: Message) -> None:
        """Send messages, in one piece; from any thread."""
        data = memoryview(b"".join(map(encode, messages)))
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._outgoing, data) :]
            except OSError:
                os._exit(SERVER_GONE)

    def listen(self, receive: Callable[[Message], None]) -> None:
        """Hand each message to `receive`, on a thread of its own.

        The process ends at once when the server is gone, whatever it does just then: what is
        written gets its name only when it is whole.
        """

        def read() -> None:
            frames = Frames()
            try:
                while data := self._read():
                    for message in frames.feed(data):
                        receive(message)
            except Exception:  # deaf to the server, it would be of no use
                logger.exception("What the server said cannot be understood")
                os._exit(CONFUSED)
            os._exit(SERVER_GONE)

        threading.Thread(target=read, name="from the server", daemon=True).start()

    def _read(self) -> bytes:
        try:
            return os.read(self._incoming, CHUNK)
        except OSError:
            return b""

    def beat(self, memory: Callable[[], Mapping[str, Any]] = dict) -> None:
        """Give a sign of life each second, on a thread of its own.

        Args:
            memory: Tells what is held; must neither wait long nor raise.
        """
        pause = threading.Event()

        def beat() -> None:
            while True:
                self.send(Alive(self.rss, memory()))
                pause.wait(ALIVE_SECONDS)

        threading.Thread(target=beat, name="signs of life", daemon=True).start()
