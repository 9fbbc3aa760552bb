"""An entry as a row of the index: small values inside, large ones in files."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from nodeflow.cache.entry import Entry, StoredOutput
from nodeflow.cache.files import Draft, ValueFiles
from nodeflow.values import Payload

SMALL = 16_000
"""Values below this many bytes are kept inside the index."""

ROW_BYTES = 256
"""What a row costs beside its values, roughly."""

_YEAR = 3.2e7

INSERT = """
INSERT OR REPLACE INTO entries
    (key, outputs, data, meta, checksum, seconds, size, priority, owner)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
SELECT = "SELECT outputs, data, meta, checksum, seconds FROM entries WHERE key = ?"

Found = tuple[bytes, bytes, bytes, int, float]


class DamagedError(Exception):
    """An entry is not what was stored.

    Attributes:
        file: The file that is absent or damaged; None if it is the row itself.
    """

    def __init__(self, file: str | None = None) -> None:
        super().__init__(file or "row")
        self.file = file


_encode: Callable[[object], str] = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


@dataclass(slots=True)
class Row:
    """An entry that is ready for a transaction.

    Attributes:
        outputs: JSON list of [name, type, fingerprint, format, bytes, file or ""].
        data: The small values, one after the other.
        large: A draft and its payload for each large value.
        size: Bytes of everything.
    """

    key: str
    outputs: bytes
    data: bytes
    meta: bytes
    seconds: float
    large: list[tuple[Draft, Payload]]
    size: int

    def values(self, clock: float, owner: str) -> tuple[object, ...]:
        """What `INSERT` binds; `clock` is L of greedy-dual-size."""
        checksum = _checksum(self.outputs, self.data, self.meta)
        priority = clock + self.seconds / self.size
        return (
            *(self.key, self.outputs, self.data, self.meta, checksum),
            *(self.seconds, self.size, priority, owner),
        )


def make_row(key: str, entry: Entry, files: ValueFiles) -> Row:
    """Write the large values of `entry` down and describe the whole.

    Raises:
        StoreError: A value cannot be written.
    """
    described: list[tuple[object, ...]] = []
    small: list[bytes] = []
    large: list[tuple[Draft, Payload]] = []
    try:
        for output in entry.outputs:
            payload = output.payload
            file = ""
            if len(payload.data) < SMALL:
                small.append(payload.data)
            else:
                draft = files.draft(payload)
                large.append((draft, payload))
                file = draft.file
            head = (output.name, output.type, output.fingerprint)
            described.append((*head, payload.format, len(payload.data), file))
        outputs, data = _encode(described).encode(), b"".join(small)
        meta = _encode(dict(entry.meta)).encode() if entry.meta else b"{}"
    except BaseException:
        _discard(large, files)
        raise
    size = ROW_BYTES + len(outputs) + len(data) + len(meta) + sum(d.size for d, _ in large)
    seconds = min(entry.seconds, _YEAR) if entry.seconds > 0 else 0.0  # and so no NaN
    return Row(key, outputs, data, meta, seconds, large, size)


def discard(row: Row, files: ValueFiles) -> None:
    """Forget the drafts of a row that will not be committed."""
    _discard(row.large, files)


def _discard(large: list[tuple[Draft, Payload]], files: ValueFiles) -> None:
    for draft, _ in large:
        files.discard(draft)


def read_row(found: Found, files: ValueFiles) -> Entry:
    """The entry that a row of `SELECT` and its files hold.

    Raises:
        DamagedError: The row or a file is not what was stored.
    """
    meta = read_meta(found)
    outputs, data, _, _, seconds = found
    stored: list[StoredOutput] = []
    at = 0
    for name, type_name, fingerprint, form, length, file in json.loads(outputs):
        if file:
            content = files.read(file)
            if content is None:
                raise DamagedError(file)
        else:
            content = data[at : at + length]
            at += length
        stored.append(StoredOutput(name, type_name, Payload(form, content), fingerprint))
    return Entry(tuple(stored), meta, seconds)


def read_first(found: Found, files: ValueFiles, type_name: str, most: int) -> StoredOutput | None:
    """The first output of a type, without reading the others; None if there is none of at most
    `most` bytes.

    Raises:
        DamagedError: The row or the output's file is not what was stored.
    """
    read_meta(found)
    at = 0
    for name, type_, fingerprint, form, length, file in json.loads(found[0]):
        if type_ == type_name and length <= most:
            content = files.read(file) if file else found[1][at : at + length]
            if content is None:
                raise DamagedError(file)
            return StoredOutput(name, type_, Payload(form, content), fingerprint)
        at += 0 if file else length
    return None


def read_meta(found: Found) -> Mapping[str, JsonValue]:
    """The `meta` of a row of `SELECT`.

    Raises:
        DamagedError: The row is not what was stored.
    """
    outputs, data, meta, checksum, _ = found
    if _checksum(outputs, data, meta) != checksum:
        raise DamagedError
    known: dict[str, JsonValue] = json.loads(meta)
    return known


def _checksum(outputs: bytes, data: bytes, meta: bytes) -> int:
    """Guards a row, for which SQLite has no checksum; large values have their digest."""
    return zlib.crc32(meta, zlib.crc32(data, zlib.crc32(outputs)))
