"""Shelf files: the folders behind the shelf, where a name is a file with `.json` at its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nodeflow.server.paths import accepted, clean, inside
from nodeflow.server.problems import HttpError
from nodeflow.server.whole_files import put, stage, sync_folder

SUFFIX = ".json"
PICTURE_SUFFIX = ".webp"
_TAKEN = ("run", "thumbnail", "versions")


def workflow_name(path: str) -> str:
    """The one name of a workflow: clean, and without the `.json` that its file has.

    Raises:
        HttpError: 400, no workflow can have this name.
    """
    name = clean(path, "workflow")
    while name.endswith(SUFFIX):
        name = name.removesuffix(SUFFIX)
    name = clean(name, "workflow")
    folder, _, last = name.rpartition("/")
    if folder and last in _TAKEN:
        raise HttpError(
            400,
            f"No workflow can be named '{last}' inside of a folder: '/{last}' after a workflow's "
            "name means something else. Take another name.",
        )
    return name


@dataclass(frozen=True)
class Stamp:
    """What tells that a file is another than the one that was read."""

    modified: float
    size: int
    identity: tuple[int, int]

    @classmethod
    def of(cls, path: Path) -> Stamp:
        status = path.stat()
        return cls(status.st_mtime, status.st_size, (status.st_ino, status.st_mtime_ns))


@dataclass(frozen=True)
class ShelfFiles:
    """One folder of workflows. All of it blocks; call it from a thread."""

    root: Path

    def file(self, name: str) -> Path:
        """Where a workflow is, or would be.

        Raises:
            HttpError: 403, a link leads out of the folder.
        """
        return inside(self.root, name + SUFFIX, "workflow")

    def picture(self, name: str) -> Path | None:
        """The picture that lies beside a workflow.

        Raises:
            HttpError: 403, a link leads out of the folder.
        """
        path = inside(self.root, name + PICTURE_SUFFIX, "picture").resolve()
        return path if path.is_file() else None

    def read(self, name: str) -> tuple[bytes, float] | None:
        """A workflow's text and when it was written; None if there is none."""
        path = self.file(name)
        try:
            with path.open("rb") as file:
                return file.read(), os.fstat(file.fileno()).st_mtime
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise HttpError(
                409, f"The workflow '{name}' cannot be read: {error.strerror}."
            ) from error

    def names(self) -> Iterator[tuple[str, Path, Stamp]]:
        """Every workflow in the folder, in order; what no client could name is passed over."""
        for folder, inner, files in os.walk(self.root):
            inner[:] = sorted(item for item in inner if not item.startswith("."))
            for file in sorted(files):
                path = Path(folder, file)
                name = path.relative_to(self.root).as_posix().removesuffix(SUFFIX)
                if not file.endswith(SUFFIX) or not accepted(name, workflow_name):
                    continue
                with suppress(OSError, HttpError):
                    inside(self.root, name + SUFFIX, "workflow")
                    yield name, path, Stamp.of(path)

    def refuse_clash(self, name: str) -> None:
        """See that a new file would stand apart from all others, on any file system.

        Raises:
            HttpError: 409, it would not; 507, the folder cannot be read.
        """
        place = self.root
        parts = (name + SUFFIX).split("/")
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            try:
                there = os.listdir(place)
            except FileNotFoundError:
                return
            except OSError as error:
                raise _unwritable(name, error) from error
            for other in there:
                if other != part and other.casefold() == part.casefold():
                    taken = "/".join([*parts[:index], other]).removesuffix(SUFFIX)
                    raise HttpError(
                        409,
                        f"There is '{taken}' already, which differs from '{name}' in case only; "
                        "many systems hold both for one. Take another name.",
                    )
            place = place / part
            if part in there and place.is_dir() == last:
                kind = "a folder" if last else "a file"
                taken = "/".join(parts[: index + 1])
                raise HttpError(
                    409,
                    f"The workflow '{name}' cannot be saved: '{taken}' is {kind}. "
                    "Take another name.",
                )

    def stage(self, name: str, text: bytes) -> Path:
        """An unfinished file beside the one it will be; it is on disk when this returns.

        Raises:
            HttpError: 507, the folder cannot be written to.
        """
        try:
            return stage(self.file(name), text)
        except OSError as error:
            raise _unwritable(name, error) from error

    def put(self, name: str, staged: Path) -> float:
        """Make a staged file the workflow; its time is returned."""
        path = self.file(name)
        try:
            return put(staged, path)
        except OSError as error:
            raise _unwritable(name, error) from error

    def remove(self, name: str) -> None:
        """Take a workflow away, and the folders that it leaves empty."""
        path = self.file(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(name, error) from error
        with suppress(OSError):
            sync_folder(path.parent)
            for folder in path.parents:
                if folder == self.root:
                    break
                folder.rmdir()


def _unwritable(name: str, error: OSError) -> HttpError:
    return HttpError(
        507,
        f"The workflow '{name}' cannot be written: {error.strerror}. "
        "See to the folder of the server's data.",
    )
