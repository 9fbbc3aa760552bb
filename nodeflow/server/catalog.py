"""NodeCatalog: what the packs declare, from what is remembered of them; no pack is imported."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from blake3 import blake3

from nodeflow.errors import PackError
from nodeflow.job_events import NodesChanged
from nodeflow.keys import FileDigests
from nodeflow.packs import PackSource, find_packs
from nodeflow.registry import Registry
from nodeflow.remembered import JsonMemory
from nodeflow.roots import Roots
from nodeflow.server.light_hooks import LightRegistry
from nodeflow.settings import Settings

PATIENCE = 60.0
"""How long to wait for a worker that reads packs of which nothing is remembered, in seconds."""


@dataclass(frozen=True)
class Listing:
    """The answer of `/api/nodes`.

    Attributes:
        body: As JSON.
        packed: The same with gzip.
        etag: Its digest.
    """

    body: bytes
    packed: bytes
    etag: str


@dataclass(frozen=True)
class _Known:
    """One state of the catalog; it is replaced as a whole."""

    registry: Registry
    roots: Roots
    seen: Mapping[str, str]
    listing: Listing


class NodeCatalog:
    """All nodes as data, for checks and for `/api/nodes`; the worker reads packs, this does not.

    What reads files here blocks and may be called from any thread; what is asked for is at hand.

    Args:
        settings: Where packs, models and what is remembered are.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._known: _Known | None = None
        self._faults: tuple[PackError, ...] | None = None
        self._waiting: list[asyncio.Event] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self.generation = 0
        self.digests = FileDigests(JsonMemory(settings.cache / "files.json"))
        """Of model files; nothing is written before two of them look equal."""

    @property
    def registry(self) -> Registry:
        """The nodes of all packs; hooks in it never import anything heavy."""
        return self._state.registry

    @property
    def roots(self) -> Roots:
        """The folders that file inputs are looked up in; nothing outside is reached."""
        return self._state.roots

    @property
    def errors(self) -> tuple[PackError, ...]:
        """Why packs cannot be used, or not as they are today."""
        return self._state.registry.errors

    @property
    def listing(self) -> Listing:
        """The answer of `/api/nodes`, whose parts belong together."""
        return self._state.listing

    @property
    def body(self) -> bytes:
        """The answer of `/api/nodes` as JSON."""
        return self._state.listing.body

    @property
    def etag(self) -> str:
        """Digest of the body."""
        return self._state.listing.etag

    @property
    def seen(self) -> Mapping[str, str]:
        """What the source of each pack was when `load` looked at it."""
        return self._state.seen

    @property
    def is_ready(self) -> bool:
        """Whether there is something to say of every pack."""
        registry = self._state.registry
        return self._faults is not None or all(
            pack in registry.declared for pack in registry.pending
        )

    async def ready(self) -> None:
        """Wait until every pack is known: remembered, or read by the worker."""
        if self._known is None:
            await asyncio.to_thread(self._first)
        event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._waiting.append(event)
        try:
            if not self.is_ready:
                await event.wait()
        finally:
            self._waiting.remove(event)

    async def known(self) -> None:
        """Wait for packs that were never read; after a while what is known must do."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.ready()

    def load(self) -> None:
        """Look at what is remembered of the packs that there are now."""
        with self._lock:
            self._load()

    def look(self) -> Mapping[str, str]:
        """For each pack what stands for its source as it is on the disk now."""
        return _digests(self.sources())

    def pack_folders(self) -> list[Path]:
        """Where the packs are that there are now, those that do not work too."""
        return [pack.folder for pack in self.sources()]

    def sources(self) -> Sequence[PackSource]:
        """The packs that there are now, as they lie on the disk."""
        return find_packs(self._settings.packs).packs

    def packs_read(self, errors: Sequence[Mapping[str, str]]) -> NodesChanged | None:
        """The worker has read the packs: look again; None if all is as before.

        Args:
            errors: `{"pack", "sentence", "trace"}` of each pack that cannot be used.
        """
        with self._lock:
            before = self._known.listing.etag if self._known is not None else ""
            self._faults = tuple(
                PackError(item["pack"], item["sentence"], item.get("trace", "")) for item in errors
            )
            after = self._load()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)
        if after.listing.etag == before:
            return None
        return NodesChanged(tuple(str(error) for error in after.registry.errors))

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    @property
    def _state(self) -> _Known:
        return self._known or self._first()

    def _first(self) -> _Known:
        with self._lock:
            return self._known or self._load()

    def _load(self) -> _Known:
        settings = self._settings
        found = find_packs(settings.packs)
        seen = _digests(found.packs)
        registry = LightRegistry.remembered(found, settings.cache / "specs")
        if self._faults is not None:
            # The worker has found the same packs, and says more of them.
            registry = replace(registry, errors=self._faults)
        folders = [pack.folder for pack in found.packs]
        roots = Roots.of(settings.models, settings.inputs, folders, anywhere=False)
        body = _body(registry, read=self._faults is not None)
        listing = Listing(body, gzip.compress(body, 6, mtime=0), blake3(body).hexdigest(16))
        known = self._known = _Known(registry, roots, seen, listing)
        self.generation += 1
        return known


def _body(registry: Registry, *, read: bool) -> bytes:
    """All nodes as JSON; `pending` names packs that the worker has yet to read."""
    pending = [] if read else list(registry.pending)
    told = {**registry.as_json(), "pending": pending}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _digests(packs: Sequence[PackSource]) -> dict[str, str]:
    digests = {}
    for pack in packs:
        try:
            digests[pack.name] = f"{pack.folder}: {pack.digest()}"
        except OSError:  # a file has just gone, or may not be read; the worker says which
            digests[pack.name] = f"{pack.folder}: unreadable"
    return digests
