"""Jobs: the work of one node on its lane, from the values that enter to the value stored."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import traceback
from collections.abc import (
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from functools import partial
from typing import Any

from nodeflow.errors import Cancelled, NodeError, NodeflowError
from nodeflow.events import Emit, NodeFailed, NodeFinished, NodeLog, NodeStarted, Outcome
from nodeflow.plan import PlanNode
from nodeflow.runs.calls import Caller, failure
from nodeflow.runs.console import end_line, speaking
from nodeflow.runs.demand import Demand
from nodeflow.runs.mapping import Inputs, enter, item_key
from nodeflow.runs.meter import Meter
from nodeflow.runs.states import Phase, State
from nodeflow.runs.stores import Made, Stores, gather
from nodeflow.runs.why import NEVER, Reasons
from nodeflow.sockets import Lazy, item_of
from nodeflow.workflow import Link

End = Callable[[], None]


class _LostInputError(Exception):
    """A Lazy input was awaited whose node failed."""

    def __init__(self, cause: State) -> None:
        self.cause = cause
        super().__init__(cause.node.id)


class _Awaited:
    """A coroutine that is made when it is awaited: one that never is would warn."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, None, object]:
        return self._begin().__await__()


@contextlib.contextmanager
def _item_named(node: PlanNode, count: int) -> Iterator[None]:
    """Let an error of a mapped node say which item it was; they count from 1."""
    try:
        yield
    except Cancelled:
        raise
    except Exception as error:
        sentence = failure(node, error).sentence
        raise NodeError(node.id, node.spec.id, f"item {count + 1}: {sentence}") from error


async def _at_once(value: object) -> object:
    return value


@dataclass(slots=True)
class _Item:
    """One call of a mapped node: its key, and what it gave."""

    key: str | None
    made: Made | None


def _together(node: PlanNode, items: Sequence[_Item]) -> Made:
    keys = tuple(item.key for item in items if item.key is not None)
    found = [item.made for item in items if item.made is not None]
    return gather(node, found, keys if len(keys) == len(items) else None)


