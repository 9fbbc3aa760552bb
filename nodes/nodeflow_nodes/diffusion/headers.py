"""Model files read without torch: JSON configs and the headers of safetensors files.

Imported by the checks that run before anything else, so it must stay quick to import.
"""

from __future__ import annotations

import errno
import json
import math
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3
from safetensors import SafetensorError, safe_open

from nodeflow import InputError

_LARGEST_HEADER = 100 << 20  # as the safetensors library itself limits it
_FETCH = "fetch the file again"
_PRECISIONS = {"F32": "fp32", "F16": "fp16", "BF16": "bf16", "F64": "fp64"}
_NO_WEIGHTS = frozenset((".json", ".md", ".txt", ".yaml", ".yml"))
"""Endings of what lies beside weights."""
_REASONS: Mapping[int, tuple[str, str]] = {
    errno.EISDIR: ("is a folder", "put the file in its place"),
    errno.ENOTDIR: ("lies below a file, not a folder", "fetch the whole model again"),
    errno.ELOOP: ("is a link that leads back to itself", "put the file in its place"),
    errno.EACCES: ("may not be read by this user", "allow it with `chmod +r`"),
}
"""What the system says of files that it does not open, in words, and what helps."""
_SAMPLES, _SAMPLE = 16, 4096
_BITS = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "I16": 16, "F16": 16, "BF16": 16}
_BITS |= {"I32": 32, "F32": 32, "I64": 64, "F64": 64}


