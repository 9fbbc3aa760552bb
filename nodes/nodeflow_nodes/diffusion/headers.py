"""Model files read without torch: JSON configs and the headers of safetensors files.

Imported by the checks that run before anything else, so it must stay quick to import.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodeflow import InputError

_LARGEST_HEADER = 100 << 20  # as the safetensors library itself limits it
_FETCH = "fetch the file again"


def read_config(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        InputError: It is missing, unreadable, or no JSON object.
    """
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"the model's file {path} is missing; {_FETCH}") from error
    except OSError as error:
        raise InputError(f"the model's file {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the model's file {path} is not JSON ({error}); {_FETCH}") from error
    if not isinstance(config, dict):
        raise InputError(f"the model's file {path} holds no JSON object; {_FETCH}")
    return config


def read_header(path: Path) -> bytes:
    """The header of a safetensors file, after checking that the file is whole.

    Raises:
        InputError: It is missing, truncated, too long, or no safetensors file at all.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if size < 8 or length > min(_LARGEST_HEADER, size - 8):
                raise InputError(_not_safetensors(path, start, size))
            header = file.read(length)
    except FileNotFoundError as error:
        raise InputError(f"the weights {path} are missing; {_FETCH}") from error
    except OSError as error:
        raise InputError(f"the weights {path} cannot be read: {error.strerror}") from error
    expected = 8 + length + _data_length(path, header)
    if size != expected:
        state = "truncated" if size < expected else "too long"
        raise InputError(
            f"the weights {path} are {state}: {size:,} bytes, and their header says "
            f"{expected:,}; {_FETCH}"
        )
    return header


def _data_length(path: Path, header: bytes) -> int:
    try:
        tensors: Mapping[str, Any] = json.loads(header)
        ends = [entry["data_offsets"][1] for name, entry in tensors.items() if name[:2] != "__"]
        return int(max(ends, default=0))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"the weights {path} have a header that is not one of safetensors; {_FETCH}"
        ) from error


def _not_safetensors(path: Path, start: bytes, size: int) -> str:
    """What the file is instead, by its first bytes."""
    if start == b"version ":
        return f"{path} is a Git LFS pointer, not the weights; run `git lfs pull` in its repository"
    if start[:2] in (b"PK", b"\x80\x02"):
        return f"{path} is a pickle, not a safetensors file; convert it to safetensors"
    return (
        f"{path} is not a whole safetensors file ({size:,} bytes, which begin with {start!r}); "
        + _FETCH
    )
