"""Result files: where what a job made lies on the disk, if it is still what it was."""

from __future__ import annotations

from pathlib import Path

from nodeflow.errors import InputError
from nodeflow.journal.records import ResultFile
from nodeflow.keys import FileDigests
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


def delete(outputs: Path, result: ResultFile) -> None:
    """Delete the file of a result, if it is there and still has that content.

    Raises:
        HttpError: 409, it cannot be deleted.
    """
    outputs = outputs.resolve()
    place = outputs / result.path
    path = place.resolve()
    try:
        # Whoever changed it, or put a link there, has not asked for that to be deleted.
        if not path.is_relative_to(outputs) or path.stat().st_size != result.size:
            return
        if FileDigests().digest(path) != result.digest:
            return
        path.unlink()
        if place.is_symlink():
            place.unlink()
    except FileNotFoundError:
        return
    except (OSError, InputError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise HttpError(
            409,
            f"The file '{result.name}' cannot be deleted: {reason}. "
            "See to the folder of outputs, and try again.",
        ) from error


def _gone(result: ResultFile, what: str) -> HttpError:
    return HttpError(
        410,
        f"The file '{result.name}' {what} since the job '{result.job}' made it. "
        f"POST /api/jobs/{result.job}/retry makes it again.",
    )
