"""Surroundings: what a run works with, and what is asked of it once it is over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from nodeflow.runs.calls import Functions, Services
from nodeflow.runs.lanes import Lanes
from nodeflow.runs.meter import Meter
from nodeflow.runs.stores import Stores
from nodeflow.workflow import Link


@dataclass(frozen=True)
class Surroundings:
    """What a run works with; the engine keeps it from run to run.

    Attributes:
        guard: Fingerprint every input before and after each call; for tests.
    """

    functions: Functions
    stores: Stores
    lanes: Lanes
    services: Services
    meter: Meter
    guard: bool = False


@dataclass(frozen=True)
class Results:
    """What is asked of a run once it is over.

    Attributes:
        needed: Nodes whose values must be in hand then.
        kept: Nodes whose values stay pinned.
        exports: Further keys that do, from what tells the key of a link's value.
    """

    needed: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    exports: Callable[[Callable[[Link], str | None]], Collection[str]] = lambda key_of: ()
