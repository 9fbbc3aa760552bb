"""System views: what `/api/system` tells of a server, its machine and its workers."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import BaseModel, JsonValue

import nodeflow
from nodeflow.server.state import State
from nodeflow.server.worker_process import WorkerProcess

_LIBRARIES = ("torch", "diffusers", "transformers", "aiohttp", "pillow")


class WorkerView(BaseModel):
    """A worker process.

    Attributes:
        state: It runs jobs once it is ready; `stopped` if there is no process at the moment.
        rss: Bytes of memory when it was last heard of.
        device: Name and precision of what it computes on; empty before it is ready.
        memory: What its stores hold.
    """

    name: str
    state: Literal["ready", "starting", "stopped"]
    pid: int | None
    rss: int
    device: dict[str, JsonValue]
    memory: dict[str, JsonValue]


class FolderView(BaseModel):
    """A folder of the server, with the bytes of its disk."""

    path: str
    free: int
    total: int


class BudgetView(BaseModel):
    """Budgets from the settings, in bytes; `cpu_threads` is a number of threads."""

    memory: int
    device_memory: int
    model_memory: int
    disk: int
    cpu_threads: int


class SystemView(BaseModel):
    """A server, its machine and its workers.

    Attributes:
        versions: Of nodeflow, Python and the libraries that matter.
        started: Seconds since 1970.
        uptime: Seconds.
        rss: Bytes of memory of the server itself, without workers.
        memory_total: Bytes of memory of the machine.
        memory_available: Of these, what can be had.
        jobs: How many there are by status.
        paused: No job is begun.
        deaths: How many workers have died.
        broken_packs: Packs that cannot be used; `/api/nodes` says why.
    """

    versions: dict[str, str]
    platform: str
    pid: int
    started: float
    uptime: float
    cpus: int
    rss: int
    memory_total: int
    memory_available: int
    folders: dict[str, FolderView]
    workers: list[WorkerView]
    jobs: dict[str, int]
    paused: bool
    deaths: int
    broken_packs: list[str]
    settings: BudgetView


def system_view(state: State) -> SystemView:
    """What there is to tell now; looks at disks and the journal, so not on the loop."""
    process = psutil.Process()
    memory = psutil.virtual_memory()
    settings = state.settings
    started = process.create_time()
    return SystemView(
        versions=_versions(),
        platform=platform.platform(),
        pid=process.pid,
        started=started,
        uptime=max(0.0, time.time() - started),
        cpus=psutil.cpu_count() or 1,
        rss=process.memory_info().rss,
        memory_total=memory.total,
        memory_available=memory.available,
        folders=_folders(state),
        workers=[_worker(name, worker) for name, worker in sorted(state.queue.workers.items())],
        jobs=state.journal.counts(),
        paused=state.queue.paused,
        deaths=state.queue.deaths,
        broken_packs=sorted({error.pack for error in state.catalog.errors}),
        settings=BudgetView(
            memory=settings.memory,
            device_memory=settings.device_memory,
            model_memory=settings.model_memory,
            disk=settings.disk,
            cpu_threads=settings.cpu_threads,
        ),
    )


def _versions() -> dict[str, str]:
    versions = {"nodeflow": nodeflow.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _folders(state: State) -> dict[str, FolderView]:
    settings = state.settings
    named = {"data": settings.data, "outputs": state.outputs, "cache": settings.cache}
    named |= {f"models {place}": folder for place, folder in enumerate(settings.models, 1)}
    return {name: _folder(path) for name, path in named.items()}


def _folder(path: Path) -> FolderView:
    # One that was not made yet will lie on the disk of the nearest that is there.
    there = next(place for place in (path, *path.parents) if place.exists())
    usage = shutil.disk_usage(there)
    return FolderView(path=str(path), free=usage.free, total=usage.total)


def _worker(name: str, worker: WorkerProcess) -> WorkerView:
    return WorkerView(
        name=name,
        state="ready" if worker.ready else "starting" if worker.pid is not None else "stopped",
        pid=worker.pid,
        rss=worker.rss,
        device=_plain(worker.device),
        memory=_plain(worker.memory),
    )


def _plain(told: Mapping[str, Any]) -> dict[str, JsonValue]:
    return dict(told)
