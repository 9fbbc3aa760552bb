"""Run: carries out one plan over lanes and stores, and says what happens as events."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass

from nodeflow.calls import Caller, Services
from nodeflow.demand import Demand, State
from nodeflow.errors import Cancelled, NodeError
from nodeflow.events import (
    Emit,
    Event,
    NodeFinished,
    NodeLog,
    NodeReport,
    Outcome,
    RunStarted,
    RunStatus,
)
from nodeflow.jobs import Jobs
from nodeflow.lanes import Lanes
from nodeflow.plan import Plan
from nodeflow.registry import Registry
from nodeflow.stores import Stores
from nodeflow.workflow import Link


@dataclass(frozen=True)
class Surroundings:
    """What a run works with; the engine keeps it from run to run.

    Attributes:
        guard: Fingerprint every input before and after each call; for tests.
    """

    registry: Registry
    stores: Stores
    lanes: Lanes
    services: Services
    guard: bool = False


class Run:
    """One run of one plan. Make it, call `execute` once, then read `reports` and `value`.

    Args:
        run_id: Names the run in events.
        name: The workflow's name, for people and for remembering why nodes ran.
        emit: Where events go: one call at a time, from several threads.
        cancel: Set it to cancel.
    """

    def __init__(
        self,
        plan: Plan,
        around: Surroundings,
        run_id: str,
        name: str = "",
        emit: Emit | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self._plan = plan
        self._around = around
        self._stores = around.stores
        self._id = run_id
        self._name = name
        self._sink = emit
        self._cancel = cancel or threading.Event()
        self._lock = threading.RLock()
        self._emitting = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._open = 0
        self._on_disk: set[str] = set()
        self._demand = Demand(
            plan, self._stores, self._on_disk, self._submit, self._fetch, self._settled
        )
        caller = Caller(
            around.registry, around.services, run_id, self._emit, self._cancel.is_set, around.guard
        )
        self._jobs = Jobs(
            self._demand, self._stores, caller, self._lock, run_id, name, self._emit, self._cancel
        )

    def execute(self) -> RunStatus:
        """Find or compute every target. The last event, `RunFinished`, is left to the caller."""
        self._emit(RunStarted(self._id, self._name, len(self._plan.nodes)))
        memory = self._stores.memory
        if not all(self._plan.keys.get(target, "") in memory for target in self._plan.targets):
            absent = [key for key in self._plan.keys.values() if key not in memory]
            self._on_disk |= self._stores.present(absent)
        with self._lock:
            for target in self._plan.targets:
                self._demand.want(target)
        self._wait()
        self._jobs.remember_parts()
        return self._status()

    def value(self, link: Link) -> object:
        """The value of an output, read or computed if it is not in hand.

        Raises:
            NodeError: It failed, or something it needs.
            Cancelled: The run was cancelled before.
        """
        with self._lock:
            state = self._demand.need(link.node)
        self._wait()
        if state.made is None:
            failed = next((error for error in self._jobs.errors if error.node == link.node), None)
            if failed is not None:
                raise failed
            if self._cancel.is_set():
                raise Cancelled
            raise NodeError(
                link.node, state.node.spec.id, f"it gave no value, since {state.reason}"
            )
        names = [port.name for port in state.node.spec.outputs]
        return state.made.outputs[names.index(link.output)]

    @property
    def errors(self) -> list[NodeError]:
        """What nodes raised, in the order it happened."""
        return self._jobs.errors

    def files(self, node_id: str) -> tuple[str, ...]:
        """What an end node wrote, now or in the run that its result comes from."""
        return self._jobs.files.get(node_id, ())

    def key_of(self, link: Link) -> str | None:
        """The key of an output's value, if it has one."""
        return self._demand.key_of(link)

    def _wait(self) -> None:
        """Until nothing is queued, running or being written."""
        while not self._idle.wait(0.2):
            pass
        if self._stores.disk is not None:
            self._stores.disk.flush()

    def _status(self) -> RunStatus:
        states = [self._demand.states[target] for target in self._plan.targets]
        if all(state.outcome in ("ran", "memory", "disk") for state in states):
            return "done"
        return "cancelled" if self._cancel.is_set() and not self._jobs.errors else "failed"

    def reports(self) -> dict[str, NodeReport]:
        """What became of each node, those that nobody needed included."""
        reports: dict[str, NodeReport] = {}
        unasked = [
            state.key
            for state in self._demand.states.values()
            if state.outcome is None and state.key is not None
        ]
        memory = self._stores.memory
        on_disk = self._stores.present([key for key in unasked if key not in memory])
        for name, state in self._demand.states.items():
            outcome, reason = state.outcome, state.reason
            if outcome is None:
                outcome, reason = self._unasked(state, on_disk)
            reports[name] = NodeReport(
                outcome, state.seconds, reason, self._jobs.files.get(name, ())
            )
        for name in sorted(self._plan.muted):
            reports[name] = NodeReport("skipped", why="it is muted, or needs something muted")
        return reports

    def _unasked(self, state: State, on_disk: set[str]) -> tuple[Outcome, str]:
        if self._cancel.is_set():
            return "skipped", "the run was cancelled"
        if state.key is not None and state.key in self._stores.memory:
            return "memory", "kept in memory"
        if state.key in on_disk:
            return "disk", "kept on disk"
        return "skipped", "nothing that ran needs it"

    def _emit(self, event: Event) -> None:
        if self._sink is not None:
            with self._emitting:
                self._sink(event)

    def _settled(self, state: State) -> None:
        outcome = state.outcome
        if outcome is None:
            return
        if state.made is not None and state.made.files:
            self._jobs.files[state.node.id] = tuple(file.path for file in state.made.files)
        files = self._jobs.files.get(state.node.id, ())
        self._emit(
            NodeFinished(
                self._id, state.node.id, outcome, 0.0, state.reason, state.key or "", files
            )
        )

    # Each piece of work is counted while it is open; the run is over when none is.

    def _begin(self) -> None:
        self._open += 1
        self._idle.clear()

    def _end(self) -> None:
        with self._lock:
            self._open -= 1
            if not self._open:
                self._idle.set()

    def _submit(self, state: State) -> None:
        self._begin()
        node, lanes = state.node, self._around.lanes
        if node.spec.is_async:
            lanes.spawn(self._jobs.work_async(state, self._end))
        else:
            lanes.submit(node.spec.on, node.rank, lambda: self._jobs.work(state, self._end))

    def _fetch(self, state: State) -> None:
        self._begin()
        self._around.lanes.submit("io", state.node.rank, lambda: self._read(state))

    def _read(self, state: State) -> None:
        made = None
        with contextlib.suppress(Exception):
            # Whatever is wrong with what is stored: the node can compute it again.
            made = self._stores.fetch(state.node, state.key or "")
        if made is None:
            text = "what was stored of it is gone or damaged, so it runs again"
            self._emit(NodeLog(self._id, state.node.id, text))
        with self._lock:
            self._demand.fetched(state, made)
        self._end()
