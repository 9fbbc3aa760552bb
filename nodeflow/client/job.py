"""Job: a handle on one job of a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nodeflow.client import operations
from nodeflow.client.connection import Connection
from nodeflow.client.job_view import JobView, overdue
from nodeflow.client.operations import JobData
from nodeflow.client.outputs import ResultFile, SyncOutput, file_facts
from nodeflow.client.tail import ServerEvent, Tail
from nodeflow.client.wire import Deadline


class Job(JobView):
    """A job that was handed in. It lives on the server, whatever becomes of this handle."""

    def __init__(self, connection: Connection, data: JobData) -> None:
        super().__init__(data)
        self._connection = connection

    def refresh(self) -> Job:
        """Ask the server how the job is; itself."""
        self.data = self._connection.do(operations.job(self.id))
        return self

    def events(self, after: int = 0) -> Iterator[ServerEvent]:
        """All events of the job until its end, from the first one or those after `after`."""
        return self._connection.tail(Tail(after, self.id), Deadline())

    def wait(self, timeout: float | None = None) -> Job:
        """Wait until the job is over, however it ends; itself.

        Raises:
            TimeoutError: It is not over after `timeout` seconds. It goes on.
            ServerUnreachable: The server went away and did not come back.
        """
        if not self.refresh().finished:
            try:
                for _event in self._connection.tail(Tail(0, self.id), Deadline.after(timeout)):
                    pass
            except TimeoutError as error:
                raise overdue(self.id, timeout or 0.0) from error
            self.refresh()
        return self

    def cancel(self) -> Job:
        """Cancel the job, if it is not over already; itself."""
        self.data = self._connection.do(operations.cancel(self.id))
        return self

    def move(
        self, *, priority: int | None = None, before: str | None = None, after: str | None = None
    ) -> Job:
        """Give the job, which is still queued, another priority or a place beside another job."""
        self.data = self._connection.do(
            operations.move(self.id, priority=priority, before=before, after=after)
        )
        return self

    def retry(self) -> Job:
        """Run the workflow of a job that is over again, as a new job."""
        return Job(self._connection, self._connection.do(operations.retry(self.id)))

    def remove(self) -> None:
        """Take the job, which is over, out of the history."""
        self._connection.do(operations.remove(self.id))

    @property
    def outputs(self) -> dict[str, SyncOutput]:
        """The exposed outputs of a job that is over: `job.outputs["image"].save("cat.png")`.

        Raises:
            NodeflowError: It is not over.
        """
        found = self._made("outputs")
        return {name: SyncOutput(item, self._files(item)) for name, item in found.items()}

    @property
    def files(self) -> dict[str, tuple[ResultFile, ...]]:
        """What each end node of a job that is over has saved.

        Raises:
            NodeflowError: It is not over.
        """
        return {name: self._files({"files": items}) for name, items in self._made("files").items()}

    def _files(self, item: Mapping[str, Any]) -> tuple[ResultFile, ...]:
        fetch = self._connection.fetch
        return tuple(
            ResultFile(**file_facts(file), fetch=fetch) for file in item.get("files") or ()
        )
