"""What packs declare, as data, and the folder where it is remembered."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from nodeflow.sockets import SocketShape, SocketType
from nodeflow.spec import NodeSpec

MEMORY_FORMAT = 3
"""Raise it when the meaning of remembered specs changes, or how they are read from source."""


class SocketSpec(BaseModel):
    """A socket type as data; see `nodeflow.sockets.SocketType`."""

    model_config = ConfigDict(frozen=True)

    name: str
    codec: str
    colour: str
    shape: SocketShape
    description: str

    @classmethod
    def of(cls, socket: SocketType, pack: str = "") -> SocketSpec:
        name = f"{pack}.{socket.name}" if pack else socket.name
        return cls(
            name=name,
            codec=socket.codec,
            colour=socket.colour,
            shape=socket.shape,
            description=socket.description,
        )


class PackSpecs(BaseModel):
    """What one pack declares; this is what is remembered."""

    model_config = ConfigDict(frozen=True)

    name: str
    nodes: tuple[NodeSpec, ...]
    sockets: tuple[SocketSpec, ...]


@dataclass(frozen=True)
class Declared:
    """The declarations of a pack that are in use.

    Attributes:
        digest: Of the source that they were read from.
        broken: Why today's source is not in use, so that an earlier one is; else empty.
    """

    specs: PackSpecs
    digest: str
    broken: str = ""


class SpecMemory:
    """Remembered specs: a file for each pack, of the last version that worked.

    An unwritable folder costs time, not correctness; the disk store says so once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._middle = f"{MEMORY_FORMAT}-{sys.version_info[0]}{sys.version_info[1]}"

    def recall(self, pack: str, digest: str) -> Declared | None:
        """What a pack of this source declares; None if that is not remembered."""
        # Absent or damaged: the pack itself is the truth.
        with suppress(OSError, ValueError):
            text = self._file(pack, digest).read_bytes()
            return Declared(PackSpecs.model_validate_json(text), digest)
        return None

    def last_good(self, pack: str) -> Declared | None:
        """What a pack declared when it last worked, whatever its source is today."""
        dated = []
        for path in self._files(pack):
            with suppress(OSError):  # another process has replaced it
                dated.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(dated, reverse=True):
            digest = path.stem.rpartition("-")[2]
            if path == self._file(pack, digest) and (found := self.recall(pack, digest)):
                return found
        return None

    def remember(self, specs: PackSpecs, digest: str) -> None:
        """Keep what a pack declares; what it declared before is let go once that is done."""
        file = self._file(specs.name, digest)
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder)
            with os.fdopen(handle, "w", encoding="utf-8") as text:
                json.dump(specs.model_dump(mode="json"), text)
            os.replace(temporary, file)
            for old in list(self._files(specs.name)):
                if old != file:
                    old.unlink(missing_ok=True)

    def _file(self, pack: str, digest: str) -> Path:
        return self._folder / f"{pack}-{self._middle}-{digest}.json"

    def _files(self, pack: str) -> Iterator[Path]:
        """The files of a pack, those of other formats and Pythons too."""
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path.suffix == ".json" and path.stem.rsplit("-", 3)[0] == pack:
                    yield path
