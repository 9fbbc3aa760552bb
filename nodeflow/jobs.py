"""Jobs: the work of one node on its lane, from the values that enter to the value that is stored."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from nodeflow.calls import Caller, failure
from nodeflow.demand import Demand, Phase, State
from nodeflow.errors import Cancelled, NodeError, NodeflowError
from nodeflow.events import Emit, NodeFailed, NodeFinished, NodeLog, NodeStarted
from nodeflow.mapping import Inputs, enter, item_key
from nodeflow.plan import PlanNode
from nodeflow.sockets import Lazy, item_of
from nodeflow.stores import Made, Stores, gather
from nodeflow.why import NEVER, explain
from nodeflow.workflow import Link

End = Callable[[], None]


class _LostInput(Exception):
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


async def _at_once(value: object) -> object:
    return value


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
    ) -> None:
        self._demand = demand
        self._stores = stores
        self._caller = caller
        self._lock = lock
        self._run = run
        self._name = name
        self._emit = emit
        self._cancel = cancel
        self._parts: dict[str, JsonValue] = {}
        self._previous: Mapping[str, JsonValue] | None = None
        self.errors: list[NodeError] = []
        self.files: dict[str, tuple[str, ...]] = {}

    def work(self, state: State, end: End) -> None:
        """Run a plain node; called on its lane."""
        with self._reported(state, end):
            self._start(state)
            values, items = enter(state.node, self._handed(state))
            if items is None:
                made = self._caller.call(state.node, values, self._token(state))
            else:
                made = self._each(state, list(items))
            self._complete(state, made)

    async def work_async(self, state: State, end: End) -> None:
        """Run an `async` node; called on the loop."""
        with self._reported(state, end):
            self._start(state)
            values, items = enter(state.node, self._handed(state))
            if items is None:
                made = await self._caller.call_async(state.node, values, self._token(state))
            else:
                found = [
                    await self._caller.call_async(state.node, item, self._token(state, count))
                    for count, item in enumerate(items)
                ]
                made = gather(state.node, found, None)
            self._complete(state, made)

    def _start(self, state: State) -> None:
        state.started = time.perf_counter()
        if self._cancel.is_set():
            raise Cancelled
        state.reason = self._why(state)
        self._emit(NodeStarted(self._run, state.node.id, state.node.spec.id, state.reason))
        state.started = time.perf_counter()

    @contextlib.contextmanager
    def _reported(self, state: State, end: End) -> Iterator[None]:
        """Whatever a call raises becomes an outcome; the work is counted as ended in any case."""
        node = state.node
        try:
            yield
        except _LostInput as lost:
            with self._lock:
                self._demand.skipped(state, lost.cause)
        except (Cancelled, asyncio.CancelledError):
            with self._lock:
                state.seconds = time.perf_counter() - state.started
                state.phase = Phase.SKIPPED
                state.outcome, state.reason = "cancelled", "the run was cancelled"
        except BaseException as error:  # noqa: BLE001  (a node may raise anything; it is reported)
            self._fail(state, failure(node, error))
        finally:
            end()

    def _fail(self, state: State, error: NodeError) -> None:
        cause = error.__cause__
        # What nodeflow raises on purpose says all in its sentence.
        unexpected = cause is not None and not isinstance(cause, NodeflowError)
        trace = "".join(traceback.format_exception(cause)) if unexpected else ""
        with self._lock:
            state.seconds = time.perf_counter() - state.started
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
            if self._previous is None:
                self._previous = self._stores.parts(
                    [self._memo(name) for name in self._demand.states]
                )
            previous = self._previous
            parts = node.parts(self._demand.key_of)
            self._parts[self._memo(node.id)] = parts
        known = previous.get(self._memo(node.id))
        return explain(known if isinstance(known, dict) else None, parts)

    def _memo(self, node_id: str) -> str:
        # No NUL: SQLite's JSON functions cut a text there.
        return f"{self._name}\n{node_id}"

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
                values[port.name] = Lazy(_at_once(values[port.name]))
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
        while True:
            # Cancelling drops what waits in the lanes, so the value may never arrive.
            done, _ = await asyncio.wait([arrived], timeout=0.1)
            if done:
                break
            if self._cancel.is_set():
                raise Cancelled
        source = arrived.result()
        if source.made is None:
            raise _LostInput(source)
        names = [port.name for port in source.node.spec.outputs]
        return source.made.outputs[names.index(link.output)]

    def _each(self, state: State, items: list[Inputs]) -> Made:
        """A mapped node: each item has a key by content, so that a longer list costs only the new."""
        node = state.node
        found: list[Made] = []
        keys: list[str] = []
        pure = node.spec.cache == "auto"
        for count, values in enumerate(items):
            if self._cancel.is_set():
                raise Cancelled
            key = self._item_key(node, values) if pure else None
            made = None
            if key is not None:
                made = self._stores.recall(key) or self._stores.fetch_item(node, key)
            if made is None:
                started = time.perf_counter()
                made = self._caller.call(node, values, self._token(state, count, key))
                if key is not None:
                    self._store_item(node, key, made, time.perf_counter() - started)
            found.append(made)
            keys.append(key or "")
        return gather(node, found, tuple(keys) if all(keys) else None)

    def _item_key(self, node: PlanNode, values: Mapping[str, object]) -> str | None:
        codecs = self._caller.codecs

        def fingerprint(name: str) -> str:
            link = node.links[name]
            assert isinstance(link, Link)
            type_name = self._demand.states[link.node].node.types[link.output]
            return codecs.of(item_of(type_name) or type_name).fingerprint(values[name])

        return item_key(node, self._demand.key_of, fingerprint)

    def _store_item(self, node: PlanNode, key: str, made: Made, seconds: float) -> None:
        self._stores.keep(node, key, made, seconds, mapped=False)
        self._stores.write(node, key, made, seconds, mapped=False, done=self._log_failure(node))

    def _log_failure(self, node: PlanNode) -> Callable[[Exception | None], None]:
        def done(error: Exception | None) -> None:
            if error is not None:
                self._emit(NodeLog(self._run, node.id, f"it was not stored: {error}"))

        return done

    def _complete(self, state: State, made: Made) -> None:
        node = state.node
        state.seconds = time.perf_counter() - state.started
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
                self._emit(NodeLog(self._run, state.node.id, f"it was not stored: {error}"))
            self._finished(state)

        return done

    def _finished(self, state: State) -> None:
        self._stores.settle(state.tokens)
        self._emit(
            NodeFinished(
                self._run,
                state.node.id,
                "ran",
                state.seconds,
                state.reason,
                state.key or "",
                state.files,
            )
        )

    def remember_parts(self) -> None:
        """Write down what the keys of the nodes that ran were made of."""
        self._stores.remember_parts(self._parts)
