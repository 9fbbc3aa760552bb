"""The token: made at the first start, kept in a file that only its owner can read."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

from blake3 import blake3

from nodeflow.errors import SettingsError

FILE = "token"
_SHORTEST = 16
_TIMES = 5


def keep_token(folder: Path) -> str:
    """The token of a data folder; made if there is none.

    Raises:
        SettingsError: The file cannot be written or read, or holds no token.
    """
    path = folder / FILE
    try:
        for _ in range(_TIMES):
            try:
                return _read(path)
            except FileNotFoundError:
                _make(path)
        return _read(path)
    except OSError as error:
        raise SettingsError(
            f"The token file '{path}' cannot be used: {error.strerror or error}."
        ) from error


def same_token(given: str, token: str) -> bool:
    """Whether two tokens are equal; it takes as long whether they are or not."""
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), token.encode("utf-8", "surrogatepass")
    )


def cookie_name(token: str) -> str:
    """Name of the cookie: browsers hand a host's cookies to all its ports, so servers differ."""
    return "nodeflow_" + blake3(b"cookie\0" + token.encode()).hexdigest(4)


def _read(path: Path) -> str:
    token = path.read_bytes().decode("ascii", "replace").strip()
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(
            f"The file '{path}' holds no token of {_SHORTEST} or more plain characters. "
            "Delete it; a new one is made at the next start."
        )
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
    return token


def _make(path: Path) -> None:
    """Write a new token; the file is whole from its first moment, and never replaces another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".unfinished-{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(unfinished, flags, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, path)
    except FileExistsError:
        pass  # another start was quicker: its token counts
    finally:
        unfinished.unlink()
