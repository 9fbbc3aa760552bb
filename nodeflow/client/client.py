"""Client: a server of nodeflow, from a script."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nodeflow.client import operations, submission
from nodeflow.client.address import find_address
from nodeflow.client.connection import Connection
from nodeflow.client.job import Job
from nodeflow.client.saved import Workflows
from nodeflow.client.submission import Submission, Upload
from nodeflow.client.tail import ServerEvent, Tail
from nodeflow.client.wire import PATIENCE, TIMEOUT, Deadline, Wire
from nodeflow.errors import Problem

if TYPE_CHECKING:
    from nodeflow.client.submission import Document


class Client:
    """A server of nodeflow: `Client().run("cat.json", seed=7).outputs["image"].save("cat.png")`.

    Close it, or use it as a context; jobs go on without it. A call whose connection is lost is
    sent again if that cannot do anything twice, and a server that is started again is waited for.

    Args:
        url: Of the server; None for the one of the setting `server`, or else for the one that
            works on our own data folder.
        token: What it wants from other machines; None for the setting `token`, or the file that a
            server on this machine keeps.
        timeout: Seconds that it may take to answer. A job may take as long as it likes.
        patience: Seconds for which a server that was there may be away.

    Attributes:
        url: Address of the server.
        workflows: The workflows that are saved on it.

    Raises:
        InputError: The URL is none.
        SettingsError: A setting is wrong.
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
        self._connection = Connection(Wire(address, timeout, patience))
        self.workflows = Workflows(self._connection)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def submit(
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
    ) -> Job:
        """Hand in a workflow; it is safe on the server's disk when this returns.

        Args:
            workflow: A workflow, its JSON as a dict, or the path of its file or picture.
            saved: Instead of a workflow, the path of one that is saved on the server.
            inputs: Exposed inputs whose names cannot be keywords here, or `node.input`. A
                `pathlib.Path` is a file of this machine, which is uploaded; a text is what it is.
            priority: Higher runs first, -1000 to 1000.
            only: Nodes that are wanted; everything if empty.
            webhook: URL that is told when the job is over.
            key: Names this request: the same key with the same request is the same job. One is
                made for every call, so that a lost connection never makes a job twice.
            named: Exposed inputs by name.

        Raises:
            WorkflowError: The workflow cannot be read, or does not check on the server.
            ServerError: The server refuses it for another reason.
            ServerUnreachable: There is no server.
        """
        handed_in = Submission(
            workflow, saved, {**(inputs or {}), **named}, priority, 1, None, only, webhook
        )
        found = self._connection.do(operations.submit(handed_in, key))
        return Job(self._connection, found[0])

    def submit_batch(
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
    ) -> list[Job]:
        """Hand in `count` jobs that differ in their seeds, which count up unless `seeds` has them.

        See `submit`.
        """
        number = len(seeds) if seeds else count
        handed_in = Submission(
            workflow, saved, inputs or {}, priority, number, seeds, only, webhook
        )
        found = self._connection.do(operations.submit(handed_in, key))
        return [Job(self._connection, data) for data in found]

    def run(
        self,
        workflow: Document | None = None,
        *,
        saved: str = "",
        inputs: Mapping[str, object] | None = None,
        timeout: float | None = None,
        **named: object,
    ) -> Job:
        """Hand in a workflow and wait for it; see `submit`.

        Raises:
            JobFailed: A node failed; with the server's sentence.
            Cancelled: Somebody cancelled the job.
            TimeoutError: It is not over after `timeout` seconds. It goes on.
        """
        job = self.submit(workflow, saved=saved, inputs={**(inputs or {}), **named})
        return job.wait(timeout).raise_if_failed()

    def check(
        self, workflow: Document, inputs: Mapping[str, object] | None = None
    ) -> list[Problem]:
        """Everything that is wrong with a workflow, by what the server has; nothing runs.

        Raises:
            WorkflowError: The workflow cannot be read here.
        """
        return self._connection.do(operations.check(workflow, inputs or {}))

    def job(self, id: str) -> Job:
        """A job of the queue or the history.

        Raises:
            ServerError: There is none of this id (`status` 404).
        """
        return Job(self._connection, self._connection.do(operations.job(id)))

    def jobs(
        self,
        status: str | Sequence[str] = (),
        *,
        batch: str = "",
        limit: int = 100,
        before: int | None = None,
    ) -> list[Job]:
        """Jobs, newest first: only of these states or this batch, with a number below `before`."""
        found = self._connection.do(operations.jobs(status, batch, limit, before))
        return [Job(self._connection, data) for data in found]

    def cancel_all(self, status: str | Sequence[str] = ()) -> int:
        """Cancel everything, or only what is `queued` or `running`; how many jobs those were."""
        return self._connection.do(operations.cancel_all(status))

    def pause(self) -> None:
        """Let the queue begin no job until `resume`; what runs goes on."""
        self._connection.do(operations.pause(True))

    def resume(self) -> None:
        """Let the queue go on."""
        self._connection.do(operations.pause(False))

    def events(self, after: int | None = None) -> Iterator[ServerEvent]:
        """All events of the server, without end and without a gap, as they happen.

        Args:
            after: Begin with what came after this `seq`; None to begin now.

        Raises:
            ServerUnreachable: The server is away for longer than the client's patience.
        """
        return self._connection.tail(Tail(after), Deadline())

    def upload(self, path: str | os.PathLike[str]) -> Upload:
        """Send a file, to be given to inputs that take one."""
        return self._connection.do(submission.upload(path))

    def nodes(self) -> dict[str, Any]:
        """Every node that the server has, by id, as data."""
        return self._connection.do(operations.nodes())

    def node(self, type: str) -> dict[str, Any]:
        """One node as data, by its id or an earlier one."""
        return self._connection.do(operations.node(type))

    def models(self) -> dict[str, Any]:
        """The files that nodes can load."""
        found: dict[str, Any] = self._connection.do(operations.get("/api/models"))
        return found

    def system(self) -> dict[str, Any]:
        """The server, its workers and their memory."""
        found: dict[str, Any] = self._connection.do(operations.get("/api/system"))
        return found

    def free(self) -> dict[str, Any]:
        """Unload all models and forget the values in memory; what is on disk stays."""
        found: dict[str, Any] = self._connection.do(operations.free())
        return found
