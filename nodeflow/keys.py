"""Keys: a value is named by the digest of what made it. Tagged, so that two kinds never collide."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from blake3 import blake3
from pydantic import JsonValue

from nodeflow.errors import InputError, StoreError
from nodeflow.spec import NodeSpec
from nodeflow.values import canonical_json

KEY_BYTES = 16
YOUNG_NS = 50_000_000


def node_key(
    spec: NodeSpec,
    literals: Mapping[str, JsonValue],
    files: Mapping[str, str],
    links: Iterable[tuple[str, str]],
    surroundings: str = "",
) -> str:
    """The key of all that a node gives.

    Args:
        spec: Its id and its `identity` (version, or digest of the source) count.
        literals: Validated literals, defaults included, files excluded.
        files: Input to content digest of the file that it names.
        links: (input, key of the value that enters), in the order of the inputs.
        surroundings: For device nodes the device's facts; for end nodes where they write.
    """
    parts = [
        b"node",
        spec.id.encode(),
        spec.identity.encode(),
        canonical_json([literals, files]),
        "\1".join(f"{name}={key}" for name, key in links).encode(),
        surroundings.encode(),
    ]
    return blake3(b"\0".join(parts)).hexdigest(KEY_BYTES)


def output_key(key: str, output: str) -> str:
    """The key of one output of a node."""
    return f"{key}.{output}"


def content_key(fingerprint: str) -> str:
    """The key of a value that is known by its content: what a `never` node gave, a list's item."""
    return f"content.{fingerprint}"


def growing_key(keys: Sequence[str]) -> str:
    """The key of what enters a growing input."""
    return "grow[" + ",".join(keys) + "]"


class FileMemory(Protocol):
    """Where digests of files are remembered; `DiskStore` is one."""

    def recall(self, kind: str, keys: Sequence[str], /) -> dict[str, JsonValue]: ...

    def remember(self, kind: str, items: Mapping[str, JsonValue], /) -> None: ...


class FileDigests:
    """Content digests of files and folders, remembered by path, size, mtime and inode."""

    def __init__(self, memory: FileMemory | None = None) -> None:
        self._memory = memory
        self._known: dict[str, tuple[list[int], str]] = {}

    def digest(self, path: Path) -> str:
        """Digest of a file's content, or of all files below a folder with their names.

        Raises:
            InputError: It cannot be read.
        """
        try:
            if not path.is_dir():
                return self._files([path])[path]
            inside = sorted(item for item in path.rglob("*") if item.is_file())
            digests = self._files(inside)
        except OSError as error:
            raise InputError(f"the file {path} cannot be read: {error.strerror}") from error
        text = "\0".join(f"{item.relative_to(path).as_posix()}={digests[item]}" for item in inside)
        return blake3(f"folder\0{text}".encode()).hexdigest(KEY_BYTES)

    def _files(self, paths: Sequence[Path]) -> dict[Path, str]:
        stamps = {path: _stamp(os.stat(path)) for path in paths}
        missing = [str(path) for path in paths if str(path) not in self._known]
        if self._memory is not None and missing:
            for name, item in self._memory.recall("file", missing).items():
                if isinstance(item, dict):
                    self._known[name] = (item["stamp"], item["digest"])  # type: ignore[assignment]  # our own JSON
        found: dict[Path, str] = {}
        fresh: dict[str, JsonValue] = {}
        for path, stamp in stamps.items():
            known = self._known.get(str(path))
            if known is None or known[0] != stamp or _young(stamp):
                hasher = blake3(max_threads=blake3.AUTO)
                hasher.update_mmap(path)
                known = (stamp, hasher.hexdigest(KEY_BYTES))
                self._known[str(path)] = known
                fresh[str(path)] = {"stamp": list(stamp), "digest": known[1]}
            found[path] = known[1]
        if self._memory is not None and fresh:
            with contextlib.suppress(StoreError):  # it is known in this process at least
                self._memory.remember("file", fresh)
        return found


def _young(stamp: list[int]) -> bool:
    """Whether a file may change once more without a change of its mtime, which moves in ticks."""
    return abs(time.time_ns() - stamp[1]) < YOUNG_NS


def _stamp(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ino]
