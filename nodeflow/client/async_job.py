"""AsyncJob: a handle on one job of a server, for async code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from nodeflow.client import operations
from nodeflow.client.async_connection import AsyncConnection
from nodeflow.client.job_view import JobView, overdue
from nodeflow.client.operations import JobData
from nodeflow.client.outputs import AsyncOutput, AsyncResultFile, file_facts
from nodeflow.client.tail import ServerEvent, Tail
from nodeflow.client.wire import Deadline


class AsyncJob(JobView):
    """A job that was handed in; see `Job`."""

    def __init__(self, connection: AsyncConnection, data: JobData) -> None:
        super().__init__(data)
        self._connection = connection

    async def refresh(self) -> AsyncJob:
        """Ask the server how the job is; itself."""
        self.data = await self._connection.do(operations.job(self.id))
        return self

    def events(self, after: int = 0) -> AsyncIterator[ServerEvent]:
        """All events of the job until its end, from the first one or those after `after`."""
        return self._connection.tail(Tail(after, self.id), Deadline())

    async def wait(self, timeout: float | None = None) -> AsyncJob:
        """Wait until the job is over, however it ends; itself. See `Job.wait`."""
        if not (await self.refresh()).finished:
            try:
                async with asyncio.timeout(timeout):
                    async for _event in self.events():
                        pass
            except TimeoutError as error:
                raise overdue(self.id, timeout or 0.0) from error
            await self.refresh()
        return self

    async def cancel(self) -> AsyncJob:
        """Cancel the job, if it is not over already; itself."""
        self.data = await self._connection.do(operations.cancel(self.id))
        return self

    async def move(
        self, *, priority: int | None = None, before: str | None = None, after: str | None = None
    ) -> AsyncJob:
        """Give the job, which is still queued, another priority or a place beside another job."""
        self.data = await self._connection.do(
            operations.move(self.id, priority=priority, before=before, after=after)
        )
        return self

    async def retry(self) -> AsyncJob:
        """Run the workflow of a job that is over again, as a new job."""
        return AsyncJob(self._connection, await self._connection.do(operations.retry(self.id)))

    async def remove(self) -> None:
        """Take the job, which is over, out of the history."""
        await self._connection.do(operations.remove(self.id))

    @property
    def outputs(self) -> dict[str, AsyncOutput]:
        """The exposed outputs of a job that is over; see `Job.outputs`."""
        found = self._made("outputs")
        return {name: AsyncOutput(item, self._files(item)) for name, item in found.items()}

    @property
    def files(self) -> dict[str, tuple[AsyncResultFile, ...]]:
        """What each end node of a job that is over has saved."""
        return {name: self._files({"files": items}) for name, items in self._made("files").items()}

    def _files(self, item: Mapping[str, Any]) -> tuple[AsyncResultFile, ...]:
        fetch = self._connection.fetch
        return tuple(
            AsyncResultFile(**file_facts(file), fetch=fetch) for file in item.get("files") or ()
        )
