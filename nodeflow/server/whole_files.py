"""Whole files: written beside their place first, so that a crash leaves the old one or the new."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_UNFINISHED = ".unfinished-"


def stage(path: Path, text: bytes) -> Path:
    """An unfinished file beside the one it will be; it is on disk when this returns.

    Raises:
        OSError: The folder cannot be written to; nothing is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return Path(temporary)


def put(staged: Path, path: Path) -> float:
    """Make a staged file the one at `path`, for good; its time is returned.

    Raises:
        OSError: It cannot be put there.
    """
    os.replace(staged, path)
    sync_folder(path.parent)
    return path.stat().st_mtime


def write_whole(path: Path, text: bytes) -> None:
    """Write a file that is whole at every moment.

    Raises:
        OSError: It cannot be written; what was there is there still.
    """
    staged = stage(path, text)
    try:
        put(staged, path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Write down a folder's entries; systems that cannot open a folder do so by themselves."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
