"""Lifeline: a process that serves another one does not outlive it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Let the system kill this process when its parent ends; does nothing but on Linux.

    The end of the pipe says the same everywhere, but only to a process whose Python gets to run: a
    library may hold the interpreter for long.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the system was asked
        os._exit(0)
