"""Submitting: what is handed in to be run, and what the desk makes of it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from blake3 import blake3
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from nodeflow.errors import Problem
from nodeflow.journal.records import Document
from nodeflow.server.problems import HttpError
from nodeflow.server.shelf_files import workflow_name

MAX_BATCH = 1000
MAX_SEED = 2**53 - 1
_NAMED = ("workflow", "path", "job")


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or any(ord(char) <= 32 or ord(char) == 127 for char in text):
        raise ValueError("write an address such as https://example.org/done")
    return text


Address = Annotated[str, Field(max_length=2000), AfterValidator(_address)]


def _name(text: str) -> str:
    try:
        return workflow_name(text)
    except HttpError as error:
        raise ValueError(error.detail.rstrip(".")) from error


SavedName = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_name)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
NodeId = Annotated[str, Field(min_length=1, max_length=1000)]


class SubmitBody(BaseModel):
    """What is handed in: a workflow, or the name of one, and how it is to be run."""

    model_config = ConfigDict(extra="forbid", strict=True)

    workflow: dict[str, Any] | None = Field(None, description="The document itself.")
    path: str | None = Field(
        None, min_length=1, max_length=1000, description="A saved workflow instead."
    )
    job: str | None = Field(
        None, min_length=1, max_length=64, description="A job whose workflow is run again instead."
    )
    origin: SavedName | None = Field(
        None, description="Saved workflow that a `workflow` in the body came from, for the history."
    )
    inputs: dict[str, JsonValue] = Field(
        {}, description="Values of exposed inputs by name, or of others as `node.input`."
    )
    priority: int = Field(0, ge=-1000, le=1000, description="Higher runs first.")
    batch: int = Field(
        1, ge=1, le=MAX_BATCH, description="How many jobs; their seeds count up from the first."
    )
    seeds: list[Seed] | None = Field(
        None, min_length=1, max_length=MAX_BATCH, description="The seeds of a batch instead."
    )
    only: list[NodeId] = Field(
        [], max_length=1000, description="Nodes that are wanted, if not all."
    )
    webhook: Address | None = Field(None, description="Address that is told when a job is over.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.origin is not None and self.path is not None:
            raise ValueError("leave out 'origin': 'path' says where the workflow comes from")
        if self.seeds is not None and self.batch not in (1, len(self.seeds)):
            raise ValueError(f"a batch of {self.batch} cannot have {len(self.seeds)} seeds")
        return self


def unknown_key(given: Mapping[str, object]) -> str:
    """A sentence about the first key of a body that means nothing; empty if all do."""
    known = list(SubmitBody.model_fields)
    name = next((key for key in given if key not in known), None)
    if name is None:
        return ""
    if "nodes" in given and "workflow" not in given:
        return 'The body is a workflow; hand it in as {"workflow": {...}}.'
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"there is: {', '.join(known)}."
    return f"The body has the key '{name[:80]}', which means nothing; {hint}"


def source_of(body: Mapping[str, object]) -> str:
    """What messages call the workflow that a body names; empty if the body has it itself."""
    if body.get("job") is not None:
        return f"job {body['job']}"
    return str(body.get("path") or "")


def naming_fault(given: Mapping[str, object], named: str) -> str:
    """A sentence if a body does not say in one way which workflow is meant.

    Args:
        given: The keys of the body.
        named: What is meant, if that is known already.
    """
    found = [name for name in _NAMED if given.get(name) is not None]
    if named:
        other = found and (found[0] == "workflow" or source_of(given) != named)
        return f"The body has '{found[0]}', but '{named}' is meant." if other else ""
    if len(found) == 1:
        return ""
    count = " and ".join(f"'{name}'" for name in found) or "none of them"
    return f"Say which workflow is meant by 'workflow', 'path' or 'job'; the body has {count}."


@dataclass(frozen=True)
class SubmitText:
    """A body as it came in.

    Attributes:
        text: It is small, and in memory.
        file: Else the file it was streamed to. Whoever prepares it removes the file.
        workflow: Text of the workflow, if the request itself names one and not the body.
        source: Name of that workflow, for messages.
        digest: Digest of the body; made from `text` if it is not given.
    """

    text: bytes | None = None
    file: Path | None = None
    workflow: str | bytes | None = None
    source: str = ""
    digest: str = ""

    @property
    def named(self) -> bytes | None:
        """The workflow as bytes."""
        text = self.workflow
        return text.encode("utf-8", "replace") if isinstance(text, str) else text

    @property
    def fingerprint(self) -> str:
        """The same for the same request only."""
        body = self.digest or blake3(self.text or b"").hexdigest(16)
        hasher = blake3(f"{body}\0{self.source}\0".encode("utf-8", "replace"))
        return hasher.update(self.named or b"").hexdigest(16)


@dataclass(frozen=True)
class Prepared:
    """Checked documents, ready to be queued.

    Attributes:
        name: Name of the workflow.
        documents: One for each job, all inputs applied.
        body: What was asked for, without the workflow; long inputs are left out.
        warnings: What the check found though it can be run.
        fingerprint: Stands for the whole request, beside an Idempotency-Key.
    """

    name: str
    documents: Sequence[Document]
    body: SubmitBody
    warnings: Sequence[Problem] = ()
    fingerprint: str = ""
