"""Demand: which nodes must run for the targets, worked out while keys and values become known.

This is bookkeeping only: it computes nothing and starts no thread. The runner holds a lock around
it, tells it what happened, and takes the nodes that are ready. No step recurses, so a chain may be
as deep as memory allows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from nodeflow.events import Outcome
from nodeflow.keys import content_key, output_key
from nodeflow.plan import Plan
from nodeflow.runs.states import OVER, Phase, State
from nodeflow.runs.stores import Made, Stores
from nodeflow.workflow import Link


class Demand:
    """The states of all nodes of one run.

    Args:
        plan: What there is.
        stores: Where values may be.
        on_disk: Keys of the plan that the disk store had when the run began.
        ready: Called with a node whose inputs are all in hand.
        fetch: Called with a node whose value must be read from disk.
        settled: Called once for each node that was found or skipped without running.
    """

    def __init__(
        self,
        plan: Plan,
        stores: Stores,
        on_disk: set[str],
        ready: Callable[[State], None],
        fetch: Callable[[State], None],
        settled: Callable[[State], None],
    ) -> None:
        self._stores = stores
        self._on_disk = on_disk
        self._ready = ready
        self._fetch = fetch
        self._settled = settled
        keys = plan.keys
        # Values may be asked for late: by a Lazy input, or once a key is known.
        self._late = any(node.lazy or node.spec.cache == "never" for node in plan.nodes.values())
        self.states = {name: State(node, keys.get(name)) for name, node in plan.nodes.items()}
        for link in plan.outputs.values():
            self.states[link.node].exposed = True
        self._owners: dict[str, State] = {}
        self._todo: deque[State] = deque()

    def want(self, node_id: str) -> State:
        """See to it that a node is found in a store, or run."""
        state = self.states[node_id]
        if not state.wanted:
            state.wanted = True
            if state.phase is Phase.IDLE:
                self._todo.append(state)
        self._drain()
        return state

    def need(self, node_id: str, listener: Callable[[State], None] | None = None) -> State:
        """See to it that a node's value comes in hand, and stays there while the run lasts.

        `listener` is called once it is in hand, or will never be.
        """
        state = self.states[node_id]
        state.held = True
        return self._listen(state, listener)

    def wait_for(
        self, state: State, name: str, link: Link, listener: Callable[[State], None]
    ) -> None:
        """Let a running node await a Lazy input; `listener` as for `need`."""
        source = self.states[link.node]
        source.consumers += 1
        state.awaited.append((name, link))
        self._listen(source, listener)

    def _listen(self, state: State, listener: Callable[[State], None] | None) -> State:
        if listener is not None:
            if state.phase is Phase.DONE or state.phase in OVER:
                listener(state)
                return state
            state.listeners.append(listener)
        self._need(state)
        self._drain()
        return state

    def _need(self, state: State) -> None:
        state.needed = state.wanted = True
        if state.phase is Phase.IDLE:
            self._todo.append(state)
        elif state.phase is Phase.FOUND:
            self._take(state)

    def _drain(self) -> None:
        while self._todo:
            state = self._todo.popleft()
            if state.phase is Phase.IDLE:
                self._advance(state)

    def _advance(self, state: State) -> None:
        if state.key is None and state.content is None and not self._find_key(state):
            return
        if state.key is not None and not state.wanted:
            return
        if state.key is None or not self._locate(state):
            self._prepare(state)

    def key_of(self, link: Link) -> str | None:
        """The key of the value that a link carries, once it is known."""
        source = self.states[link.node]
        if source.content is not None:
            return source.content[link.output]
        return None if source.key is None else output_key(source.key, link.output)

    def _find_key(self, state: State) -> bool:
        """Work out a key that the plan could not know; False while keys of inputs are missing."""
        node = state.node
        if node.spec.cache == "never":
            return True
        missing = self._unkeyed(link for _, link in node.sources(lazy=False))
        awaited: tuple[str, ...] | None = None
        if not missing and node.lazy:
            state.base = node.key(self.key_of)
            awaited = self._stores.awaited(state.base) if state.base else None
            if awaited is None:
                return True  # It never ran with these inputs: nobody knows what it will await.
            counted = [link for name, link in node.sources(lazy=True) if name in awaited]
            missing = self._unkeyed(counted)
        if missing:
            state.phase = Phase.KEYING
            state.key_waits = len(missing)
            for source in missing:
                source.key_waiters.append(state)
                if source.phase is Phase.IDLE:
                    self._todo.append(source)
            return False
        self._set_key(state, node.key(self.key_of, awaited))
        return True

    def _unkeyed(self, links: Iterable[Link]) -> list[State]:
        sources = {link.node for link in links if self.key_of(link) is None}
        return [self.states[name] for name in sources]

    def _set_key(self, state: State, key: str | None) -> None:
        state.key = key
        state.dynamic = True
        if key is not None:
            self._stores.pin([key])
        self._tell_keyed(state)

    def _tell_keyed(self, state: State) -> None:
        for waiter in state.key_waiters:
            waiter.key_waits -= 1
            if not waiter.key_waits and waiter.phase is Phase.KEYING:
                waiter.phase = Phase.IDLE
                self._todo.append(waiter)
        state.key_waiters.clear()

    def _locate(self, state: State) -> bool:
        """Look for the value: with another node of this run, in memory, on disk."""
        key = state.key
        assert key is not None
        owner = self._owners.setdefault(key, state)
        if owner is not state and owner.phase not in (*OVER, Phase.IDLE):
            self._follow(state, owner)
            return True
        self._owners[key] = state
        made = self._stores.recall(key)
        if made is not None:
            self._found(state, made, "memory", "kept in memory")
            return True
        on_disk = key in self._on_disk or (state.dynamic and bool(self._stores.present([key])))
        if not on_disk:
            return False
        if not state.node.spec.end:
            self._mark_found(state, "disk", "kept on disk")
            return True
        written = self._stores.files(key)
        if written is not None:
            self._found(state, written, "disk", "its files are unchanged")
        return written is not None

    def _follow(self, state: State, owner: State) -> None:
        """Equal keys compute once: take what another node of this run gives."""
        if owner.made is not None:
            self._found(state, owner.made, "memory", f"the same as '{owner.node.id}'")
            return
        state.phase = Phase.FOLLOWING
        owner.followers.append(state)
        self._need(owner)

    def _found(self, state: State, made: Made, outcome: Outcome, reason: str) -> None:
        state.made = made
        if state.outcome is None:
            state.outcome, state.reason = outcome, reason
            self._settled(state)
        self._in_hand(state, made)

    def _mark_found(self, state: State, outcome: Outcome, reason: str) -> None:
        state.phase = Phase.FOUND
        if state.outcome is None:
            state.outcome, state.reason = outcome, reason
            self._settled(state)
        if state.needed:
            self._take(state)

    def _take(self, state: State) -> None:
        """Bring a value in hand that some store has."""
        made = self._stores.recall(state.key) if state.key is not None else None
        if made is not None:
            self._in_hand(state, made)
        else:
            state.phase = Phase.FETCHING
            self._fetch(state)

    def _prepare(self, state: State) -> None:
        """The node must run: ask for the values of its inputs."""
        state.phase = Phase.WAITING
        state.wanted = True
        # One more than there are, so that none of the calls below makes it ready too early.
        state.waits = 1
        for _, link in state.node.sources(lazy=False):
            source = self.states[link.node]
            source.consumers += 1
            if source.phase is Phase.DONE:
                continue
            if source.phase in OVER:
                self._skip(state, source)
                return
            state.waits += 1
            source.waiters.append(state)
            self._need(source)
        self._count_down(state)

    def _count_down(self, state: State) -> None:
        state.waits -= 1
        if not state.waits and state.phase is Phase.WAITING:
            state.phase = Phase.READY
            self._ready(state)

    def _in_hand(self, state: State, made: Made) -> None:
        state.made = made
        state.items = made.items
        state.phase = Phase.DONE
        waiters, state.waiters = state.waiters, []
        followers, state.followers = state.followers, []
        listeners, state.listeners = state.listeners, []
        for waiter in waiters:
            self._count_down(waiter)
        for follower in followers:
            self._found(follower, made, "memory", f"the same as '{state.node.id}'")
        for listener in listeners:
            listener(state)

    def fetched(self, state: State, made: Made | None) -> None:
        """A value was read from disk; None if it was gone or damaged, so that the node runs."""
        if made is not None:
            self._in_hand(state, made)
        else:
            self._on_disk.discard(state.key or "")
            state.outcome = None
            self._prepare(state)
        self._drain()

    def completed(self, state: State, made: Made, content: dict[str, str] | None) -> None:
        """A node has run.

        Args:
            content: Of a `never` node, output to fingerprint: what its dependants are keyed by.
        """
        state.outcome = "ran"
        if content is not None:
            state.content = {name: content_key(digest) for name, digest in content.items()}
            self._tell_keyed(state)
        self._in_hand(state, made)
        self._let_go(state)
        if not state.consumers and not state.held:
            self._release(state)
        self._drain()

    def _let_go(self, state: State) -> None:
        """A node has run: it needs the values of its inputs no more."""
        for _, link in (*state.node.sources(lazy=False), *state.awaited):
            source = self.states[link.node]
            source.consumers -= 1
            if not source.consumers and not source.held and source.phase is Phase.DONE:
                self._release(source)

    def settle_lazy(self, state: State) -> str | None:
        """The key of a node with Lazy inputs, now that it is known which of them it awaited."""
        names = tuple(dict.fromkeys(name for name, _ in state.awaited))
        if state.base is not None:
            self._stores.remember_awaited(state.base, names, state.seconds)
        self._set_key(state, state.node.key(self.key_of, names))
        return state.key

    def _release(self, state: State) -> None:
        """Nobody waits for the value now: the stores alone keep it, within their budgets."""
        if state.waiters or state.listeners or state.node.spec.end:
            return
        if state.key is not None and (state.stored or state.key in self._on_disk):
            state.phase = Phase.FOUND
            state.made = None
        elif not self._late and not state.exposed:
            state.phase = Phase.IDLE
            state.made = None

    def failed(self, state: State) -> None:
        """A node raised: what depends on it is skipped, everything else goes on."""
        state.phase = Phase.FAILED
        state.outcome = "failed"
        self._abandon(state)
        self._let_go(state)
        self._drain()

    def skipped(self, state: State, cause: State) -> None:
        """A running node could not go on, since a Lazy input of it failed."""
        self._skip(state, cause)
        self._drain()

    def _skip(self, state: State, cause: State) -> None:
        state.phase = Phase.SKIPPED
        state.outcome = "skipped"
        failed = cause.reason if cause.phase is Phase.SKIPPED else f"'{cause.node.id}' failed"
        state.reason = failed
        self._settled(state)
        self._abandon(state)

    def _abandon(self, start: State) -> None:
        """Skip everything that waits for a node that will never give a value."""
        waiting = [start]
        while waiting:
            lost = waiting.pop()
            dependants = [*lost.waiters, *lost.followers, *lost.key_waiters]
            listeners, lost.listeners = lost.listeners, []
            lost.waiters, lost.followers, lost.key_waiters = [], [], []
            for listener in listeners:
                listener(lost)
            for state in dependants:
                if state.phase not in OVER:
                    state.phase = Phase.SKIPPED
                    state.outcome = "skipped"
                    state.reason = lost.reason or f"'{lost.node.id}' failed"
                    self._settled(state)
                    waiting.append(state)