def read_config(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        InputError: It is missing, unreadable, or no JSON object.
    """
    try:
        config = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(unreadable("the model's file", path, error)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the model's file {path} is not JSON ({error}); {_FETCH}") from error
    if not isinstance(config, dict):
        raise InputError(f"the model's file {path} holds no JSON object; {_FETCH}")
    return config


def unreadable(what: str, path: Path, error: OSError) -> str:
    """Why a file cannot be read, and what to do about it.

    Args:
        what: What the file is called, such as `the file of weights`.
        path: The file.
        error: What opening it raised.
    """
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return f"{what} {path} is a link to {os.readlink(path)}, which is not there; {_FETCH}"
    if isinstance(error, FileNotFoundError):
        return f"{what} {path} is missing; {_FETCH}"
    reason, way_out = _REASONS.get(error.errno or 0, ("", ""))
    if not reason:
        return f"{what} {path} cannot be read: {error.strerror or error}; {_FETCH}"
    return f"{what} {path} {reason}; {way_out}"


@dataclass(frozen=True)
class Entry:
    """A tensor as a header tells of it.

    Attributes:
        dtype: As safetensors names it: `F32`, `F16`, `BF16`, `F8_E4M3`, ...
        shape: Its shape.
        start: Where its bytes begin in the file.
        size: How many there are.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int


def read_header(path: Path) -> bytes:
    """The header of a safetensors file, after checking that the file is whole.

    Raises:
        InputError: It is missing, truncated, too long, or no safetensors file at all.
    """
    header, _ = _parsed(path)
    return header


def weights_digest(path: Path, header: bytes | None = None) -> bytes:
    """Digest of a file's header, size, time of change, and of samples spread over its weights.

    Gigabytes stay unread. The samples tell files apart that have the same shapes and were unpacked
    with the same time.

    Args:
        path: The file.
        header: What stands for its header, if it is not a safetensors file.

    Raises:
        InputError: As `read_header`.
    """
    header = read_header(path) if header is None else header
    status = path.stat()
    hasher = blake3(f"{status.st_size}\0{status.st_mtime_ns}\0".encode())
    hasher.update(blake3(header).digest())
    with path.open("rb") as file:
        for place in range(_SAMPLES):
            file.seek(max(status.st_size - _SAMPLE, 0) * place // (_SAMPLES - 1))
            hasher.update(file.read(_SAMPLE))
    return hasher.digest()


def read_entries(path: Path) -> dict[str, Entry]:
    """The tensors of a safetensors file, by name.

    Raises:
        InputError: As `read_header`, or the header contradicts itself.
    """
    _, entries = _parsed(path)
    return entries


def stored_precision(entries: Iterable[Entry]) -> str:
    """The number format that most bytes of some tensors are in: `fp32`, `fp16`, `bf16`, ..."""
    sizes: dict[str, int] = {}
    for entry in entries:
        sizes[entry.dtype] = sizes.get(entry.dtype, 0) + entry.size
    most = max(sizes, key=lambda name: sizes[name], default="")
    return _PRECISIONS.get(most, "fp8" if most.startswith("F8") else most.lower())


def read_metadata(path: Path) -> dict[str, str]:
    """The texts that stand in the header beside the tensors.

    Raises:
        InputError: As `read_header`.
    """
    found = json.loads(read_header(path)).get("__metadata__") or {}
    return {str(name): str(text) for name, text in found.items()}


def read_numbers(path: Path, entry: Entry) -> list[float]:
    """The values of a small tensor in 16 or 32 bits; none if it is stored otherwise."""
    with path.open("rb") as file:
        file.seek(entry.start)
        data = file.read(entry.size)
    if entry.dtype == "BF16":
        # The upper half of a float32.
        data = b"".join(b"\0\0" + data[i : i + 2] for i in range(0, len(data), 2))
    code = {"F32": "f", "BF16": "f", "F16": "e"}.get(entry.dtype)
    return [] if code is None else [number for (number,) in struct.iter_unpack("<" + code, data)]


def _parsed(path: Path) -> tuple[bytes, dict[str, Entry]]:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if size < 8 or length > min(_LARGEST_HEADER, size - 8):
                raise InputError(_not_safetensors(path, start, size))
            header = file.read(length)
    except OSError as error:
        raise InputError(unreadable("the file of weights", path, error)) from error
    entries = _entries(path, header)
    expected = max((entry.start + entry.size for entry in entries.values()), default=8 + length)
    if size != expected:
        state = "truncated" if size < expected else "too long"
        raise InputError(
            f"the weights {path} are {state}: {size:,} bytes, and their header says "
            f"{expected:,}; {_FETCH}"
        )
    _require_readable(path)
    return header, entries


def _require_readable(path: Path) -> None:
    """What the library that reads the weights itself has against a header: gaps, overlaps, number
    formats that it does not know."""
    try:
        with safe_open(path, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"the header of {path} is not one of safetensors ({error}); {_FETCH}"
        ) from error


def _entries(path: Path, header: bytes) -> dict[str, Entry]:
    try:
        found = {
            name: _entry(item, 8 + len(header))
            for name, item in json.loads(header).items()
            if name != "__metadata__"
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"the weights {path} have a header that is not one of safetensors; {_FETCH}"
        ) from error
    for name, entry in found.items():
        bits = _BITS.get(entry.dtype)
        if bits is not None and entry.size * 8 != math.prod(entry.shape) * bits:
            raise InputError(
                f"the header of {path} lies: the tensor '{name}' of shape {list(entry.shape)} in "
                f"{entry.dtype} does not fill {entry.size:,} bytes; {_FETCH}"
            )
    return found


def _entry(item: Mapping[str, Any], data: int) -> Entry:
    start, end = (int(offset) for offset in item["data_offsets"])
    shape = tuple(int(side) for side in item["shape"])
    if not 0 <= start <= end or any(side < 0 for side in shape):
        raise ValueError("offsets and sides are never negative")
    return Entry(str(item["dtype"]), shape, data + start, end - start)


def _not_safetensors(path: Path, start: bytes, size: int) -> str:
    """What the file is instead, by its first bytes."""
    if start == b"version ":
        return f"{path} is a Git LFS pointer, not the weights; run `git lfs pull` in its repository"
    if start[:2] in (b"PK", b"\x80\x02"):
        return f"{path} is a pickle, not a safetensors file; convert it to safetensors"
    if not size:
        return f"the file of weights {path} is empty; {_FETCH}"
    if path.suffix.lower() in _NO_WEIGHTS:
        return f"{path} holds no weights but text; choose the .safetensors file of a model"
    if size >= 8 and not start[-1]:
        length = int.from_bytes(start, "little")
        return (
            f"{path} is not a whole safetensors file: it says that its header is {length:,} bytes "
            f"long, and it has {size:,} in all; {_FETCH}"
        )
    return (
        f"{path} is not a whole safetensors file ({size:,} bytes, which begin with {start!r}); "
        + _FETCH
    )
