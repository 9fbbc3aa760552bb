"""What a file really is, and how a browser may get it: a known safe type, or an attachment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OCTETS = "application/octet-stream"

_HEAD = 4096
_BY_START: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"isom": "video/mp4",
    b"iso2": "video/mp4",
    b"iso5": "video/mp4",
    b"iso6": "video/mp4",
    b"mp41": "video/mp4",
    b"mp42": "video/mp4",
    b"avc1": "video/mp4",
    b"M4A ": "audio/mp4",
}
_TEXTS = {
    ".json": "application/json",
    ".jsonl": "text/plain",
    ".txt": "text/plain",
    ".csv": "text/plain",
    ".md": "text/plain",
    ".log": "text/plain",
}
_UNSAFE_IN_NAME = re.compile(r'[\x00-\x1f\x7f"\\/]')


@dataclass(frozen=True)
class Served:
    """How a file is served.

    Attributes:
        media_type: Its real type, or `application/octet-stream`.
        inline: A browser may show it; otherwise it is an attachment.
    """

    media_type: str
    inline: bool

    @property
    def content_type(self) -> str:
        """The header: texts are UTF-8 and nothing else."""
        return (
            f"{self.media_type}; charset=utf-8"
            if self.media_type == "text/plain"
            else self.media_type
        )

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


def served_as(path: Path) -> Served:
    """How a file is served, by what is in it; its name only tells texts apart.

    HTML and SVG may hold scripts, so they are attachments, as is everything unknown.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    found = _by_content(head)
    if found is None and path.suffix.lower() in _TEXTS and _is_text(head):
        found = _TEXTS[path.suffix.lower()]
    return Served(OCTETS, inline=False) if found is None else Served(found, inline=True)


def _by_content(head: bytes) -> str | None:
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return next((found for start, found in _BY_START if head.startswith(start)), None)


def _is_text(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last character may be cut.
        return len(head) == _HEAD and error.start >= _HEAD - 3
    return b"\0" not in head


def disposition(name: str, *, attachment: bool) -> str:
    """A Content-Disposition header with the file's name (RFC 6266)."""
    kind = "attachment" if attachment else "inline"
    clean = _UNSAFE_IN_NAME.sub("_", name) or "file"
    plain = clean.encode("ascii", "replace").decode().replace("?", "_").replace("%", "_")
    header = f'{kind}; filename="{plain}"'
    if plain != clean:
        header += f"; filename*=UTF-8''{quote(clean, safe='', errors='replace')}"
    return header
