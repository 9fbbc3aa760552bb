"""FileFacts: what clients are told of a file that a job saved."""

from __future__ import annotations

import mimetypes
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

from nodeflow.errors import InputError
from nodeflow.keys import FileDigests
from nodeflow.pictures import read_header

KEPT = 4096
_BYTES = "application/octet-stream"

_Stamp = tuple[int, int, int]


class FileFacts:
    """Digest, type and size of files; each file is read once for as long as it stays the same."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[_Stamp, dict[str, Any]]] = OrderedDict()
        # Without the tables of the system, so that every machine gives the same answer.
        self._types = mimetypes.MimeTypes()

    def of(self, path: str, out: str) -> dict[str, Any]:
        """The facts of a file, as `JobEnded` carries them.

        Args:
            path: Absolute path of the file.
            out: Folder of the job, which its name is relative to.

        Raises:
            InputError: It is gone, or cannot be read.
        """
        return {"path": path, "name": _name(path, out)} | self._content(path)

    def _content(self, path: str) -> dict[str, Any]:
        try:
            status = os.stat(path)
        except OSError as error:
            raise InputError(f"the file {path} cannot be read: {error.strerror}") from error
        stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = (stamp, self._read(path, status.st_size))
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(path)
        return known[1]

    def _read(self, path: str, size: int) -> dict[str, Any]:
        digest = FileDigests().digest(Path(path))
        facts: dict[str, Any] = {"digest": digest, "size": size}
        try:
            header = read_header(Path(path))
        except InputError:  # no picture, whatever its name says
            media_type = self._types.guess_type(path)[0] or _BYTES
            return facts | {"media_type": _BYTES if media_type.startswith("image/") else media_type}
        return facts | {
            "media_type": header.media_type,
            "width": header.width,
            "height": header.height,
        }


def _name(path: str, out: str) -> str:
    """A path relative to `out`; files are saved where `out` leads once links are followed."""
    for folder in (out, os.path.realpath(out)):
        if path.startswith(folder + os.sep):
            return Path(os.path.relpath(path, folder)).as_posix()
    return os.path.basename(path)
