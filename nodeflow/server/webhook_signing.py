"""Webhook signing: what tells a receiver that a call is ours, as Standard Webhooks has it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from nodeflow.errors import SettingsError

FILE = "webhook_secret"
PREFIX = "whsec_"
_BYTES = 32
_FEWEST = 16


def keep_secret(folder: Path) -> bytes:
    """The key of a data folder; made if there is none. The file holds it as receivers take it.

    Raises:
        SettingsError: The file cannot be written or read, or holds no key.
    """
    path = folder / FILE
    try:
        with suppress(FileExistsError):
            _make(path)
        text = path.read_bytes().decode("ascii", "replace").strip()
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise SettingsError(
            f"The webhook secret '{path}' cannot be used: {error.strerror or error}."
        ) from error
    return read_secret(text, path)


def read_secret(text: str, path: Path) -> bytes:
    """The key that a text such as `whsec_MfKQ...` stands for.

    Raises:
        SettingsError: It stands for none.
    """
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _FEWEST:
        raise SettingsError(
            f"The file '{path}' holds no secret of the form {PREFIX}BASE64. "
            "Delete it; a new one is made at the next start."
        )
    return key


def signed(key: bytes, id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers of a call; a receiver computes the signature anew and compares."""
    content = f"{id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "Webhook-Id": id,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": f"v1,{signature}",
    }


def _make(path: Path) -> None:
    """Write a new key; the file is whole from its first moment, and never replaces another."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".unfinished-{secrets.token_hex(8)}")
    text = PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(unfinished, flags, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, path)
    finally:
        unfinished.unlink()
