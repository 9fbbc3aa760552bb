"""Submission: what is handed in, as the body of a request; files of this machine go ahead of it."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import nodeflow
from nodeflow.client.calls import Call, Steps, dumps
from nodeflow.errors import InputError

if TYPE_CHECKING:
    from nodeflow.workflow import Workflow

    Document: TypeAlias = Workflow | Mapping[str, Any] | str | os.PathLike[str]
    """A workflow, its JSON, or the path of its file or of a picture that holds it."""


@dataclass(frozen=True)
class Upload:
    """A file that the server has now; give it, or its name, to an input that takes a file."""

    name: str
    digest: str
    size: int = 0


@dataclass(frozen=True)
class Submission:
    """Everything that `POST /api/jobs` takes; see `nodeflow.Client.submit`."""

    workflow: Document | None = None
    saved: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict)
    priority: int = 0
    batch: int = 1
    seeds: Sequence[int] | None = None
    only: Sequence[str] = ()
    webhook: str = ""


def prepared(submission: Submission) -> Steps[bytes]:
    """The body, after every file among the inputs was uploaded.

    Raises:
        InputError: Neither a workflow nor a saved one is named, or both are.
        WorkflowError: The workflow cannot be read.
    """
    if (submission.workflow is None) == (not submission.saved):
        raise InputError(
            "hand in either a workflow or `saved=`, the path of one that the server has"
        )
    document = b"" if submission.workflow is None else text_of(submission.workflow)
    inputs: dict[str, object] = {}
    for name, value in submission.inputs.items():
        inputs[name] = yield from _sent(value)
    rest: dict[str, object] = {"inputs": inputs}
    if submission.saved:
        rest["path"] = submission.saved
    for name in ("priority", "only", "webhook", "seeds"):
        if value := getattr(submission, name):
            rest[name] = list(value) if name in ("only", "seeds") else value
    if submission.batch != 1:
        rest["batch"] = submission.batch
    body = dumps(rest)
    # The workflow is text already; parsing a large one to write it again would take a while.
    return b'{"workflow": ' + document + b", " + body[1:] if document else body


def text_of(workflow: Document) -> bytes:
    """A workflow as JSON text.

    Raises:
        WorkflowError: Its file cannot be read.
        InputError: It holds something that is no JSON.
    """
    if isinstance(workflow, Mapping):
        return dumps(workflow)
    # Through the package, which imports the document's module only when it is asked for it.
    if isinstance(workflow, str | os.PathLike):
        workflow = nodeflow.Workflow.load(workflow)
    try:
        return workflow.dumps().encode()
    except ValueError as error:
        raise InputError(f"this workflow cannot be sent: {error}") from error


def upload(path: str | os.PathLike[str]) -> Steps[Upload]:
    """Send a file; the server keeps each content once, so sending it again costs nothing.

    Raises:
        InputError: There is no such file.
    """
    file = Path(path)
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise InputError(f"the file '{file}' cannot be read: {error.strerror}") from error
    # The server looks into the file to see what it is; the type only says that it is no form.
    headers = {"Content-Type": mimetypes.guess_type(file.name)[0] or "image/*"}
    call = Call("POST", "/api/uploads", {"name": file.name}, file, headers, again=True)
    reply = (yield call).json()
    return Upload(reply["name"], reply["digest"], reply.get("size", 0))


def _sent(value: object) -> Steps[object]:
    """An input's value as JSON: a path of this machine means the file's content."""
    if isinstance(value, Path):
        value = yield from upload(value)
    return value.name if isinstance(value, Upload) else value
