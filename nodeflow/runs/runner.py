"""Run: carries out one plan over lanes and stores, and says what happens as events."""

from __future__ import annotations

import _thread
import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable

from nodeflow.errors import Cancelled, NodeError
from nodeflow.events import (
    Emit,
    NodeFinished,
    NodeLog,
    NodeReport,
    Outcome,
    RunStarted,
    RunStatus,
)
from nodeflow.plan import Plan, count_asked
from nodeflow.runs.calls import Caller
from nodeflow.runs.demand import Demand
from nodeflow.runs.jobs import Jobs
from nodeflow.runs.sender import Sender
from nodeflow.runs.states import State
from nodeflow.runs.stores import Made
from nodeflow.runs.surroundings import Results, Surroundings
from nodeflow.workflow import Link

_GAVE = ("ran", "memory", "disk")

LOOK_SECONDS = 0.1
"""How often a run looks whether it was cancelled."""


def _weakly(method: Callable[[State], None]) -> Callable[[State], None]:
    """A method of a run that does not keep the run alive; while it runs, its caller does."""
    reference = weakref.WeakMethod(method)

    def call(state: State) -> None:
        found = reference()
        assert found is not None, "the run has ended"
        found(state)

    return call


class Run:
    """One run of one plan. Make it, call `execute` once, then read `reports` and `value`.

    Ctrl-C may raise KeyboardInterrupt between any two steps of the main thread. So the thread that
    calls only waits, at a lock written in C; all bookkeeping happens on threads that no signal
    interrupts. The run is then cancelled, and the interrupt goes on once its nodes have ended.

    Attributes:
        id: Names the run in events.

    Args:
        run_id: Becomes `id`.
        name: The workflow's name, for people and for remembering why nodes ran.
        emit: Where events go: one call at a time, from several threads.
        cancel: Set it to cancel.
        results: What is asked of the run once it is over.
    """

    def __init__(
        self,
        plan: Plan,
        around: Surroundings,
        run_id: str,
        name: str = "",
        emit: Emit | None = None,
        cancel: threading.Event | None = None,
        results: Results | None = None,
    ) -> None:
        self._plan = plan
        self._around = around
        self._stores = around.stores
        self.id = run_id
        self._name = name
        self._results = results or Results()
        # Nothing here may point back at the run: a ring would keep its values alive until the
        # garbage collector comes by.
        self.emit = Sender(emit)
        self._cancel = cancel or threading.Event()
        self._lock = threading.RLock()
        self._gate = threading.Lock()
        self._open = 0
        self._coroutines: set[Callable[[], None]] = set()
        self._on_disk: set[str] = set()
        self._demand = Demand(
            plan,
            self._stores,
            self._on_disk,
            _weakly(self._submit),
            _weakly(self._fetch),
            _weakly(self._settled),
        )
        caller = Caller(
            around.functions, around.services, run_id, self.emit, self._cancel.is_set, around.guard
        )
        self._jobs = Jobs(
            self._demand,
            self._stores,
            caller,
            self._lock,
            run_id,
            name,
            self.emit,
            self._cancel,
            around.meter,
        )

    def execute(self) -> RunStatus:
        """Find or compute every target. The last event, `RunFinished`, is left to the caller.

        What has to be written about the run is written when it is over, together with its values.
        """
        self._do(self._want_targets)
        return self.status()

    def _want_targets(self) -> None:
        memory = self._stores.memory
        if not all(self._plan.keys.get(target, "") in memory for target in self._plan.targets):
            absent = [key for key in self._plan.keys.values() if key not in memory]
            self._on_disk |= self._stores.present(absent)
        asked = count_asked(self._plan, lambda key: key in memory or key in self._on_disk)
        self.emit(RunStarted(self.id, self._name, asked))
        if self._stores.owner:
            self._stores.pin(self._plan.keys.values())
        with self._lock:
            for target in self._plan.targets:
                self._demand.want(target)
            for name in self._results.needed:
                self._demand.need(name)

    def need(self, links: Iterable[Link]) -> None:
        """Bring the values of outputs in hand, read or computed if need be; `value` gives them."""
        names = {link.node for link in links}
        with self._lock:
            for name in list(names):
                if self._demand.states[name].made is not None:
                    self._demand.states[name].held = True
                    names.remove(name)

        def ask() -> None:
            with self._lock:
                for name in names:
                    self._demand.need(name)

        if names:
            self._do(ask)

    def value(self, link: Link) -> object:
        """The value of an output, read or computed if it is not in hand.

        Raises:
            NodeError: It failed, or something it needs.
            Cancelled: The run was cancelled before.
        """
        state = self._demand.states[link.node]
        if state.made is None:
            self.need([link])
        made = state.made
        if made is None:
            failed = next((error for error in self._jobs.errors if error.node == link.node), None)
            if failed is not None:
                raise failed
            if self._cancel.is_set():
                raise Cancelled
            raise NodeError(
                link.node, state.node.spec.id, f"it gave no value, since {state.reason}"
            )
        names = [port.name for port in state.node.spec.outputs]
        return made.outputs[names.index(link.output)]

    @property
    def errors(self) -> list[NodeError]:
        """What nodes raised, in the order it happened."""
        return self._jobs.errors

    def gave(self, node_id: str) -> bool:
        """Whether a node's value is there: it ran, or a store has it."""
        return self._demand.states[node_id].outcome in _GAVE

    def files(self, node_id: str) -> tuple[str, ...]:
        """What an end node wrote, now or in the run that its result comes from."""
        return self._jobs.files.get(node_id, ())

    def key_of(self, link: Link) -> str | None:
        """The key of an output's value, if it has one."""
        return self._demand.key_of(link)

    def log(self, node_id: str, text: str) -> None:
        """Send a line for people about a node."""
        self.emit(NodeLog(self.id, node_id, text))

    def _do(self, begin: Callable[[], None]) -> None:
        """Let a thread `begin`, then wait until nothing is queued, running or being written."""
        errors: list[BaseException] = []
        with self._lock:
            self._open += 1

        def work() -> None:
            try:
                begin()
            except BaseException as error:  # noqa: BLE001  (raised again by the thread that waits)
                errors.append(error)
            finally:
                self._end()

        try:
            if threading.current_thread() is threading.main_thread():
                # Not `threading.Thread`: its start waits at a condition that Ctrl-C leaves locked.
                _thread.start_new_thread(work, ())
            else:
                work()
            self._wait()
        except KeyboardInterrupt:
            self._cancel.set()
            self._wait()
            raise
        if errors:
            raise errors[0]

    def _wait(self) -> None:
        while self._open:
            self._gate.acquire(timeout=LOOK_SECONDS)
            if self._cancel.is_set() and self._coroutines:
                with self._lock:
                    cancels, self._coroutines = self._coroutines, set()
                for cancel in cancels:
                    cancel()
        if self._stores.disk is not None:
            self._stores.disk.flush()

    def status(self) -> RunStatus:
        """How it ended; asked again after `value`, which may have had to compute."""
        states = [self._demand.states[target] for target in self._plan.targets]
        if all(state.outcome in _GAVE for state in states):
            return "done"
        return "cancelled" if self._cancel.is_set() else "failed"

    def reports(self) -> dict[str, NodeReport]:
        """What became of each node, those that nobody needed included."""
        reports: dict[str, NodeReport] = {}
        memory = self._stores.memory
        states = self._demand.states
        unasked = [
            state.key
            for state in states.values()
            if state.outcome is None and state.key is not None and state.key not in memory
        ]
        on_disk = self._stores.present(unasked) if unasked else set()
        for name, state in states.items():
            outcome, reason = state.outcome, state.reason
            if outcome is None:
                outcome, reason = self._unasked(state, on_disk)
            reports[name] = NodeReport(
                outcome,
                state.seconds,
                reason,
                self._jobs.files.get(name, ()),
                state.memory,
                state.key or "",
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

    def _settled(self, state: State) -> None:
        outcome = state.outcome
        if outcome is None:
            return
        if state.made is not None and state.made.files:
            self._jobs.files[state.node.id] = tuple(file.path for file in state.made.files)
        files = self._jobs.files.get(state.node.id, ())
        self.emit(
            NodeFinished(self.id, state.node.id, outcome, 0.0, state.reason, state.key or "", files)
        )

    # Each piece of work is counted while it is open; the run is over when none is.

    def _begin(self) -> None:
        self._open += 1

    def _end(self) -> None:
        with self._lock:
            self._open -= 1
            if not self._open:
                self._conclude()
                with contextlib.suppress(RuntimeError):  # it is open already
                    self._gate.release()

    def _conclude(self) -> None:
        """All is over: have written down, along with the last values, what is left to be told."""
        self._jobs.remember()
        if self._stores.owner:
            self._stores.pin_only(self._kept())

    def _kept(self) -> set[str]:
        keys = set(self._results.exports(self._demand.key_of))
        for name in self._results.kept:
            state = self._demand.states[name]
            if state.key is not None:
                keys.add(state.key)
                if state.node.mapped:
                    keys.update(state.items or self._stores.items(state.key))
        return keys

    def _submit(self, state: State) -> None:
        self._begin()
        node, lanes = state.node, self._around.lanes
        try:
            if node.spec.is_async:
                self._spawn(state)
            else:
                lanes.submit(node.spec.on, node.rank, lambda: self._jobs.work(state, self._end))
        except BaseException:
            self._end()
            raise

    def _spawn(self, state: State) -> None:
        def ended() -> None:
            with self._lock:
                self._coroutines.discard(cancel)
            self._end()

        # Under the lock, so `ended` finds its name bound.
        cancel = self._around.lanes.spawn(lambda: self._jobs.work_async(state), ended)
        self._coroutines.add(cancel)

    def _fetch(self, state: State) -> None:
        self._begin()
        try:
            self._around.lanes.submit("io", state.node.rank, lambda: self._read(state))
        except BaseException:
            self._end()
            raise

    def _read(self, state: State) -> None:
        try:
            made = self._stored(state)
            if made is None and state.stored and self._stores.disk is not None:
                # It was handed to the disk store in this run and may still be on its way.
                self._stores.disk.flush()
                made = self._stored(state)
            if made is None:
                self.log(
                    state.node.id, "what was stored of it is gone or damaged, so it runs again"
                )
            with self._lock:
                self._demand.fetched(state, made)
        finally:
            self._end()

    def _stored(self, state: State) -> Made | None:
        # Whatever is wrong with what is stored: the node can compute it again.
        with contextlib.suppress(Exception):
            return self._stores.fetch(state.node, state.key or "")
        return None
