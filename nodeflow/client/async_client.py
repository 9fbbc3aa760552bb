"""AsyncClient: a server of nodeflow, from async code."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nodeflow.client import operations, submission
from nodeflow.client.address import find_address
from nodeflow.client.async_connection import AsyncConnection
from nodeflow.client.async_job import AsyncJob
from nodeflow.client.saved import AsyncWorkflows
from nodeflow.client.submission import Submission, Upload
from nodeflow.client.tail import ServerEvent, Tail
from nodeflow.client.wire import PATIENCE, TIMEOUT, Deadline, Wire
from nodeflow.errors import Problem

if TYPE_CHECKING:
    from nodeflow.client.submission import Document


class AsyncClient:
    """A server of nodeflow, for async code; everything is as in `Client`, and awaited.

    `async for event in client.events(): ...`; see `Client` for arguments and errors.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
    ) -> None:
        address = find_address(url, token)
        self.url = address.url
        self._connection = AsyncConnection(Wire(address, timeout, patience))
        self.workflows = AsyncWorkflows(self._connection)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._connection.close()

    async def submit(
        self,
        workflow: Document | None = None,
        *,
        saved: str = "",
        inputs: Mapping[str, object] | None = None,
        priority: int = 0,
        only: Sequence[str] = (),
        webhook: str = "",
        key: str | None = None,
        **named: object,
    ) -> AsyncJob:
        """Hand in a workflow; it is safe on the server's disk when this returns."""
        handed_in = Submission(
            workflow, saved, {**(inputs or {}), **named}, priority, 1, None, only, webhook
        )
        found = await self._connection.do(operations.submit(handed_in, key))
        return AsyncJob(self._connection, found[0])

    async def submit_batch(
        self,
        workflow: Document | None = None,
        *,
        count: int = 1,
        seeds: Sequence[int] | None = None,
        saved: str = "",
        inputs: Mapping[str, object] | None = None,
        priority: int = 0,
        only: Sequence[str] = (),
        webhook: str = "",
        key: str | None = None,
    ) -> list[AsyncJob]:
        """Hand in `count` jobs that differ in their seeds."""
        number = len(seeds) if seeds else count
        handed_in = Submission(
            workflow, saved, inputs or {}, priority, number, seeds, only, webhook
        )
        found = await self._connection.do(operations.submit(handed_in, key))
        return [AsyncJob(self._connection, data) for data in found]

    async def run(
        self,
        workflow: Document | None = None,
        *,
        saved: str = "",
        inputs: Mapping[str, object] | None = None,
        timeout: float | None = None,
        **named: object,
    ) -> AsyncJob:
        """Hand in a workflow and wait for it; see `submit`."""
        job = await self.submit(workflow, saved=saved, inputs={**(inputs or {}), **named})
        return (await job.wait(timeout)).raise_if_failed()

    async def check(
        self, workflow: Document, inputs: Mapping[str, object] | None = None
    ) -> list[Problem]:
        """Everything that is wrong with a workflow, by what the server has; nothing runs."""
        return await self._connection.do(operations.check(workflow, inputs or {}))

    async def job(self, id: str) -> AsyncJob:
        """A job of the queue or the history."""
        return AsyncJob(self._connection, await self._connection.do(operations.job(id)))

    async def jobs(
        self,
        status: str | Sequence[str] = (),
        *,
        batch: str = "",
        limit: int = 100,
        before: int | None = None,
    ) -> list[AsyncJob]:
        """Jobs, newest first: only of these states or this batch, with a number below `before`."""
        found = await self._connection.do(operations.jobs(status, batch, limit, before))
        return [AsyncJob(self._connection, data) for data in found]

    async def cancel_all(self, status: str | Sequence[str] = ()) -> int:
        """Cancel everything, or only what is `queued` or `running`; how many jobs those were."""
        return await self._connection.do(operations.cancel_all(status))

    async def pause(self) -> None:
        """Let the queue begin no job until `resume`; what runs goes on."""
        await self._connection.do(operations.pause(True))

    async def resume(self) -> None:
        """Let the queue go on."""
        await self._connection.do(operations.pause(False))

    def events(self, after: int | None = None) -> AsyncIterator[ServerEvent]:
        """All events of the server, without end and without a gap, as they happen."""
        return self._connection.tail(Tail(after), Deadline())

    async def upload(self, path: str | os.PathLike[str]) -> Upload:
        """Send a file, to be given to inputs that take one."""
        return await self._connection.do(submission.upload(path))

    async def nodes(self) -> dict[str, Any]:
        """Every node that the server has, by id, as data."""
        return await self._connection.do(operations.nodes())

    async def node(self, type: str) -> dict[str, Any]:
        """One node as data, by its id or an earlier one."""
        return await self._connection.do(operations.node(type))

    async def models(self) -> dict[str, Any]:
        """The files that nodes can load."""
        found: dict[str, Any] = await self._connection.do(operations.get("/api/models"))
        return found

    async def system(self) -> dict[str, Any]:
        """The server, its workers and their memory."""
        found: dict[str, Any] = await self._connection.do(operations.get("/api/system"))
        return found

    async def free(self) -> dict[str, Any]:
        """Unload all models and forget the values in memory; what is on disk stays."""
        found: dict[str, Any] = await self._connection.do(operations.free())
        return found
