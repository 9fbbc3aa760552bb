"""DataLock: one server for a data folder; a second one is told who has it, and where."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from nodeflow.errors import SettingsError


class DataLock:
    """Held for as long as a server works on a data folder.

    The system lets go of it when the process ends, however it ends, so a killed server leaves
    nothing in the way of the next.

    Args:
        data: The data folder; made if it is not there.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._started = 0.0
        folder = data / "journal"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(data, error) from error
        # Beside the lock, since on Windows nobody can read a file that is locked.
        self._info = folder / "server.json"
        self._lock = FileLock(folder / "server.lock", timeout=0, thread_local=False)

    def acquire(self) -> None:
        """Take the folder.

        Raises:
            SettingsError: Another server has it, or the folder cannot be written to.
        """
        try:
            self._lock.acquire()
        except Timeout:
            raise SettingsError(self._taken()) from None
        except (OSError, NotImplementedError) as error:
            raise _unusable(self._data, error) from error
        self._started = time.time()
        self.announce("")

    def announce(self, url: str) -> None:
        """Write down where this server is reached, for whoever comes next.

        Raises:
            SettingsError: The folder cannot be written to.
        """
        info = {"pid": os.getpid(), "url": url, "started": self._started}
        try:
            handle, temporary = tempfile.mkstemp(dir=self._info.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(info, file)
            os.replace(temporary, self._info)
        except OSError as error:
            raise _unusable(self._data, error) from error

    def release(self) -> None:
        """Let another server have the folder."""
        if self._lock.is_locked:
            self._info.unlink(missing_ok=True)
            self._lock.release()

    def _taken(self) -> str:
        start = f"The data folder {self._data} is in use by "
        way_out = "Use that one, stop it, or set NODEFLOW_DATA to another folder."
        try:
            info = json.loads(self._info.read_bytes())
            pid, url, started = int(info["pid"]), str(info["url"]), float(info["started"])
        except (OSError, ValueError, KeyError, TypeError):
            # The other one has taken the lock and not yet said who it is.
            return f"{start}another server. {way_out}"
        where = f" at {url}" if url else ""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started))
        return f"{start}the server with process id {pid}{where}, started {since}. {way_out}"

    def __enter__(self) -> DataLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _unusable(data: Path, error: Exception) -> SettingsError:
    reason = getattr(error, "strerror", None) or error
    return SettingsError(
        f"The data folder {data} cannot be used: {reason}. "
        "Check its permissions, or set NODEFLOW_DATA to another folder."
    )
