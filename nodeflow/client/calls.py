"""Calls and replies as data: what is asked of a server and what its answer means, without a socket.

An operation is a generator that yields calls and is sent their replies; the sync and the async
client differ only in who carries them.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from nodeflow.client.errors import ServerError
from nodeflow.errors import InputError, NodeflowError, Problem, WorkflowError

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        path: Below the server's address, already quoted.
        body: A path names a file that is streamed.
        again: Sent twice it does what it does once, so it is sent again if the connection is lost.
    """

    method: str
    path: str
    query: Mapping[str, str | int | list[str]] = field(default_factory=dict)
    body: bytes | Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    again: bool = False


@dataclass(frozen=True)
class Reply:
    """One answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ServerError: It is none, so whoever answers is no server of nodeflow.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ServerError(self.status, _strange(self.status)) from error

    def checked(self) -> Reply:
        """Itself, if all is well.

        Raises:
            WorkflowError: A workflow does not check; with the problems the server found.
            ServerError: Anything else that the server refuses.
        """
        if self.status >= 300:
            raise _refusal(self)
        return self


Steps = Generator[Call, Reply, T]
"""An operation: yields calls, is sent replies that were checked, returns what it found out."""


def dumps(value: object) -> bytes:
    """A body.

    Raises:
        InputError: Something in it is no JSON.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"this cannot be sent, as it is no JSON: {error}") from error


def problem_of(data: Mapping[str, Any]) -> Problem:
    """A finding about a workflow, from JSON; what a newer server adds is left out."""
    return Problem(
        code=str(data.get("code", "")),
        sentence=str(data.get("sentence", "")),
        node=data.get("node"),
        input=data.get("input"),
        pointer=data.get("pointer") or "",
        way_out=data.get("way_out") or "",
        severity="warning" if data.get("severity") == "warning" else "error",
    )


def _refusal(reply: Reply) -> NodeflowError:
    try:
        body = json.loads(reply.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("detail"), str):
        return ServerError(reply.status, _strange(reply.status))
    problems = body.get("problems")
    if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY and isinstance(problems, list) and problems:
        found = [problem_of(item) for item in problems]
        return WorkflowError(found, str(body.get("source") or "workflow"))
    return ServerError(reply.status, body["detail"])


def _strange(status: int) -> str:
    try:
        phrase = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = str(status)
    return (
        f"The answer ({phrase}) is not one that a server of nodeflow gives. "
        "Is the address right, and is there a proxy in between?"
    )
