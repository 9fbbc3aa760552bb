"""Interrupts: what Ctrl-C means to a command that runs something."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from nodeflow.cli import CANCELLED


@contextmanager
def cancelled_by_ctrl_c() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second ends the process at once."""
    cancel = threading.Event()

    def handle(_signal: int, _frame: FrameType | None) -> None:
        # Written past Python's streams, whose locks the interrupted code may hold.
        if cancel.is_set():
            if os.isatty(2):
                os.write(2, b"\x1b[?25h\n")  # the bars hide the cursor
            os._exit(CANCELLED)
        cancel.set()
        os.write(2, b"\nCancelling; Ctrl-C again ends at once.\n")

    # SIGTERM too: it is how containers and service managers ask.
    asking = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in asking]
    try:
        yield cancel
    finally:
        for number, handler in zip(asking, before, strict=True):
            signal.signal(number, handler)
