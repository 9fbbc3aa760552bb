"""Document files: where the text of a job's document is until the journal has it."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

from nodeflow.journal.records import Document
from nodeflow.server.problems import HttpError

INCOMING = "incoming"
"""Folder, in that of the journal, of what is not in the journal yet."""

IN_MEMORY = 64 * 1024
"""A longer document is a file of its own, in the journal too."""

MOST_BYTES = 1 << 30
"""All documents of one request together."""


class Writer:
    """Keeps documents in memory while they are short and few, else in files.

    Args:
        folder: For the files, on the disk of the journal.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = 4 * IN_MEMORY
        self._files: list[Path] = []

    def reserve(self, size: int) -> None:
        """Say how many bytes there will be.

        Raises:
            HttpError: 413, too many.
        """
        if size > MOST_BYTES:
            raise HttpError(
                413,
                f"The documents of this batch have {size} bytes together; the limit is "
                f"{MOST_BYTES}. Hand it in as several smaller batches.",
            )

    def keep(self, document: Document, content: bytes) -> Document:
        """The document with its text, or with the file that has it."""
        if len(content) <= min(IN_MEMORY, self._left):
            self._left -= len(content)
            return replace(document, text=content.decode())
        return replace(document, file=self.put(content))

    def put(self, content: bytes) -> str:
        """Path of a file with the content, whatever its length."""
        path = self._folder / f"{secrets.token_hex(16)}.json"
        self._files.append(path)
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return str(path)

    def undo(self) -> None:
        """Remove the files: nobody will take them over."""
        for path in self._files:
            path.unlink(missing_ok=True)
