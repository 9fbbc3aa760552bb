"""What nodes print, told as lines of the node that runs in this thread or task."""

from __future__ import annotations

import io
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

PROGRESS_SECONDS = 1.0
"""A progress bar draws over its own line; it is told no more often than this."""

MOST_LINES = 1000
MOST_CHARACTERS = 4000

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")

Say = Callable[[str], None]


class _Voice:
    """Puts together what one node prints, and says it line by line."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._lock = threading.RLock()  # an async node may print from threads of its own
        self._line = ""  # since the last line break
        self._drawn = ""  # a line that something is about to be drawn over
        self._lines = 0
        self._next = 0.0

    def write(self, text: str) -> None:
        with self._lock:
            for part in re.split("([\r\n])", text):
                if part == "\n":
                    self.end_line()
                elif part == "\r":
                    self._draw()
                elif part:
                    self._line += part
                    while len(self._line) > MOST_CHARACTERS:
                        line, self._line = self._line, self._line[MOST_CHARACTERS:]
                        self._tell(line[:MOST_CHARACTERS])

    def end_line(self) -> None:
        with self._lock:
            line = self._line or self._drawn
            self._line = self._drawn = ""
            self._tell(line)

    def _draw(self) -> None:
        """The line is about to be drawn over; only the newest counts, and not too often."""
        if self._line:
            self._drawn, self._line = self._line, ""
        if self._drawn and time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_SECONDS
            line, self._drawn = self._drawn, ""
            self._tell(line)

    def _tell(self, line: str) -> None:
        line = _ESCAPES.sub("", line).rstrip()
        if not line or self._lines > MOST_LINES:
            return
        self._lines += 1
        if self._lines > MOST_LINES:
            line = f"It printed more than {MOST_LINES} lines; the rest is not shown."
        self._say(line)


_voice: ContextVar[_Voice | None] = ContextVar("nodeflow_voice", default=None)


@contextmanager
def speaking(say: Say) -> Iterator[None]:
    """A node runs in this thread or task: what it prints is handed to `say`, if `captured`."""
    voice = _Voice(say)
    token = _voice.set(voice)
    try:
        yield
    finally:
        _voice.reset(token)
        voice.end_line()


def end_line() -> None:
    """The node that runs here has nothing more to say: what it left unfinished is a line."""
    voice = _voice.get()
    if voice is not None:
        voice.end_line()


@contextmanager
def silent() -> Iterator[None]:
    """What is printed here is not the node's; it goes where it always went."""
    token = _voice.set(None)
    try:
        yield
    finally:
        _voice.reset(token)


class _Stream(io.TextIOBase):
    """A standard stream; lines of nodes go to their voice, everything else through."""

    def __init__(self, through: TextIO) -> None:
        self._through = through

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property in typeshed's TextIO too
        return self._through.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._through.errors

    def write(self, text: str, /) -> int:
        voice = _voice.get()
        if voice is None:
            return self._through.write(text)
        voice.write(text)
        return len(text)

    def flush(self) -> None:
        self._through.flush()

    def isatty(self) -> bool:
        return _voice.get() is None and self._through.isatty()

    def fileno(self) -> int:
        return self._through.fileno()

    def writable(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._through, name)


@contextmanager
def captured() -> Iterator[None]:
    """While this lasts, what nodes print becomes events of theirs."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream(before[0]), _Stream(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
