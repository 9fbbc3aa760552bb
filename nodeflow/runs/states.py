"""States: what a run knows of each node, and where the node stands."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from nodeflow.events import Outcome
from nodeflow.plan import PlanNode
from nodeflow.runs.meter import Reading
from nodeflow.runs.stores import Made
from nodeflow.workflow import Link


class Phase(Enum):
    """Where a node stands."""

    IDLE = auto()  # Nobody has asked for it yet, or its key is known and that was all.
    KEYING = auto()  # It waits for keys of its inputs.
    FOUND = auto()  # A store has it; the value is not in hand.
    FETCHING = auto()  # Its value is being read from disk.
    WAITING = auto()  # It waits for values of its inputs.
    READY = auto()  # Handed to the runner: queued or running.
    DONE = auto()  # Its value is in hand.
    FOLLOWING = auto()  # Another node of the same key computes for it.
    FAILED = auto()
    SKIPPED = auto()  # Something that it needs failed.


OVER = (Phase.FAILED, Phase.SKIPPED)


class State:
    """What the demand knows of one node."""

    __slots__ = (
        "awaited",
        "base",
        "consumers",
        "content",
        "dynamic",
        "exposed",
        "files",
        "followers",
        "held",
        "items",
        "key",
        "key_waiters",
        "key_waits",
        "listeners",
        "made",
        "memory",
        "needed",
        "node",
        "outcome",
        "phase",
        "reading",
        "reason",
        "seconds",
        "started",
        "stored",
        "tokens",
        "waiters",
        "waits",
        "wanted",
    )

    def __init__(self, node: PlanNode, key: str | None) -> None:
        self.node = node
        self.key = key
        self.phase = Phase.IDLE
        self.made: Made | None = None
        self.base: str | None = None
        self.content: dict[str, str] | None = None
        self.outcome: Outcome | None = None
        self.reason = ""
        self.seconds = self.started = 0.0
        self.memory = 0
        self.reading: Reading | None = None
        self.files: tuple[str, ...] = ()
        self.items: tuple[str, ...] | None = None
        self.tokens: list[str] = []
        self.stored = False
        # The plan could not know the key; it was worked out while running.
        self.dynamic = False
        self.awaited: list[tuple[str, Link]] = []
        # An output of the workflow: its value will be asked for after the run.
        self.exposed = False
        # `wanted`: it must be found or run. `needed`: its value must be in hand.
        self.wanted = self.needed = self.held = False
        self.waits = self.key_waits = self.consumers = 0
        self.waiters: list[State] = []
        self.key_waiters: list[State] = []
        self.followers: list[State] = []
        self.listeners: list[Callable[[State], None]] = []
