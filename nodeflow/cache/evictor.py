"""What the disk store holds, and what leaves when it is too much.

Greedy-dual-size as in `nodeflow.cache.memory`, with H (`priority`) and L (`clock`) in the index, so
that all processes continue one order. Functions here run inside a transaction of the index.

Rows are deleted first, and the files that nobody refers to any more in a second transaction: so no
row ever points at a file that a roll-back or a kill has cost it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable

from nodeflow.cache.files import ValueFiles

_CHUNK = 1000


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of all values; a file that several entries share counts once."""
    (rows,) = connection.execute("SELECT coalesce(sum(size), 0) FROM entries").fetchone()
    (shared,) = connection.execute(
        """
        SELECT coalesce(sum((uses - 1) * size), 0)
        FROM (SELECT count(*) AS uses, max(size) AS size FROM files GROUP BY file)
        WHERE uses > 1
        """
    ).fetchone()
    return int(rows) - int(shared)


def clock(connection: sqlite3.Connection) -> float:
    """L: the highest priority that has left so far."""
    (value,) = connection.execute("SELECT value FROM state WHERE name = 'clock'").fetchone()
    return float(value)


def refresh(connection: sqlite3.Connection, keys: Iterable[str]) -> None:
    """These were used: raise their priority as if they came in now."""
    connection.execute(
        """
        UPDATE entries SET priority = :clock + seconds / size
        WHERE key IN (SELECT value FROM json_each(:keys)) AND priority < :clock + seconds / size
        """,
        {"clock": clock(connection), "keys": json.dumps(list(keys))},
    )


def release_files(connection: sqlite3.Connection, keys: Iterable[str]) -> list[str]:
    """Forget which files `keys` refer to.

    Returns:
        What they were, for `remove_unused`.
    """
    listed = json.dumps(list(keys))
    files = connection.execute(
        "SELECT DISTINCT file FROM files WHERE key IN (SELECT value FROM json_each(?))", (listed,)
    ).fetchall()
    if files:
        connection.execute(
            "DELETE FROM files WHERE key IN (SELECT value FROM json_each(?))", (listed,)
        )
    return [file for (file,) in files]


def delete(connection: sqlite3.Connection, keys: Collection[str]) -> list[str]:
    """Delete entries.

    Returns:
        The files that they referred to, for `remove_unused`.
    """
    released = release_files(connection, keys)
    connection.execute(
        "DELETE FROM entries WHERE key IN (SELECT value FROM json_each(?))",
        (json.dumps(list(keys)),),
    )
    return released


def remove_unused(
    connection: sqlite3.Connection, files: ValueFiles, candidates: Collection[str]
) -> None:
    """Delete those of `candidates` from the disk that no entry refers to."""
    unused = connection.execute(
        """
        SELECT value FROM json_each(?)
        WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.file = value)
        """,
        (json.dumps(list(candidates)),),
    ).fetchall()
    files.remove(file for (file,) in unused)


def drop_damaged(
    connection: sqlite3.Connection, files: ValueFiles, key: str, file: str | None
) -> list[str]:
    """Delete the damaged row of `key`, or the damaged `file` and all entries that refer to it.

    Returns:
        Other files that they referred to, for `remove_unused`.
    """
    if file is None:
        return delete(connection, [key])
    if files.read(file) is not None:
        return []  # somebody has stored it again meanwhile
    files.remove([file])
    users = connection.execute("SELECT key FROM files WHERE file = ?", (file,)).fetchall()
    return delete(connection, [user for (user,) in users])


def evict(connection: sqlite3.Connection, limit: int, spare: str) -> tuple[int, list[str]]:
    """Delete entries in order of priority until `limit` bytes are used.

    What is pinned stays, even if it is too much.

    Args:
        spare: Entries of this owner go only when all others are gone.

    Returns:
        How many were deleted, and the files that they referred to, for `remove_unused`.
    """
    count = 0
    released: list[str] = []
    for condition in ("owner <> ?", "owner = ?"):
        # Shared files free less than the rows say, so what is used is counted anew each time.
        while (excess := used_bytes(connection) - limit) > 0:
            doomed, level = _least(connection, condition, spare, excess)
            if not doomed:
                break
            released += delete(connection, doomed)
            connection.execute(
                "UPDATE state SET value = max(value, ?) WHERE name = 'clock'", (level,)
            )
            count += len(doomed)
    return count, released


def _least(
    connection: sqlite3.Connection, condition: str, owner: str, excess: int
) -> tuple[list[str], float]:
    """Keys of least priority that make up `excess` bytes, or a chunk; the priority of the last."""
    rows = connection.execute(
        f"""
        SELECT key, size, priority FROM entries
        WHERE {condition} AND NOT EXISTS (SELECT 1 FROM pins WHERE pins.key = entries.key)
        ORDER BY priority, id LIMIT {_CHUNK}
        """,
        (owner,),
    )
    keys: list[str] = []
    level = 0.0
    for key, size, priority in rows.fetchall():
        if excess <= 0:
            break
        keys.append(key)
        level = priority
        excess -= size
    return keys, level
