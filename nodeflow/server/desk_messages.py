"""The messages between the server and the helper of the desk; large texts go by file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from nodeflow.errors import Problem
from nodeflow.journal.records import Document
from nodeflow.server.submitting import Prepared, SubmitBody
from nodeflow.worker.messages import Message

# From the server to the helper.


@dataclass(slots=True)
class Work(Message):
    """Prepare what was handed in, only check it, or read a workflow of any format; one of the
    answers below follows.

    Attributes:
        number: Returned with the answer.
        text: The body, unless `file` has it.
        workflow: The workflow that the body, or the request, names; `workflow_file` may have it.
        source: Name of that workflow; empty as long as it was not looked up.
        generation: Of the catalog; packs may have changed since the last message.
        nodes: The most that a workflow may have.
        size: Bytes of the files.
    """

    kind: ClassVar[str] = "desk_work"
    number: int
    purpose: Literal["prepare", "check", "read"]
    text: str = ""
    file: str = ""
    workflow: str = ""
    workflow_file: str = ""
    source: str = ""
    generation: int = 0
    nodes: int = 0
    size: int = 0


# From the helper to the server.


@dataclass(slots=True)
class Named(Message):
    """The body names a saved workflow or a job: send the work again with its text."""

    kind: ClassVar[str] = "desk_named"
    number: int
    body: dict[str, Any]


@dataclass(slots=True)
class Made(Message):
    """The documents of all jobs."""

    kind: ClassVar[str] = "desk_made"
    number: int
    name: str
    documents: list[dict[str, Any]]
    body: dict[str, Any]
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, number: int, made: Prepared) -> Made:
        return cls(
            number,
            made.name,
            [asdict(document) for document in made.documents],
            made.body.model_dump(),
            [problem.as_json() for problem in made.warnings],
        )

    def prepared(self) -> Prepared:
        return Prepared(
            self.name,
            [Document(**item) for item in self.documents],
            SubmitBody.model_validate(self.body),
            [Problem(**item) for item in self.warnings],
        )


@dataclass(slots=True)
class Found(Message):
    """What is wrong with a workflow that was to be checked."""

    kind: ClassVar[str] = "desk_found"
    number: int
    problems: list[dict[str, Any]]


@dataclass(slots=True)
class Opened(Message):
    """A workflow that was read; `file` has it in today's format."""

    kind: ClassVar[str] = "desk_opened"
    number: int
    file: str


@dataclass(slots=True)
class Refused(Message):
    """It cannot be prepared.

    Attributes:
        source: Name of the workflow, if it does not check; then `status` means nothing.
    """

    kind: ClassVar[str] = "desk_refused"
    number: int
    status: int = 422
    detail: str = ""
    source: str = ""
    problems: list[dict[str, Any]] = field(default_factory=list)
