"""Paths: names that come from outside, checked as text and then kept inside of a root."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

from nodeflow.server.problems import HttpError

MAX_NAME = 240
MAX_PART = 100
MAX_PART_BYTES = 200
"""File systems count bytes: most take 255, and an unfinished file has a few more."""

_CONTROLS = ("Cc", "Cs", "Zl", "Zp")
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10)
}


def clean(name: str, what: str) -> str:
    """A relative name with `/` between its parts, in Unicode's composed form (NFC).

    Args:
        what: What is named, for the sentence: `workflow`, `upload`.

    Raises:
        HttpError: 400, the name could leave its root, be hidden, or mean another file elsewhere.
    """
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise HttpError(400, f"The name of the {what} is empty; give one.")
    if len(name) > MAX_NAME:
        raise _refused(name, what, f"has {len(name)} characters; {MAX_NAME} is the limit")
    if any(unicodedata.category(character) in _CONTROLS for character in name):
        raise _refused(name, what, "has a control character; leave it out")
    if _TURNING & set(name):
        raise _refused(name, what, "turns the direction of writing; leave that character out")
    if "\\" in name:
        raise _refused(name, what, "has a backslash; write '/' between folders")
    if ":" in name:
        raise _refused(name, what, "has a colon; leave it out")
    if name.startswith("/"):
        raise _refused(name, what, "starts with '/'; give a name inside of the folder")
    for part in name.split("/"):
        if fault := _fault(part):
            raise _refused(name, what, fault)
    return name


def _fault(part: str) -> str:
    """What is wrong with one part of a name; empty if it will do."""
    if part == "..":
        return "leads out of its folder ('..'); give a name inside of it"
    if not part:
        return "has an empty part; write one '/' between folders and none at the end"
    if part.startswith("."):
        return f"has the part '{part}', which would be hidden; let no part start with a dot"
    if part[-1] in " .":
        return f"has the part '{part}', which ends with a dot or a space; leave that out"
    if len(part) > MAX_PART or len(part.encode()) > MAX_PART_BYTES:
        return (
            f"has a part of {len(part)} characters; {MAX_PART}, or {MAX_PART_BYTES} bytes, "
            "are the limit"
        )
    if part.partition(".")[0].rstrip().lower() in _DEVICES:
        return f"has the part '{part}', which is a device on Windows; take another name"
    return ""


def _refused(name: str, what: str, fault: str) -> HttpError:
    shown = name if len(name) <= 80 else f"{name[:77]}..."
    return HttpError(400, f"The name {shown!r} of the {what} {fault}.")


def inside(root: Path, name: str, what: str) -> Path:
    """The path of a clean name, after it was seen that no link leads out of the root.

    Args:
        name: From `clean`.

    Raises:
        HttpError: 403, a link on the way leads elsewhere.
    """
    path = root / name
    try:
        real, real_root = path.resolve(), root.resolve()
    except (OSError, RuntimeError) as error:
        raise _refused(name, what, "cannot be followed: links that lead in a circle") from error
    if not real.is_relative_to(real_root):
        raise HttpError(
            403,
            f"The {what} '{name}' is a link, or lies behind one, that leads out of its folder. "
            "Copy the file into the folder.",
        )
    return path


def accepted(name: str, check: Callable[[str], str]) -> bool:
    """Whether a name that was found on disk is one that `check` takes as it stands."""
    try:
        return check(name) == name
    except HttpError:
        return False
