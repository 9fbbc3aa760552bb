"""Saved workflows on a server: read and written with the ETag, so that nobody overwrites unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import nodeflow
from nodeflow.client.async_connection import AsyncConnection
from nodeflow.client.calls import Call, Steps
from nodeflow.client.connection import Connection
from nodeflow.client.operations import JSON, get
from nodeflow.client.submission import text_of

if TYPE_CHECKING:
    from nodeflow.client.submission import Document
    from nodeflow.workflow import Workflow

Infos = list[Mapping[str, Any]]


@dataclass(frozen=True)
class Saved:
    """A workflow that the server keeps.

    Attributes:
        etag: Of its content; give it to `write`, which then refuses if somebody else was faster.
    """

    path: str
    text: str
    etag: str

    @property
    def workflow(self) -> Workflow:
        """The document.

        Raises:
            WorkflowError: It cannot be read.
        """
        return nodeflow.Workflow.parse(self.text, self.path)


def names() -> Steps[Infos]:
    """What is saved, and the templates."""
    found: Infos = (yield from get("/api/workflows"))["workflows"]
    return found


def read(path: str) -> Steps[Saved]:
    """A saved workflow as it is now."""
    reply = yield Call("GET", _place(path), again=True)
    return Saved(path, reply.body.decode(), reply.headers.get("etag", ""))


def write(path: str, workflow: Document, etag: str | None) -> Steps[Saved]:
    """Save a workflow; `etag` None if it must be a new one, `*` to write over whatever is there."""
    text = text_of(workflow)
    condition = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
    reply = yield Call("PUT", _place(path), body=text, headers=JSON | condition)
    return Saved(path, text.decode(), reply.headers.get("etag", ""))


def delete(path: str, etag: str) -> Steps[None]:
    """Delete a workflow that is still as `etag` says; its versions are kept."""
    yield Call("DELETE", _place(path), headers={"If-Match": etag})


def _place(path: str) -> str:
    return f"/api/workflows/{quote(path, safe='/')}"


class Workflows:
    """The workflows that are saved on a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Infos:
        """What is saved, and the templates: `path`, `name`, `etag`, `inputs`, `outputs` ..."""
        return self._connection.do(names())

    def read(self, path: str) -> Saved:
        """A saved workflow as it is now.

        Raises:
            ServerError: There is none (`status` 404).
        """
        return self._connection.do(read(path))

    def write(self, path: str, workflow: Document, etag: str | None = None) -> Saved:
        """Save a workflow.

        Args:
            etag: Of what is written over, as `read` gave it; None if it must be a new one, `*` to
                write over whatever is there.

        Raises:
            ServerError: Somebody else was faster, or it exists already (`status` 412).
        """
        return self._connection.do(write(path, workflow, etag))

    def delete(self, path: str, etag: str) -> None:
        """Delete a workflow that is still as `etag` says; its versions are kept."""
        self._connection.do(delete(path, etag))


class AsyncWorkflows:
    """The workflows that are saved on a server, for async code; see `Workflows`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def list(self) -> Infos:
        """What is saved, and the templates."""
        return await self._connection.do(names())

    async def read(self, path: str) -> Saved:
        """A saved workflow as it is now."""
        return await self._connection.do(read(path))

    async def write(self, path: str, workflow: Document, etag: str | None = None) -> Saved:
        """Save a workflow."""
        return await self._connection.do(write(path, workflow, etag))

    async def delete(self, path: str, etag: str) -> None:
        """Delete a workflow that is still as `etag` says."""
        await self._connection.do(delete(path, etag))
