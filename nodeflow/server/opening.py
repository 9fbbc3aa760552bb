"""Opening: a file of whatever kind and format version becomes the text of today's document."""

from __future__ import annotations

from pathlib import Path

from nodeflow.errors import InputError, WorkflowError
from nodeflow.pictures import TooLargeError, read_header
from nodeflow.pictures import read_workflow as workflow_inside
from nodeflow.reading import unreadable
from nodeflow.server.preparing import told
from nodeflow.server.problems import HttpError
from nodeflow.workflow import Workflow


def opened(text: bytes, source: str) -> bytes:
    """A document of any format version in today's, as canonical JSON.

    Args:
        source: What messages call it.

    Raises:
        WorkflowError: It is no workflow, or from a newer version.
    """
    try:
        return Workflow.parse(text.decode("utf-8-sig"), source).dumps().encode()
    except UnicodeDecodeError as error:
        sentence = f"It is no JSON: byte {error.start} is none of a character in UTF-8."
        raise unreadable("not_json", sentence, source) from error
    except WorkflowError as error:
        raise WorkflowError(told(error.problems), source) from error


def text_inside(picture: Path, source: str) -> bytes:
    """The document that a picture carries, as it was written.

    Args:
        source: What messages call it.

    Raises:
        WorkflowError: It is no picture, or carries no workflow.
        HttpError: 413, it has too many pixels.
    """
    try:
        read_header(picture)
        text = workflow_inside(picture)
    except InputError as error:
        # The sentence names the file by its place on this disk, which is not the client's.
        reason = str(error).replace(f"'{picture.name}'", f"'{source}'")
        reason = f"{reason[:1].upper()}{reason[1:]}."
        if isinstance(error, TooLargeError):
            raise HttpError(413, reason) from error
        raise unreadable("unreadable_file", reason, source) from error
    if text is None:
        raise unreadable(
            "no_workflow",
            "The picture carries no workflow of nodeflow; open one that nodeflow saved, or load "
            "this one as an input.",
            source,
        )
    return text.encode("utf-8", "replace")
