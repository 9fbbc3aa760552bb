"""The application: all parts of a server put together, started in order and ended in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from nodeflow.errors import NodeflowError
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Kept
from nodeflow.server import (
    docs_page,
    events_api,
    extensions_api,
    inputs_api,
    jobs_api,
    login,
    metrics,
    nodes_api,
    openapi,
    read_api,
    results_api,
    sending,
    settings_api,
    site,
    system_api,
    typed_runs,
    uploads_api,
    values_api,
    workflows_api,
)
from nodeflow.server.access import Access, is_loopback
from nodeflow.server.catalog import NodeCatalog
from nodeflow.server.data_lock import DataLock
from nodeflow.server.desk import Desk
from nodeflow.server.dispatcher import Dispatcher
from nodeflow.server.editor_settings import EditorSettings
from nodeflow.server.hub import Hub
from nodeflow.server.ledger import Ledger
from nodeflow.server.limits import Limits
from nodeflow.server.metrics import METRICS, Metrics, metrics_context, metrics_middleware
from nodeflow.server.named_workflows import NamedWorkflows
from nodeflow.server.pack_watch import PackWatch
from nodeflow.server.problems import problem_middleware
from nodeflow.server.queue import Queue
from nodeflow.server.security import guard
from nodeflow.server.shelf import Shelf, templates_folder
from nodeflow.server.site import SITE, Site
from nodeflow.server.state import STATE, State
from nodeflow.server.webhook_signing import keep_secret
from nodeflow.server.webhooks import Webhooks
from nodeflow.server.worker_process import WorkerProcess, environment_of
from nodeflow.settings import Settings
from nodeflow.worker.messages import Message, PacksRead, ReadPacks

logger = logging.getLogger(__name__)

EXPIRE_SECONDS = 600.0
"""How often jobs are looked for that are too old for the history."""

ROUTES = (
    docs_page,
    events_api,
    extensions_api,
    inputs_api,
    jobs_api,
    login,
    metrics,
    nodes_api,
    openapi,
    read_api,
    results_api,
    settings_api,
    site,
    system_api,
    typed_runs,
    uploads_api,
    values_api,
    workflows_api,
)


@dataclass(frozen=True)
class Options:
    """How a server is started.

    Attributes:
        bind: Address that it listens on.
        device: Of its worker: `auto`, or what `torch.device` takes.
        heartbeat: Seconds without a sign of life after which a worker is ended.
        site: The editor.
    """

    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    bind: str = "127.0.0.1"
    device: str = "auto"
    precision: str = "auto"
    heartbeat: float = 30.0
    site: Site = field(default_factory=Site)


def make_app(settings: Settings, options: Options | None = None) -> web.Application:
    """A server that is not started yet; it takes the data folder when it is.

    Raises (while it starts):
        SettingsError: Another server has the data folder, or it cannot be used.
        StoreError: The journal cannot be used.
    """
    chosen = options or Options()
    counted = Metrics()
    app = web.Application(middlewares=[metrics_middleware(counted), problem_middleware])
    app[METRICS] = counted
    app[SITE] = chosen.site
    guard(app, chosen.access, chosen.limits)
    for module in ROUTES:
        app.add_routes(module.routes)

    async def parts(app: web.Application) -> AsyncIterator[None]:
        async with running(settings, chosen, counted) as app[STATE]:
            yield

    app.cleanup_ctx.extend(
        [
            parts,
            metrics_context,
            sending.thumbs_context,
            uploads_api.uploads_context,
            values_api.values_context,
            openapi.openapi_context,
        ]
    )
    app.on_shutdown.append(_let_watchers_go)
    return app


async def _let_watchers_go(app: web.Application) -> None:
    """Before requests are waited for: those of watchers would last for ever."""
    await app[STATE].hub.close()


@asynccontextmanager
async def running(settings: Settings, options: Options, counted: Metrics) -> AsyncIterator[State]:
    """All parts of a server, at work."""
    async with AsyncExitStack() as stack:
        lock = stack.enter_context(DataLock(settings.data))
        journal = Journal(settings.data / "journal")
        stack.callback(journal.close)
        catalog = NodeCatalog(settings)
        hub = _hub(journal)
        stack.push_async_callback(hub.close)
        worker, helper = _processes(settings, options)
        ledger = Ledger(journal)
        stack.callback(ledger.close)
        outputs = str(settings.data / "outputs")
        dispatcher = Dispatcher(ledger, hub, outputs, [worker], _heard(catalog, ledger))
        stack.callback(dispatcher.close)
        queue = Queue(ledger, dispatcher)
        shelf = Shelf(settings.data / "workflows", templates_folder(), journal)
        desk = Desk(
            catalog,
            settings.data / "journal",
            helper,
            NamedWorkflows(shelf, journal),
            limits=options.limits,
        )
        stack.callback(desk.close)
        webhooks = _webhooks(settings, journal, options)
        state = State(
            settings=settings,
            journal=journal,
            catalog=catalog,
            desk=desk,
            hub=hub,
            queue=queue,
            shelf=shelf,
            editor=EditorSettings(settings.data, journal),
            access=options.access,
            limits=options.limits,
            webhooks=webhooks,
            lock=lock,
        )
        journal.committed = _teller(hub, webhooks, counted)
        journal.timed = counted.on_commit
        for process in (worker, helper):
            stack.push_async_callback(process.stop)
            await process.start()
        queue.start()
        for work in (webhooks.run(), _expire(settings, journal, dispatcher)):
            stack.push_async_callback(_ended, asyncio.create_task(work))
        stack.push_async_callback(_ended, asyncio.create_task(asyncio.to_thread(catalog.load)))

        def packs_changed() -> None:
            worker.send(ReadPacks())

        await stack.enter_async_context(PackWatch(catalog, settings.packs, packs_changed))
        yield state


def _processes(settings: Settings, options: Options) -> tuple[WorkerProcess, WorkerProcess]:
    """The worker that runs jobs, and the helper that checks what is large; not started yet."""
    environment = environment_of(settings)
    worker = WorkerProcess(
        "worker",
        arguments=["--device", options.device, "--precision", options.precision],
        heartbeat=options.heartbeat,
        environment=environment,
    )
    return worker, WorkerProcess("desk", "nodeflow.server.desk_process", environment=environment)


def _heard(catalog: NodeCatalog, ledger: Ledger) -> Callable[[str, Message], None]:
    """What is done with messages of workers that are not about jobs."""

    async def packs_read(message: PacksRead) -> None:
        # It reads files and lays out all nodes as JSON, which takes some 15 ms.
        changed = await asyncio.to_thread(catalog.packs_read, message.errors)
        if changed is not None:
            ledger.keep([changed])

    def heard(name: str, message: Message) -> None:
        if isinstance(message, PacksRead):
            ledger.task(packs_read(message))

    return heard


def _hub(journal: Journal) -> Hub:
    async def read(after: int, limit: int, job: str) -> list[Kept]:
        return await asyncio.to_thread(journal.events_after, after, limit, job)

    return Hub(read, journal.bounds)


def _teller(hub: Hub, webhooks: Webhooks, counted: Metrics) -> Callable[[Sequence[Kept]], None]:
    """What tells the loop of events that are safe; called by the journal's own thread."""
    loop = asyncio.get_running_loop()

    def tell(events: Sequence[Kept]) -> None:
        hub.publish(events)
        counted.on_events(events)
        if any(event.event == "job_finished" for event in events):
            webhooks.wake()

    def committed(events: Sequence[Kept]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(tell, events)

    return committed


def _webhooks(settings: Settings, journal: Journal, options: Options) -> Webhooks:
    return Webhooks(journal, keep_secret(settings.data), private=is_loopback(options.bind))


async def _expire(settings: Settings, journal: Journal, dispatcher: Dispatcher) -> None:
    """Let jobs leave the history that are too old or too many, for ever."""
    while True:
        try:
            days, size = settings.history_days, settings.history
            gone = await asyncio.wrap_future(journal.expire(days=days, size=size))
            dispatcher.forget(gone)
        except NodeflowError as error:
            logger.error("Old jobs could not leave the history: %s", error)
        await asyncio.sleep(EXPIRE_SECONDS)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
