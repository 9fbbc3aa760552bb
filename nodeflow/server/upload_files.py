"""Uploads: pictures that clients send, streamed to disk, checked, and named by name and content."""

from __future__ import annotations

import os
import re
import tempfile
import time
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from blake3 import blake3

from nodeflow.pictures import PictureHeader, read_header

FOLDER = "uploads"
"""Below the folder of inputs, so that a workflow says `uploads/...`."""

_UNFINISHED = ".unfinished-"
_OLD_SECONDS = 3600.0
_STEM_CHARACTERS = 80
_STEM_BYTES = 160
_BLOCK = 1 << 20
_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069<>:\"|?*%#\s]+")


@dataclass(frozen=True)
class Draft:
    """A file that has arrived, and is a picture.

    Attributes:
        given: The name that the client gave it.
    """

    temporary: Path
    given: str
    digest: str
    size: int
    header: PictureHeader


@dataclass(frozen=True)
class Kept:
    """A file in its place.

    Attributes:
        name: What a file input calls it by.
        new: It was not there before.
    """

    name: str
    new: bool


class Arriving:
    """A file that is being written, hashed on the way."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=folder)
        self.path = Path(name)
        self.size = 0
        self._file = os.fdopen(handle, "wb")
        self._hasher = blake3()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hasher.update(data)
        self.size += len(data)

    def finish(self, given: str) -> Draft:
        """Put it safely on the disk and look at what it is.

        Raises:
            InputError: It is no picture that nodes can load.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        digest = self._hasher.hexdigest(16)
        return Draft(self.path, given, digest, self.size, read_header(self.path))

    def discard(self) -> None:
        """Delete it, unless it has its name by now."""
        self._file.close()
        self.path.unlink(missing_ok=True)


def keep(drafts: Sequence[Draft], folder: Path) -> list[Kept]:
    """Give drafts their names; one whose content is there already takes that file's name."""
    kept = [_keep(draft, folder) for draft in drafts]
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return kept


def remove_unfinished(folder: Path) -> None:
    """Delete what a killed server has left half written."""
    before = time.time() - _OLD_SECONDS
    for path in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def _keep(draft: Draft, folder: Path) -> Kept:
    suffix = _SUFFIXES[draft.header.media_type]
    for path in folder.glob(f"*-{draft.digest[:8]}*{suffix}"):
        if path.is_file() and _digest(path, draft.size) == draft.digest:
            draft.temporary.unlink(missing_ok=True)
            return Kept(f"{FOLDER}/{path.name}", new=False)
    stem = safe_stem(draft.given)
    # Eight digits tell files of one name apart; if they ever do not, the whole digest does.
    for digits in (8, 32):
        path = folder / f"{stem}-{draft.digest[:digits]}{suffix}"
        if not os.path.lexists(path):
            break
    os.chmod(draft.temporary, 0o644)
    os.replace(draft.temporary, path)
    return Kept(f"{FOLDER}/{path.name}", new=True)


def _digest(path: Path, size: int) -> str:
    """Digest of a file, if it has this size."""
    if path.stat().st_size != size:
        return ""
    hasher = blake3()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest(16)


def safe_stem(given: str) -> str:
    """A name without folders and ending, fit for every file system; `upload` if nothing is left."""
    # In forms, browsers write at least quotes as `%22`, others write more so.
    text = unquote(given.encode("utf-8", "ignore").decode(), errors="ignore")
    name = unicodedata.normalize("NFC", text).replace("\\", "/").rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    stem = _UNSAFE.sub("_", stem).strip("._-")[:_STEM_CHARACTERS]
    short = stem.encode()[:_STEM_BYTES].decode("utf-8", "ignore")
    return short.strip("._-") or "upload"
