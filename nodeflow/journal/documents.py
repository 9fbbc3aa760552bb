"""DocumentFiles: large documents as files named by their digest, beside the database.

A document is written and synced as a draft by any thread. It takes its name just before the
transaction that refers to it is committed, and loses it after the one that no longer does: so a row
never refers to a file that is not there, and what a crash leaves behind is garbage at most.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from nodeflow.errors import StoreError
from nodeflow.journal.records import Document

LARGE = 64_000
"""A text of this many characters goes into a file."""


class DocumentFiles:
    """The files under `documents/`."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            StoreError: It cannot be made.
        """
        self._folder = folder / "documents"
        with self._explained():
            self._folder.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Where a document is, or would be."""
        return self._folder / f"{digest}.json"

    def drafts(self, documents: Iterable[Document]) -> dict[str, Path]:
        """Write the large ones of `documents` down, safe against a loss of power, by digest.

        Raises:
            StoreError: The disk is full, say.
        """
        made: dict[str, Path] = {}
        try:
            for document in documents:
                if is_large(document) and document.digest not in made:
                    made[document.digest] = self._draft(document)
        except BaseException:
            self.discard(made)
            raise
        return made

    def publish(self, drafts: Mapping[str, Path]) -> None:
        """Give drafts their names.

        Raises:
            StoreError: They cannot be renamed.
        """
        with self._explained():
            for digest, draft in drafts.items():
                try:
                    os.replace(draft, self.path(digest))
                except FileNotFoundError:  # published by a transaction that was rolled back
                    self.path(digest).stat()
            _sync(self._folder)

    def discard(self, drafts: Mapping[str, Path]) -> None:
        """Forget drafts that nobody needs."""
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink()

    def remove(self, digests: Iterable[str]) -> None:
        """Delete documents that no row refers to; what cannot be deleted now `tidy` deletes."""
        for digest in digests:
            with suppress(OSError):
                self.path(digest).unlink()

    def tidy(self, known: Collection[str]) -> None:
        """Delete what a killed process has left behind; `known` are the digests of rows."""
        with self._explained():
            for path in list(self._folder.iterdir()):
                if path.suffix == ".draft" or (path.suffix == ".json" and path.stem not in known):
                    path.unlink(missing_ok=True)

    def _draft(self, document: Document) -> Path:
        with self._explained():
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".draft")
            try:
                with os.fdopen(handle, "wb") as file:
                    if document.text:
                        file.write(document.text.encode("utf-8", "surrogatepass"))
                if document.file:
                    _move(document.file, name)
                _sync(name)
            except BaseException:
                os.unlink(name)
                raise
        return Path(name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"A document cannot be kept in '{self._folder}': {error.strerror or error}. "
                "Check that the disk has room and that the folder can be written."
            ) from error


def is_large(document: Document) -> bool:
    """Whether a document that is handed in goes into a file."""
    return bool(document.file) or len(document.text) >= LARGE


def _move(source: str, target: str) -> None:
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # on another file system
            raise
        shutil.copyfile(source, target)
        os.unlink(source)


def _sync(path: str | Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
