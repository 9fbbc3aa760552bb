"""ServerLog: a rotating file for what happens in the server, standard error for what goes wrong."""

from __future__ import annotations

import logging
import os
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

from nodeflow.errors import SettingsError

FILES = 5
"""How many files there are in all: the newest and those before it."""

_FILE_BYTES = 10_000_000
_TAIL_BYTES = 4_000_000
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_QUIET = ("aiohttp.access", "asyncio", "watchfiles", "filelock", "PIL")
"""Loggers that tell of every request or file; from them only warnings are kept."""


class ServerLog:
    """Writes log records in a thread of its own, so that no handler waits for the disk.

    Args:
        folder: Where `server.log` lies; made if it is not there.

    Raises:
        SettingsError: The folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "server.log"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = RotatingFileHandler(
                self.path, maxBytes=_FILE_BYTES, backupCount=FILES - 1, encoding="utf-8"
            )
        except OSError as error:
            raise SettingsError(
                f"The log {self.path} cannot be written: {error.strerror or error}. "
                "Check the permissions of its folder, or set NODEFLOW_DATA to another one."
            ) from error
        terminal = logging.StreamHandler()
        terminal.setLevel(logging.WARNING)
        for handler in (file, terminal):
            handler.setFormatter(logging.Formatter(_FORMAT))
        records: SimpleQueue[logging.LogRecord] = SimpleQueue()
        self._file = file
        self._queue = QueueHandler(records)
        self._listener = QueueListener(records, file, terminal, respect_handler_level=True)

    def start(self) -> None:
        """Take what all loggers say from now on."""
        root = logging.getLogger()
        root.addHandler(self._queue)
        root.setLevel(logging.INFO)
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
        self._listener.start()

    def close(self) -> None:
        """Write what waits to be written, and let go of the file."""
        logging.getLogger().removeHandler(self._queue)
        self._listener.stop()
        self._file.close()

    def __enter__(self) -> ServerLog:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def last_lines(path: Path, count: int) -> list[str]:
    """The newest lines of a log, oldest of them first; none if there is no such file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - _TAIL_BYTES)
            file.seek(start)
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    lines = text.splitlines()
    # A line whose beginning lies further up is no line.
    return (lines[1:] if start else lines)[-count:]
