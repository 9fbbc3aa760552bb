"""Deaths: what a process that died said last, and what happened to it, as a sentence."""

from __future__ import annotations

import re
import signal
from collections import deque
from pathlib import PurePath

KEPT_LINES = 50
KEPT_CHARACTERS = 2000

_FATAL = "Fatal Python error: "
_FRAME = re.compile(r'\s*File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)')
_CRASHES = {
    signal.SIGSEGV: "Segmentation fault",
    signal.SIGABRT: "Aborted",
    signal.SIGBUS: "Bus error",
    signal.SIGFPE: "Floating point exception",
    signal.SIGILL: "Illegal instruction",
}


class LastWords:
    """What a process writes to standard error, line by line; the last lines are kept.

    Attributes:
        lines: The last lines.
        place: Where Python code was when the process crashed, as `faulthandler` says it.
    """

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.place = ""
        self._rest = b""
        self._crashed = False

    def feed(self, data: bytes) -> list[str]:
        """Take bytes as they come in; gives the lines that are whole now."""
        *whole, rest = (self._rest + data).split(b"\n")
        # A process that never ends its line must not fill the memory.
        self._rest = rest[-KEPT_CHARACTERS:]
        lines = [line.decode("utf-8", "replace").rstrip("\r")[:KEPT_CHARACTERS] for line in whole]
        for line in lines:
            self._note(line)
        return lines

    def end(self) -> None:
        """Nothing more will come."""
        if self._rest:
            self.feed(b"\n")

    @property
    def last(self) -> str:
        """The last line with anything in it."""
        return next((line.strip() for line in reversed(self.lines) if line.strip()), "")

    def _note(self, line: str) -> None:
        self.lines.append(line)
        if line.startswith(_FATAL):
            self._crashed = True
        elif self._crashed and not self.place and (frame := _FRAME.match(line)):
            # The folder is nobody's business but the log's.
            file = "/".join(PurePath(frame["file"]).parts[-2:])
            self.place = f"{file}, line {frame['line']}, in {frame['function']}"


def describe_death(code: int | None, words: LastWords, rss: int = 0) -> str:
    """What happened to a worker that nobody asked to end.

    Args:
        code: Its exit code, or less than 0 if a signal ended it; None if it is not known.
        words: What it said.
        rss: Bytes of memory that it held when it was last heard of; 0 if it never was.
    """
    if code is None:
        return "The worker closed its pipe to the server."
    if code >= 0:
        last = words.last.rstrip(".")
        said = f"; the last it said is: {last}" if last else ""
        return f"The worker ended by itself with exit code {code}{said}."
    number = -code
    if number == signal.SIGKILL:
        held = f": it held {human_size(rss)} when it was last heard of" if rss else ""
        return f"The worker was killed by the system, probably out of memory{held}."
    if number in _CRASHES:
        place = f" at {words.place}" if words.place else ""
        return f"The worker crashed ({_CRASHES[signal.Signals(number)]}){place}."
    return f"The worker was ended from outside by {_name(number)}."


def describe_silence(seconds: float) -> str:
    """What happened to a worker that was killed because it gave no sign of life."""
    return f"The worker was killed since it did not answer for {seconds:g} seconds."


def human_size(size: int) -> str:
    """Bytes for people, such as `3.2 GB`."""
    if size < 1000**2:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1000**2:.0f} MB" if size < 1000**3 else f"{size / 1000**3:.1f} GB"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
