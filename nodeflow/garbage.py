"""Python's cyclic garbage collector, kept off data that has no cycles.

A plan of 10,000 nodes is some 100,000 objects. While they are made, and on each full collection
while they live, the collector would look through all of them, and find nothing: that alone took
half of the time of such a run. The modules of torch and diffusers are half a million more.
"""

from __future__ import annotations

import gc
import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

MANY = 500
"""Nodes from which on freezing pays: thawing makes the next full collection come early."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many objects that live on; nothing is collected meanwhile."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def importing(name: str) -> Iterator[None]:
    """Import a module that may be large: looking through it would take a third of the time.

    What it makes is old from the start. The collector would take it there in three passes.
    """
    if name in sys.modules:
        yield
        return
    with uncollected():
        yield
        gc.freeze()
        gc.unfreeze()  # to the oldest generation, wherever it was before


def imported(name: str) -> ModuleType:
    """A module, imported if it is not yet."""
    with importing(name):
        return importlib.import_module(name)


class Freezer:
    """Lets the collector look only at what is made from here on: what nodes leave behind.

    Runs that overlap share one freezer. What exists thaws when the last of them is over.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0

    @contextmanager
    def frozen(self, nodes: int) -> Iterator[None]:
        """Freeze while so many nodes run, if they are many."""
        if nodes < MANY:
            yield
            return
        with self._lock:
            self._users += 1
            if self._users == 1:
                gc.freeze()
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    gc.unfreeze()
