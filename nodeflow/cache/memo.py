"""Small facts that outlive a process: digests of files, facts by key, names that were awaited."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Mapping

from pydantic import JsonValue

KEEP_SECONDS = 180 * 86_400.0
KEEP_COUNT = 200_000


def remember(connection: sqlite3.Connection, kind: str, items: Mapping[str, JsonValue]) -> None:
    """Keep `items`, in a transaction; an equal key of the same kind is replaced."""
    now = time.time()
    connection.executemany(
        "INSERT OR REPLACE INTO memos (kind, key, value, at) VALUES (?, ?, ?, ?)",
        [(kind, key, json.dumps(value, allow_nan=False), now) for key, value in items.items()],
    )


def recall(
    connection: sqlite3.Connection, kind: str, keys: Collection[str]
) -> dict[str, JsonValue]:
    """Those of `keys` that are known."""
    if len(keys) == 1:
        (key,) = keys
        row = connection.execute(
            "SELECT value FROM memos WHERE kind = ? AND key = ?", (kind, key)
        ).fetchone()
        return {key: json.loads(row[0])} if row else {}
    # One row with everything: stepping through many would hand the interpreter lock over each time.
    (text,) = connection.execute(
        """
        SELECT json_group_object(key, json(value)) FROM memos
        WHERE kind = ? AND key IN (SELECT value FROM json_each(?))
        """,
        (kind, json.dumps(list(keys))),
    ).fetchone()
    found: dict[str, JsonValue] = json.loads(text)
    return found


def prune(connection: sqlite3.Connection) -> None:
    """Forget the oldest, in a transaction."""
    connection.execute("DELETE FROM memos WHERE at < ?", (time.time() - KEEP_SECONDS,))
    connection.execute(
        """
        DELETE FROM memos WHERE (kind, key) IN
            (SELECT kind, key FROM memos ORDER BY at DESC LIMIT -1 OFFSET ?)
        """,
        (KEEP_COUNT,),
    )
