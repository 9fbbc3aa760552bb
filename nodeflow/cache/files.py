"""ValueFiles: large values as files named by their content.

A file takes its name, and loses it, only inside a write transaction of the index. So nobody deletes
a file that somebody else is about to refer to.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from nodeflow.errors import StoreError
from nodeflow.values import Payload

ORPHAN_SECONDS = 3600.0
"""What nobody refers to is deleted after this long: a process at work may be about to."""

SYNC_THREADS = 8


@dataclass(frozen=True, slots=True)
class Draft:
    """A payload on disk that has no name yet; `temporary` is None if its file exists already."""

    file: str
    size: int
    temporary: Path | None


class ValueFiles:
    """The files under `values/`, and the unfinished ones under `unfinished/`."""

    def __init__(self, folder: Path) -> None:
        self._values = folder / "values"
        self._unfinished = folder / "unfinished"
        for needed in (self._values, self._unfinished):
            needed.mkdir(parents=True, exist_ok=True)

    def check_writable(self) -> None:
        """Raise OSError if no file can be made here."""
        with tempfile.TemporaryFile(dir=self._unfinished):
            pass

    def path(self, file: str) -> Path:
        """Where `file` (digest and extension) is, or would be."""
        return self._values / file[:2] / file

    def draft(self, payload: Payload) -> Draft:
        """Write `payload` down, but give it no name yet.

        Raises:
            StoreError: It cannot be written; the disk is full, say.
        """
        size = len(payload.data)
        file = f"{blake3(payload.data).hexdigest(16)}.{payload.format}"
        path = self.path(file)
        if _has(path, size):
            return Draft(file, size, None)
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._unfinished.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._unfinished)
            try:
                _write(handle, payload.data)
            except BaseException:
                os.unlink(name)
                raise
        return Draft(file, size, Path(name))

    def sync(self, drafts: Iterable[Draft]) -> None:
        """Make drafts safe against a crash of the machine; before they are published.

        Raises:
            StoreError: They cannot be written.
        """
        names = [draft.temporary for draft in drafts if draft.temporary is not None]
        with self._explained():
            if len(names) < 2:
                for name in names:
                    _sync(name)
                return
            # A file system commits what is synced at the same time together: this is many times
            # faster than one after the other.
            with ThreadPoolExecutor(min(SYNC_THREADS, len(names))) as pool:
                try:
                    list(pool.map(_sync, names))
                except RuntimeError:  # the interpreter is ending and starts no more threads
                    for name in names:
                        _sync(name)

    def publish(self, draft: Draft) -> bool:
        """Give the draft its name, inside a transaction; False if its file has gone meanwhile.

        Raises:
            StoreError: It cannot be renamed.
        """
        path = self.path(draft.file)
        if draft.temporary is None:
            return _has(path, draft.size)
        with self._explained():
            try:
                os.replace(draft.temporary, path)
            except FileNotFoundError:  # published already, by a transaction that was rolled back
                return _has(path, draft.size)
        return True

    def discard(self, draft: Draft) -> None:
        """Forget a draft that is not published."""
        if draft.temporary is not None:
            draft.temporary.unlink(missing_ok=True)

    def read(self, file: str) -> bytes | None:
        """The content of `file`; None if it is absent or not what its name says."""
        try:
            data = self.path(file).read_bytes()
        except OSError:
            return None
        return data if blake3(data).hexdigest(16) == file.partition(".")[0] else None

    def remove(self, files: Iterable[str]) -> None:
        """Delete these, inside a transaction."""
        for file in files:
            # What cannot be deleted now is an orphan, and `tidy` tries again.
            with suppress(OSError):
                self.path(file).unlink()

    def orphans(self) -> list[str]:
        """Files that are old enough to be deleted if nobody refers to them."""
        return [path.name for path in _old(self._values.glob("*/*"))]

    def remove_unfinished(self) -> None:
        """Delete what a killed process has left half written."""
        for path in _old(self._unfinished.iterdir()):
            path.unlink(missing_ok=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"A value cannot be stored in '{self._values}': {error.strerror or error}. "
                "Check that the disk has room, or set NODEFLOW_CACHE to another folder."
            ) from error


def _has(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _old(paths: Iterable[Path]) -> Iterator[Path]:
    before = time.time() - ORPHAN_SECONDS
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                yield path


def _write(handle: int, data: bytes) -> None:
    """Write everything, and close `handle` in any case."""
    with os.fdopen(handle, "wb", buffering=0) as file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
