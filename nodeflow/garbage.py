"""Python's cyclic garbage collector, kept off data that has no cycles.

A plan of 10,000 nodes is some 100,000 objects. While they are made, and on each full collection
while they live, the collector would look through all of them, and find nothing: that alone took
half of the time of such a run.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
def frozen() -> Iterator[None]:
    """Let the collector look only at what is made from here on: what nodes leave behind."""
    if gc.get_freeze_count():  # somebody else did, and will undo it
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
