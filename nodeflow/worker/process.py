"""The worker process: an engine that does what the inbox says until nothing more will come."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
from collections.abc import Iterable

from filelock import AcquireReturnProxy, FileLock, Timeout

from nodeflow.devices import DeviceFacts, recall_device
from nodeflow.engine import Engine
from nodeflow.errors import PackError
from nodeflow.outputs import remove_unfinished
from nodeflow.remembered import JsonMemory
from nodeflow.runs.console import captured
from nodeflow.settings import Settings
from nodeflow.worker.gauge import Gauge
from nodeflow.worker.inbox import Errand, Inbox, Running
from nodeflow.worker.jobs import Jobs, pin_of
from nodeflow.worker.messages import Forget, Free, Freed, Message, PacksRead, ReadPacks, Ready
from nodeflow.worker.outbox import Outbox
from nodeflow.worker.pipe import Pipe

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.02
"""How often it is seen whether an older worker has ended."""


class Worker:
    """Does one thing after the other."""

    def __init__(self, engine: Engine, pipe: Pipe, inbox: Inbox, outbox: Outbox) -> None:
        self._engine = engine
        self._pipe = pipe
        self._inbox = inbox
        self._outbox = outbox
        self._jobs = Jobs(engine, outbox, inbox.watched)

    def tell(self, message: Message) -> None:
        """Send a message at once, after what waits to be sent."""
        self._outbox.put(message)
        self._outbox.flush()

    def work(self) -> None:
        """Do what the inbox says until it is stopped."""
        while (item := self._inbox.next()) is not None:
            if isinstance(item, Running):
                ended = self._jobs.run(item)
                # Cut short by a stop, it is not over: the next worker goes on with it.
                if not (self._inbox.stopped and ended.status == "cancelled"):
                    self.tell(ended)
            else:
                self._run_errand(item)

    def _run_errand(self, errand: Errand) -> None:
        try:
            match errand:
                case Free():
                    self._engine.free()
                case ReadPacks():
                    self.tell_packs(self._engine.read_packs())
                case Forget():
                    self._engine.unpin(map(pin_of, errand.jobs))
        except Exception:  # an errand is no reason to end
            logger.exception("The worker could not do '%s'", errand.kind)
        if isinstance(errand, Free):
            self.tell(Freed(self._pipe.rss))

    def tell_packs(self, errors: Iterable[PackError]) -> None:
        """Say that the packs were read, and which cannot be used."""
        found = [
            {"pack": error.pack, "sentence": error.sentence, "trace": error.trace}
            for error in errors
        ]
        self.tell(PacksRead(found))


def work(
    name: str, device: str, precision: str, pipe: Pipe, inbox: Inbox, outbox: Outbox, gauge: Gauge
) -> None:
    """Be the worker `name` until it is stopped.

    Raises:
        SettingsError: A setting cannot be used.
    """
    settings = Settings()
    with (
        captured(),
        Engine(settings, device=device, precision=precision, anywhere=False) as engine,
    ):
        for warning in engine.warnings:
            logger.warning(warning)
        worker = Worker(engine, pipe, inbox, outbox)
        worker.tell_packs(engine.registry.errors)
        gauge.watch(engine.info)
        # What the packs declare stays until the end; the collector need not look through it.
        gc.collect()
        gc.freeze()
        alone = _taken_alone(settings, name, inbox)
        if alone is None:
            return
        with alone:
            remove_unfinished(settings.data / "outputs")
            facts = recall_device(device, precision, JsonMemory(settings.cache / "devices.json"))
            worker.tell(Ready(os.getpid(), _described(facts, device, precision)))
            worker.work()


def _taken_alone(
    settings: Settings, name: str, inbox: Inbox
) -> AcquireReturnProxy[FileLock] | None:
    """A lock, once no other process is the worker of this name: so no job runs in two of them.

    None if the worker was stopped before.
    """
    folder = settings.data / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"worker-{name}.lock")
    while not inbox.stopped:
        with contextlib.suppress(Timeout):
            return lock.acquire(timeout=0.5, poll_interval=LOOK_SECONDS)
    return None


def _described(facts: DeviceFacts | None, device: str, precision: str) -> dict[str, str]:
    if facts is None:
        return {"name": device, "precision": precision}
    found = facts.device
    return {"name": found.name, "precision": found.precision.value, "kind": facts.kind}
