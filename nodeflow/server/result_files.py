"""Result files: where what a job made lies on the disk, if it is still what it was."""

from __future__ import annotations

from pathlib import Path

from nodeflow.journal.records import ResultFile
from nodeflow.server.media import served_as
from nodeflow.server.problems import HttpError
from nodeflow.server.sending import Source


def locate(outputs: Path, result: ResultFile) -> Source:
    """The file of a result, to be sent.

    Args:
        outputs: Folder that jobs save in; nothing outside of it is given.

    Raises:
        HttpError: 410, the file is not what it was.
    """
    outputs = outputs.resolve()
    path = (outputs / result.path).resolve()
    try:
        if not path.is_relative_to(outputs) or path.stat().st_size != result.size:
            raise _gone(result, "was changed or moved")
        name = Path(result.name).name or path.name
        return Source(path, name, result.digest, served_as(path))
    except OSError as error:
        raise _gone(result, "was deleted or cannot be read") from error


def _gone(result: ResultFile, what: str) -> HttpError:
    return HttpError(
        410,
        f"The file '{result.name}' {what} since the job '{result.job}' made it. "
        f"POST /api/jobs/{result.job}/retry makes it again.",
    )
