"""The parts of a server without its processes: real journal, catalog, queue and HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from nodeflow.job_events import JobFinished, JobStarted
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Document, NewJob, ResultFile
from nodeflow.packs import find_packs
from nodeflow.registry import Registry
from nodeflow.server import (
    extensions_api,
    inputs_api,
    metrics,
    nodes_api,
    results_api,
    sending,
    settings_api,
    system_api,
    uploads_api,
    values_api,
)
from nodeflow.server.access import Access
from nodeflow.server.catalog import NodeCatalog
from nodeflow.server.data_lock import DataLock
from nodeflow.server.desk import Desk
from nodeflow.server.dispatcher import Dispatcher
from nodeflow.server.editor_settings import EditorSettings
from nodeflow.server.hub import Hub
from nodeflow.server.ledger import Ledger
from nodeflow.server.limits import Limits
from nodeflow.server.problems import problem_middleware
from nodeflow.server.queue import Queue
from nodeflow.server.shelf import Shelf
from nodeflow.server.state import STATE, State
from nodeflow.server.webhooks import Webhooks
from nodeflow.server.worker_process import WorkerProcess
from nodeflow.settings import Settings

MODULES = (
    extensions_api,
    inputs_api,
    metrics,
    nodes_api,
    results_api,
    settings_api,
    system_api,
    uploads_api,
    values_api,
)

Client = TestClient[web.Request, web.Application]


@dataclass
class Parts:
    """A server without workers, and a client of it."""

    client: Client
    state: State

    @property
    def data(self) -> Path:
        return self.state.settings.data

    def save(self, path: Path, content: bytes, media_type: str = "image/png") -> str:
        """Write a file, and put it into the journal as a result; its digest comes back."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self.keep(path, media_type=media_type)

    def keep(self, path: Path, *, media_type: str = "image/png", digest: str = "") -> str:
        """Put a file that is there into the journal, as what a job of its own made."""
        journal = self.state.journal
        name = f"job{journal.bounds()[1]}"
        journal.submit([NewJob(name, "test", Document("d0", "{}", nodes=1))]).result()
        journal.append([JobStarted(name, "worker")]).result()
        digest = digest or f"{journal.bounds()[1]:032x}"
        file = ResultFile(
            digest, str(path), path.name, media_type, path.stat().st_size, None, None, name
        )
        journal.finish(JobFinished(name, "done", 0.5, counts={"ran": 1}), {}, [file]).result()
        return digest


def settings_of(folder: Path, *packs: Path) -> Settings:
    """Settings with all folders below one."""
    return Settings(data=folder / "data", cache=folder / "cache", packs=packs)


def remember_packs(settings: Settings) -> Registry:
    """What a worker does when it starts."""
    return Registry.discover(find_packs(settings.packs), settings.cache / "specs")


def errors_of(registry: Registry) -> list[dict[str, str]]:
    """What the worker says of broken packs then."""
    return [
        {"pack": error.pack, "sentence": error.sentence, "trace": error.trace}
        for error in registry.errors
    ]


@contextlib.asynccontextmanager
async def parts(settings: Settings, *workers: WorkerProcess) -> AsyncIterator[Parts]:
    """A server at work, on a socket of its own."""
    numbers = metrics.Metrics()
    app = web.Application(middlewares=[metrics.metrics_middleware(numbers), problem_middleware])
    app[metrics.METRICS] = numbers
    for module in MODULES:
        app.add_routes(module.routes)
    app.cleanup_ctx.append(_state_of(settings, workers))
    app.cleanup_ctx.append(metrics.metrics_context)
    app.cleanup_ctx.append(sending.thumbs_context)
    app.cleanup_ctx.append(uploads_api.uploads_context)
    app.cleanup_ctx.append(values_api.values_context)
    async with TestClient(TestServer(app)) as client:
        yield Parts(client, app[STATE])


def _state_of(
    settings: Settings, workers: tuple[WorkerProcess, ...]
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def state(app: web.Application) -> AsyncIterator[None]:
        with DataLock(settings.data) as lock:
            journal = Journal(settings.data / "journal")
            hub = Hub(_nothing_to_read, journal.bounds)
            ledger = Ledger(journal)
            outputs = str(settings.data / "outputs")
            dispatcher = Dispatcher(ledger, hub, outputs, workers, lambda name, message: None)
            catalog = NodeCatalog(settings)
            app[STATE] = State(
                settings=settings,
                journal=journal,
                catalog=catalog,
                desk=Desk(catalog, settings.data / "journal", None, _nothing_to_find),
                hub=hub,
                queue=Queue(ledger, dispatcher),
                shelf=Shelf(settings.data / "workflows", None, journal),
                editor=EditorSettings(settings.data, journal),
                access=Access(),
                limits=Limits(),
                webhooks=Webhooks(journal, b"secret", private=True),
                lock=lock,
            )
            yield
            dispatcher.close()
            ledger.close()
            await hub.close()
            journal.close()

    return state


def _nothing_to_read(after: int, limit: int, job: str = "") -> Awaitable[list[object]]:
    raise AssertionError("no test here watches events")


async def _nothing_to_find(*named: object) -> str:
    raise AssertionError("no test here hands in a workflow")
