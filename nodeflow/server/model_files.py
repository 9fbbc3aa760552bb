"""Model files: what nodes can load, by kind, with what the editor shows of them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from nodeflow.errors import InputError
from nodeflow.roots import Roots


class ModelFile(BaseModel):
    """A file, or a folder that counts as one.

    Attributes:
        name: What a workflow calls it by.
        size: In bytes; of a folder all that is in it.
        modified: Seconds since 1970.
        problem: Why it cannot be loaded; empty if it can.
    """

    name: str
    size: int
    modified: float
    problem: str = ""


class ModelKind(BaseModel):
    """All files of one kind.

    Attributes:
        put: Folder into which more of them can be put.
    """

    files: list[ModelFile]
    put: str


class Models(BaseModel):
    """Files by kind: checkpoints, loras, inputs ..."""

    kinds: dict[str, ModelKind]


def model_files(roots: Roots, kinds: list[str]) -> Models:
    """The files of some kinds; looks at each of them on the disk."""
    return Models(
        kinds={
            kind: ModelKind(
                files=[_file(roots, kind, name) for name in roots.files(kind)],
                put=str(roots.folders[kind][0]),
            )
            for kind in kinds
        }
    )


def _file(roots: Roots, kind: str, name: str) -> ModelFile:
    try:
        path = roots.resolve(kind, name)
        found = path.stat()
        size = _size(path) if path.is_dir() else found.st_size
        return ModelFile(name=name, size=size, modified=found.st_mtime)
    except InputError as error:
        return ModelFile(name=name, size=0, modified=0.0, problem=f"{error}.")
    except OSError as error:
        return ModelFile(name=name, size=0, modified=0.0, problem=f"{name}: {error.strerror}.")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
