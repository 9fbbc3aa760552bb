"""Pins: keys that no process may evict while somebody refers to them.

Functions here run inside a transaction of the index.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable

KEEP_SECONDS = 7 * 86_400.0
"""Pins older than this belong to a process that was killed, unless their owner is lasting."""

LASTING = "job:"
"""Owners whose names begin so outlive processes: what they pin stays until they let go."""


def pin(connection: sqlite3.Connection, owner: str, keys: Iterable[str]) -> None:
    """Keep these, here already or not."""
    connection.execute(
        "INSERT OR REPLACE INTO pins (key, owner, at) SELECT value, ?, ? FROM json_each(?)",
        (owner, time.time(), json.dumps(list(keys))),
    )


def pin_only(connection: sqlite3.Connection, owner: str, keys: Iterable[str]) -> None:
    """Keep these, and nothing else that `owner` has pinned."""
    listed = list(keys)
    connection.execute(
        "DELETE FROM pins WHERE owner = ? AND key NOT IN (SELECT value FROM json_each(?))",
        (owner, json.dumps(listed)),
    )
    pin(connection, owner, listed)


def unpin(connection: sqlite3.Connection, owners: Iterable[str]) -> None:
    """Let go of all that these have pinned."""
    connection.execute(
        "DELETE FROM pins WHERE owner IN (SELECT value FROM json_each(?))",
        (json.dumps(list(owners)),),
    )


def prune(connection: sqlite3.Connection) -> None:
    """Forget pins that nobody will ever let go."""
    connection.execute(
        "DELETE FROM pins WHERE at < ? AND substr(owner, 1, ?) <> ?",
        (time.time() - KEEP_SECONDS, len(LASTING), LASTING),
    )
