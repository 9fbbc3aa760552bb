"""A desk with a real catalog and, if wanted, its real helper process."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nodeflow.packs import Found, find_packs
from nodeflow.registry import Registry
from nodeflow.server.catalog import NodeCatalog
from nodeflow.server.desk import Desk
from nodeflow.server.limits import Limits
from nodeflow.server.problems import HttpError
from nodeflow.server.submitting import SubmitBody, SubmitText
from nodeflow.server.worker_process import WorkerProcess, environment_of
from nodeflow.settings import Settings

TESTS = Path(__file__).parents[1]
FOLDERS = (TESTS / "packs", TESTS / "server" / "packs")


def settings_in(folder: Path) -> Settings:
    """Settings whose cache remembers the packs of the tests; nothing is known of the others."""
    settings = Settings(data=folder / "data", cache=folder / "cache", packs=FOLDERS)
    found = find_packs(settings.packs)
    ours = tuple(pack for pack in found.packs if pack.by_path)
    Registry.discover(Found(ours, ()), settings.cache / "specs")
    return settings


def catalog_of(settings: Settings) -> NodeCatalog:
    """A catalog that waits for no worker to read packs."""
    catalog = NodeCatalog(settings)
    catalog.load()
    catalog.packs_read([])
    return catalog


@dataclass
class Shop:
    """A desk, and saved workflows by path for it to look up.

    Attributes:
        process: The helper, if there is one.
    """

    desk: Desk
    process: WorkerProcess | None
    saved: dict[str, bytes | Path] = field(default_factory=dict)

    @property
    def left(self) -> list[str]:
        """Files that wait in the desk's folder."""
        return sorted(path.name for path in self.desk.incoming.iterdir())

    def spill(self, body: object) -> SubmitText:
        """A body in a file, as a large one comes."""
        path = self.desk.incoming / f"{time.monotonic_ns()}.body"
        path.write_bytes(text_of(body))
        return SubmitText(file=path, digest="of-a-large-body")


@asynccontextmanager
async def open_shop(
    folder: Path, *, helper: bool = False, limits: Limits | None = None, **options: Any
) -> AsyncIterator[Shop]:
    """A desk on folders of its own."""
    settings = settings_in(folder)
    process = None
    if helper:
        process = WorkerProcess(
            "desk",
            options.pop("module", "nodeflow.server.desk_process"),
            environment=environment_of(settings),
            **options,
        )
    saved: dict[str, bytes | Path] = {}

    async def find(body: SubmitBody) -> bytes | Path:
        if body.path not in saved:
            raise HttpError(404, f"There is no workflow '{body.path}'.")
        return saved[body.path]

    desk = Desk(catalog_of(settings), settings.data / "journal", process, find, limits=limits)
    try:
        if process is not None:
            await process.start()
        yield Shop(desk, process, saved)
    finally:
        if process is not None:
            await process.stop()
        desk.close()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A desk without a helper."""
    async with open_shop(tmp_path) as shop:
        yield shop


@pytest.fixture
async def helped(tmp_path: Path) -> AsyncIterator[Shop]:
    """A desk with its real helper process."""
    async with open_shop(tmp_path, helper=True) as shop:
        yield shop


def text_of(body: object) -> bytes:
    """A body as it is sent."""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def given(**body: Any) -> SubmitText:
    """A short body."""
    return SubmitText(text_of(body))


def document(nodes: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A workflow that adds two numbers, or one of `nodes`."""
    own = {"sum": {"type": "tools.add", "inputs": {"a": 1, "b": 2}}}
    data: dict[str, Any] = {"nodeflow": 1, "name": "adding", "nodes": nodes or own}
    if nodes is None:
        data |= {
            "inputs": {"first": {"node": "sum", "input": "a"}},
            "outputs": {"sum": {"node": "sum"}},
        }
    return data | more


def seeded(seed: object = 5, **inputs: Any) -> dict[str, Any]:
    """A workflow with a seed."""
    return document({"noise": {"type": "dice.roll", "inputs": {"seed": seed, **inputs}}})


def chain(count: int, padding: int = 0) -> dict[str, Any]:
    """A workflow of many nodes, each with so many letters of layout."""
    nodes: dict[str, Any] = {}
    for number in range(count):
        inputs: dict[str, Any] = {"a": number}
        if number:
            inputs["b"] = {"node": f"n{number - 1}"}
        nodes[f"n{number}"] = {"type": "tools.add", "inputs": inputs, "note": "x" * padding}
    return document(nodes, outputs={"end": {"node": f"n{count - 1}"}})


class Pinger:
    """Measures for how long the event loop is held up."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Pinger:
        self._task = asyncio.create_task(self._ping())
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._task is not None
        self._task.cancel()

    async def _ping(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.worst = max(self.worst, time.perf_counter() - before - 0.001)
