"""PackWatch: sees that a pack was edited, added or removed, and has it read again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from watchfiles import Change, awatch

from nodeflow.server.catalog import NodeCatalog

logger = logging.getLogger(__name__)

_DEBOUNCE = 300
"""Editors write a file in several steps; the last is waited for, in milliseconds."""

_LOOK = 5_000
"""How often folders are looked for that were not there before, in milliseconds."""

_PAUSE = 5.0
"""How long to wait after the system refused to watch, in seconds."""


class PackWatch:
    """Watches the folders of packs and installed packs for as long as it is open.

    Args:
        catalog: Knows where the packs are.
        folders: The folders of packs, of which some may not exist yet.
        changed: Called on the loop once packs are another: have every worker read them.
    """

    def __init__(
        self, catalog: NodeCatalog, folders: tuple[Path, ...], changed: Callable[[], None]
    ) -> None:
        self._catalog = catalog
        self._folders = folders
        self._changed = changed
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._asked: Mapping[str, str] = {}

    def start(self) -> None:
        """Watch from now on."""
        self._task = asyncio.create_task(self._watch(), name="pack watch")

    async def close(self) -> None:
        """Stop watching, and wait until the thread that does it has ended."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def _watch(self) -> None:
        self._asked = await asyncio.to_thread(lambda: self._catalog.seen)
        while not self._stop.is_set():
            try:
                await self._watch_those_there()
            except (OSError, RuntimeError) as error:
                # No more watches to be had (inotify's limit), or a folder has just gone.
                logger.warning("Packs cannot be watched for edits: %s. Trying again.", error)
                await self._wait(_PAUSE)

    async def _watch_those_there(self) -> None:
        """Watch what exists, until something else does."""
        places = await asyncio.to_thread(self._places)
        if not places:
            await self._wait(_LOOK / 1000)
            return
        watch = awatch(
            *places,
            watch_filter=_is_source,
            debounce=_DEBOUNCE,
            stop_event=self._stop,
            rust_timeout=_LOOK,
            yield_on_timeout=True,
        )
        looked = False
        async for changes in watch:
            # Once without a change too: nobody told of those before the watch began.
            if changes or not looked:
                looked = True
                await self._ask_if_changed()
            now = await asyncio.to_thread(self._places if changes else self._there)
            if not now <= places or (changes and now != places):
                return

    async def _ask_if_changed(self) -> None:
        now = await asyncio.to_thread(self._catalog.look)
        if now == self._asked:
            return
        names = sorted(
            name for name in now.keys() | self._asked if now.get(name) != self._asked.get(name)
        )
        logger.info("Reading packs again: %s changed.", ", ".join(names))
        self._asked = now
        self._changed()

    def _there(self) -> set[Path]:
        return {folder for folder in self._folders if folder.is_dir()}

    def _places(self) -> set[Path]:
        """Folders to watch: those of packs, and packs that lie elsewhere."""
        there = self._there()
        resolved = [folder.resolve() for folder in there]
        # Through links, since nobody tells of changes behind one.
        packs = {folder.resolve() for folder in self._catalog.pack_folders()}
        return there | {
            pack
            for pack in packs
            if pack.is_dir() and not any(pack.is_relative_to(folder) for folder in resolved)
        }

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    async def __aenter__(self) -> PackWatch:
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _is_source(change: Change, path: str) -> bool:
    """Whether a change can make a pack another one; see `PackSource.files`."""
    parts = Path(path).parts
    return "__pycache__" not in parts and (path.endswith(".py") or change is not Change.modified)
