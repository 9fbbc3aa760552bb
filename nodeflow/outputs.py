"""OutputFiles: how nodes write files: inside one folder, whole or not at all, never over others."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from nodeflow.errors import InputError

Reserve = Callable[[int, Path, str, str], Path]
"""(item, folder, stem, suffix) -> a path that is free, and promised to this node and item."""

_FIELD = re.compile(r"\{(\w+)\}")
_UNFINISHED = ".unfinished-"
"""Begins the name of a file that is being written; the id of the process that writes it follows."""

_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*\\]')


def reserve_free(item: int, folder: Path, stem: str, suffix: str) -> Path:
    """The first free `stem_0001` in `folder`; for tests, where no promise must outlive a crash."""
    return FreeNames()(item, folder, stem, suffix)


class FreeNames:
    """Gives out free names, each only once, without a promise that outlives a crash."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: set[Path] = set()

    def __call__(self, item: int, folder: Path, stem: str, suffix: str) -> Path:
        number = 1
        with self._lock:
            while (
                path := folder / f"{stem}_{number:04d}{suffix}"
            ) in self._given or os.path.lexists(path):
                number += 1
            self._given.add(path)
        return path


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed left half written in a folder and those below it."""
    for path in folder.rglob(f"{_UNFINISHED}*"):
        process = path.name.removeprefix(_UNFINISHED).partition("-")[0]
        if not process.isdecimal() or not _lives(int(process)):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class OutputFiles:
    """The service of nodes that write files.

    Attributes:
        folder: The root; no pattern leads out of it.
        workflow: The workflow as JSON, to be embedded in what is written.
        written: What was written so far, in order.
    """

    def __init__(
        self,
        folder: Path,
        workflow: str = "",
        fields: Mapping[str, str] | None = None,
        reserve: Reserve = reserve_free,
    ) -> None:
        self.folder = folder
        self.workflow = workflow
        self.written: list[Path] = []
        self._fields = dict(fields or {})
        self._reserve = reserve

    @contextmanager
    def create(self, pattern: str, suffix: str) -> Iterator[IO[bytes]]:
        """A file open for writing that gets its name only once it is whole.

        Args:
            pattern: Name under `folder`, without number and suffix; `/` makes folders and
                `{workflow}`, `{node}`, `{date}`, `{time}` are filled in.
            suffix: Such as `.png`.

        Raises:
            InputError: The pattern leads out of the folder or holds an unknown field, or the file
                cannot be written: no room, no permission, a name that is too long.
        """
        try:
            with self._created(pattern, suffix) as file:
                yield file
        except OSError as error:
            if error.errno is None:  # not the system's: what is written is at fault
                raise
            raise InputError(
                f"'{pattern}{suffix}' cannot be written to {self.folder}: {error.strerror}; "
                "free some room there, or choose another folder or name"
            ) from error

    @contextmanager
    def _created(self, pattern: str, suffix: str) -> Iterator[IO[bytes]]:
        path = self._target(pattern, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = f"{_UNFINISHED}{os.getpid()}-"
        handle, temporary = tempfile.mkstemp(prefix=prefix, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self.written.append(path)

    def _target(self, pattern: str, suffix: str) -> Path:
        relative = Path(self._fill(pattern))
        if relative.is_absolute() or ".." in relative.parts or not relative.name:
            raise InputError(
                f"the name '{pattern}' leads out of the output folder; "
                "use a plain name, or folders below it such as 'day/{workflow}'"
            )
        parent = (self.folder / relative.parent).resolve()
        if not parent.is_relative_to(self.folder.resolve()):
            raise InputError(f"the name '{pattern}' leads out of the output folder through a link")
        return self._reserve(len(self.written), parent, relative.name, suffix)

    def _fill(self, pattern: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self._fields:
                known = ", ".join(f"{{{field}}}" for field in self._fields) or "none"
                raise InputError(f"'{{{name}}}' in '{pattern}' is unknown; known are: {known}")
            # No spaces either: these names are typed in shells.
            return re.sub(r"[/\\\s]+", "_", self._fields[name].strip())

        return _FORBIDDEN.sub("_", _FIELD.sub(value, pattern)).strip()