class Jobs:
    """Does the work of nodes, for one run.

    Attributes:
        errors: What nodes raised, in the order it happened.
        files: Node id to the files it wrote, now or in an earlier run.
    """

    def __init__(
        self,
        demand: Demand,
        stores: Stores,
        caller: Caller,
        lock: threading.RLock,
        run: str,
        name: str,
        emit: Emit,
        cancel: threading.Event,
        meter: Meter,
    ) -> None:
        self._demand = demand
        self._stores = stores
        self._caller = caller
        self._lock = lock
        self._run = run
        self._emit = emit
        self._cancel = cancel
        self._meter = meter
        self._reasons = Reasons(stores, name)
        self.errors: list[NodeError] = []
        self.files: dict[str, tuple[str, ...]] = {}

    def work(self, state: State, end: End) -> None:
        """Run a plain node; called on its lane. `end` is called when it is over."""
        try:
            with self._reported(state):
                self._start(state)
                values, items = enter(state.node, self._handed(state))
                if items is None:
                    made = self._caller.call(state.node, values, self._token(state))
                else:
                    made = self._each(state, items)
                self._complete(state, made)
        finally:
            end()

    async def work_async(self, state: State) -> None:
        """Run an `async` node; called on the loop, which tells when it is over."""
        with self._reported(state):
            self._start(state)
            values, items = enter(state.node, self._handed(state))
            if items is None:
                made = await self._caller.call_async(state.node, values, self._token(state))
            else:
                made = await self._each_async(state, items)
            self._complete(state, made)

    def _start(self, state: State) -> None:
        if self._cancel.is_set():
            raise Cancelled
        state.reason = self._why(state)
        state.started = time.perf_counter()
        self._emit(NodeStarted(self._run, state.node.id, state.node.spec.id, state.reason))
        # Importing a pack takes seconds, once: they are not this node's.
        self._caller.prepare(state.node)
        state.reading = self._meter.begin()
        state.started = time.perf_counter()

    @contextlib.contextmanager
    def _reported(self, state: State) -> Iterator[None]:
        """Whatever a call raises becomes an outcome."""
        say = partial(self._said, state.node.id)
        try:
            with speaking(say):
                yield
        except _LostInputError as lost:
            self._stop(state)
            with self._lock:
                self._demand.skipped(state, lost.cause)
        except BaseException as error:  # noqa: BLE001  (a node may raise anything; it is reported)
            if self._cancel.is_set() and isinstance(error, Cancelled | asyncio.CancelledError):
                self._cancelled(state)
            else:
                self._fail(state, failure(state.node, error))

    def _said(self, node: str, line: str) -> None:
        self._emit(NodeLog(self._run, node, line))

    def _stop(self, state: State) -> None:
        """The node's own work is over: stop the watch and the meter."""
        state.seconds = time.perf_counter() - state.started if state.started else 0.0
        if state.reading is not None:
            state.memory = self._meter.end(state.reading)
        end_line()

    def _cancelled(self, state: State) -> None:
        self._stop(state)
        with self._lock:
            state.phase = Phase.SKIPPED
            state.outcome, state.reason = "skipped", "the run was cancelled"
            if not state.started:
                return
            state.outcome = "cancelled"
        self._tell(state, "cancelled")

    def _fail(self, state: State, error: NodeError) -> None:
        cause = error.__cause__
        # What nodeflow raises on purpose says all in its sentence.
        unexpected = cause is not None and not isinstance(cause, NodeflowError)
        trace = "".join(traceback.format_exception(cause)) if unexpected else ""
        self._stop(state)
        with self._lock:
            state.reason = ""
            self.errors.append(error)
            self._emit(NodeFailed(self._run, error.node, error.type, error.sentence, trace))
            self._demand.failed(state)
            state.reason = error.sentence

    def _why(self, state: State) -> str:
        node = state.node
        if node.spec.cache == "never":
            return NEVER
        with self._lock:
            return self._reasons.why(node.id, node.parts(self._demand.key_of))

    def remember(self) -> None:
        """Have written down, with the next commit, why the nodes ran."""

        def done(error: Exception | None) -> None:
            if error is not None:
                self._said("", f"why the nodes ran was not written down: {error}")

        self._reasons.remember(self._demand.states, done)

    def _token(self, state: State, item: int | None = None, key: str | None = None) -> str:
        """Names a call for the files it writes: the same again if it is killed and resumed."""
        token = key or state.key or f"{self._run}.{state.node.id}"
        if item is not None:
            token = f"{token}.{item}"
        if "files" in state.node.spec.services.values():
            state.tokens.append(token)
        return token

    def _handed(self, state: State) -> dict[str, object]:
        """The values that enter a node, as the links carry them."""
        node = state.node
        values: dict[str, object] = {**node.literals, **node.files}
        for port in node.spec.inputs:
            source = node.links.get(port.name)
            if isinstance(source, tuple):
                values[port.name] = tuple(self._carried(state, port.name, link) for link in source)
            elif source is not None:
                values[port.name] = self._carried(state, port.name, source)
            elif port.lazy and port.name in values:
                values[port.name] = Lazy(_Awaited(partial(_at_once, values[port.name])))
        return values

    def _carried(self, state: State, name: str, link: Link) -> object:
        if name in state.node.lazy:
            return Lazy(_Awaited(lambda: self._await(state, name, link)))
        source = self._demand.states[link.node]
        assert source.made is not None, f"{link.node} has no value in hand"
        names = [port.name for port in source.node.spec.outputs]
        return source.made.outputs[names.index(link.output)]

    async def _await(self, state: State, name: str, link: Link) -> object:
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[State] = loop.create_future()

        def listener(source: State) -> None:
            def tell() -> None:
                if not arrived.done():
                    arrived.set_result(source)

            loop.call_soon_threadsafe(tell)

        with self._lock:
            self._demand.wait_for(state, name, link, listener)
        source = await arrived  # cancelling the run cancels this coroutine
        if source.made is None:
            raise _LostInputError(source)
        names = [port.name for port in source.node.spec.outputs]
        return source.made.outputs[names.index(link.output)]

    # A mapped node: each item has a key by content, so that a longer list costs only the new ones.

    def _each(self, state: State, items: Iterable[Inputs]) -> Made:
        done: list[_Item] = []
        for count, values in enumerate(items):
            item = self._find_item(state, values)
            if item.made is None:
                started = time.perf_counter()
                token = self._token(state, count, item.key)
                with _item_named(state.node, count):
                    item.made = self._caller.call(state.node, values, token)
                self._store_item(state.node, item, time.perf_counter() - started)
            done.append(item)
        return _together(state.node, done)

    async def _each_async(self, state: State, items: Iterable[Inputs]) -> Made:
        done: list[_Item] = []
        for count, values in enumerate(items):
            item = self._find_item(state, values)
            if item.made is None:
                started = time.perf_counter()
                token = self._token(state, count, item.key)
                with _item_named(state.node, count):
                    item.made = await self._caller.call_async(state.node, values, token)
                self._store_item(state.node, item, time.perf_counter() - started)
            done.append(item)
        return _together(state.node, done)

    def _find_item(self, state: State, values: Inputs) -> _Item:
        if self._cancel.is_set():
            raise Cancelled
        node = state.node
        key = self._item_key(node, values) if node.spec.cache == "auto" else None
        if key is None:
            return _Item(None, None)
        return _Item(key, self._stores.recall(key) or self._stores.fetch_item(node, key))

    def _item_key(self, node: PlanNode, values: Mapping[str, object]) -> str | None:
        codecs = self._caller.codecs

        def fingerprint(name: str) -> str:
            link = node.links[name]
            assert isinstance(link, Link)
            type_name = self._demand.states[link.node].node.types[link.output]
            return codecs.of(item_of(type_name) or type_name).fingerprint(values[name])

        return item_key(node, self._demand.key_of, fingerprint)

    def _store_item(self, node: PlanNode, item: _Item, seconds: float) -> None:
        if item.key is None or item.made is None:
            return
        self._stores.keep(node, item.key, item.made, seconds, mapped=False)
        done = self._log_failure(node)
        self._stores.write(node, item.key, item.made, seconds, mapped=False, done=done)

    def _log_failure(self, node: PlanNode) -> Callable[[Exception | None], None]:
        def done(error: Exception | None) -> None:
            if error is not None:
                self._said(node.id, f"it was not stored: {error}")

        return done

    def _complete(self, state: State, made: Made) -> None:
        node = state.node
        self._stop(state)
        content = self._content(node, made) if node.spec.cache == "never" else None
        with self._lock:
            state.files = tuple(file.path for file in made.files)
            if made.files:
                self.files[node.id] = state.files
            key = state.key if content is None else None
            if node.lazy:
                key = self._demand.settle_lazy(state)
            if key is not None:
                # Before its consumers are told, so that a value that is let go can be found again.
                self._stores.keep(node, key, made, state.seconds, mapped=node.mapped)
                state.stored = self._stores.write(
                    node, key, made, state.seconds, mapped=node.mapped, done=self._written(state)
                )
            if not state.stored:
                self._finished(state)
            self._demand.completed(state, made, content)

    def _content(self, node: PlanNode, made: Made) -> dict[str, str]:
        """Fingerprints of what a `never` node gave: an equal value cuts the cascade off."""
        codecs = self._caller.codecs
        return {
            port.name: codecs.of(node.types[port.name]).fingerprint(value)
            for port, value in zip(node.spec.outputs, made.outputs, strict=False)
        }

    def _written(self, state: State) -> Callable[[Exception | None], None]:
        """A node is finished only once its value is safe."""

        def done(error: Exception | None) -> None:
            if error is not None:
                state.stored = False
                self._said(state.node.id, f"it was not stored: {error}")
            self._finished(state)

        return done

    def _finished(self, state: State) -> None:
        self._stores.settle(state.tokens)
        self._tell(state, "ran")

    def _tell(self, state: State, outcome: Outcome) -> None:
        key = state.key or "" if outcome == "ran" else ""
        self._emit(
            NodeFinished(
                self._run,
                state.node.id,
                outcome,
                state.seconds,
                state.reason,
                key,
                state.files,
                state.memory,
            )
        )
