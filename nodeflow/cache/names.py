"""File names promised before they are written, so that a resumed job writes the same file again."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from pathlib import Path

KEEP_SECONDS = 30 * 86_400.0


class Names:
    """Gives out names `stem_0001`; its methods run inside a transaction of the index."""

    def __init__(self) -> None:
        # So that the folder is not listed again for every file of a long run.
        self._last: dict[tuple[Path, str, str], int] = {}

    def reserve(
        self, connection: sqlite3.Connection, token: str, item: int, place: tuple[Path, str, str]
    ) -> Path:
        """The name promised to `item` of `token`; a new one counts on from the highest.

        Args:
            place: Folder, stem and suffix.
        """
        promised = connection.execute(
            "SELECT path FROM promises WHERE token = ? AND item = ?", (token, item)
        ).fetchone()
        if promised is not None and _number(Path(promised[0]), place) is not None:
            return Path(promised[0])
        path = self._free(connection, place)
        connection.execute(
            """
            INSERT INTO promises (token, item, path, at) VALUES (?, ?, ?, ?)
            ON CONFLICT (token, item) DO UPDATE SET path = excluded.path, at = excluded.at
            """,
            (token, item, str(path), time.time()),
        )
        return path

    def _free(self, connection: sqlite3.Connection, place: tuple[Path, str, str]) -> Path:
        folder, stem, suffix = place
        number = self._last.get(place)
        if number is None:
            numbers = [_number(path, place) for path in _listed(folder)]
            number = max((found for found in numbers if found is not None), default=0)
        while True:
            number += 1
            path = folder / f"{stem}_{number:04d}{suffix}"
            taken = connection.execute("SELECT 1 FROM promises WHERE path = ?", (str(path),))
            if taken.fetchone() is None and not os.path.lexists(path):
                self._last[place] = number
                return path


def settle(connection: sqlite3.Connection, token: str) -> None:
    """Forget what was promised to `token`, in a transaction."""
    connection.execute("DELETE FROM promises WHERE token = ?", (token,))


def prune(connection: sqlite3.Connection) -> None:
    """Forget promises that nobody came back for, in a transaction."""
    connection.execute("DELETE FROM promises WHERE at < ?", (time.time() - KEEP_SECONDS,))


def _number(path: Path, place: tuple[Path, str, str]) -> int | None:
    """The number of a name that belongs to `place`; None if it does not."""
    folder, stem, suffix = place
    if path.parent != folder:
        return None
    match = re.fullmatch(re.escape(stem) + r"_(\d{4,9})" + re.escape(suffix), path.name)
    return int(match.group(1)) if match else None


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
