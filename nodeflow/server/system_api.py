"""What a server says of itself and its folders: `/healthz`, `/api/system`, `/api/models`."""

from __future__ import annotations

import asyncio
import shutil
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

import nodeflow
from nodeflow.errors import NodeflowError
from nodeflow.server.logs import last_lines
from nodeflow.server.model_files import Models, model_files
from nodeflow.server.operation import Answer, answer, operation, read_query
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE, State
from nodeflow.server.system_views import SystemView, system_view

routes = web.RouteTableDef()

WRITE_SECONDS = 5.0
"""A journal that needs longer for an empty commit cannot be written."""

ROOM = 16_000_000
"""With fewer bytes free than these the journal cannot be written for long."""


class Health(BaseModel):
    """A server that works."""

    status: str
    version: str


class Freed(BaseModel):
    """What workers hold now.

    Attributes:
        workers: Bytes by worker; null for one that will let go when its job is over.
    """

    workers: dict[str, int | None]


class Log(BaseModel):
    """The newest lines of the log, oldest of them first."""

    lines: list[str]


class ModelsQuery(BaseModel):
    """Which kind of files is meant.

    Attributes:
        kind: Such as `checkpoints`; all kinds if it is empty.
    """

    kind: Annotated[str, Field(max_length=100)] = ""


class LogQuery(BaseModel):
    """How much of the log is wanted."""

    lines: Annotated[int, Field(ge=1, le=5000)] = 200


@routes.get("/healthz")
@operation(
    "Whether the server works",
    tag="system",
    answers={200: Answer("It does.", Health), 503: Answer("It cannot keep jobs.")},
)
async def health(request: web.Request) -> web.StreamResponse:
    """For supervisors; needs no token. 503 while the journal cannot be written."""
    await _refuse_if_unwritable(request.app[STATE])
    return answer(
        Health(status="ok", version=nodeflow.__version__), headers={"Cache-Control": "no-store"}
    )


async def _refuse_if_unwritable(state: State) -> None:
    """Write nothing to the journal, in a transaction like any other.

    Raises:
        HttpError: 503, it cannot be written. No folder is named: anybody may ask.
    """
    try:
        usage = await asyncio.to_thread(shutil.disk_usage, state.settings.data)
        async with asyncio.timeout(WRITE_SECONDS):
            await asyncio.wrap_future(state.journal.append([]))
    except (NodeflowError, OSError, TimeoutError) as error:
        raise HttpError(503, "The journal cannot be written; the server's log says why.") from error
    if usage.free < ROOM:
        raise HttpError(
            503,
            f"The disk of the data folder has {usage.free // 1_000_000} MB left; free some room.",
        )


@routes.get("/api/system")
@operation(
    "Describe the server",
    tag="system",
    answers={200: Answer("The server, its machine and its workers.", SystemView)},
)
async def show_system(request: web.Request) -> web.StreamResponse:
    """Versions, devices, memory, disks, workers and the queue."""
    return answer(await asyncio.to_thread(system_view, request.app[STATE]))


@routes.post("/api/system/free")
@operation(
    "Unload models and empty the memory store",
    tag="system",
    answers={200: Answer("What workers hold now.", Freed)},
)
async def free(request: web.Request) -> web.StreamResponse:
    """What is on disk stays. A worker that runs a job does it when that is over."""
    return answer(Freed(workers=await request.app[STATE].queue.free()))


@routes.get("/api/system/log")
@operation(
    "Read the newest lines of the log",
    tag="system",
    query=LogQuery,
    answers={200: Answer("The lines.", Log), 400: Answer("The query is wrong.")},
)
async def show_log(request: web.Request) -> web.StreamResponse:
    """Of the server, and of what workers write to standard error."""
    query = read_query(request, LogQuery)
    path = request.app[STATE].settings.data / "logs" / "server.log"
    return answer(Log(lines=await asyncio.to_thread(last_lines, path, query.lines)))


@routes.get("/api/models")
@operation(
    "List the files that nodes can load",
    tag="models",
    query=ModelsQuery,
    answers={
        200: Answer("Files by kind.", Models),
        400: Answer("The query is wrong."),
        404: Answer("There is no such kind."),
    },
)
async def list_models(request: web.Request) -> web.StreamResponse:
    """A name is what a workflow calls the file by."""
    query = read_query(request, ModelsQuery)
    catalog = request.app[STATE].catalog
    registry, roots = catalog.registry, catalog.roots
    kinds = list(roots.folders)
    if query.kind and query.kind not in kinds:
        raise HttpError(
            404, f"There is no kind of files '{query.kind}'; there are: {', '.join(kinds)}."
        )
    found = await asyncio.to_thread(
        model_files, registry, roots, [query.kind] if query.kind else kinds, catalog.digests
    )
    return answer(found)
