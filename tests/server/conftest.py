"""A real server process on folders of its own, which can be killed and started again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PACKS = Path(__file__).parents[1] / "packs"

START_SECONDS = 60.0


@dataclass
class Served:
    """One data folder and the server on it; `start`, `kill` and `stop` as often as wanted."""

    folder: Path
    url: str = ""
    process: subprocess.Popen[str] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str) -> Served:
        variables = {
            "NODEFLOW_DATA": str(self.folder / "data"),
            "NODEFLOW_CACHE": str(self.folder / "cache"),
            "NODEFLOW_PACKS": str(PACKS),
        }
        with (self.folder / "stderr.txt").open("a") as errors:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "nodeflow.cli",
                    "serve",
                    "--port",
                    "0",
                    "--no-build",
                    *arguments,
                ],
                env={**os.environ, **variables, **self.environment},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert "serves at" in first, (self.folder / "stderr.txt").read_text()
        self.url = first.split("serves at ")[1].split()[0]
        return self

    def kill(self) -> None:
        """As `kill -9` does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of one request."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _json(error.read())

    def submit(self, workflow: dict[str, Any], **body: Any) -> str:
        status, answer = self.ask("POST", "/api/jobs", {"workflow": workflow, **body})
        assert status == 202, answer
        found: str = answer["id"]
        return found

    def job(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/api/jobs/{name}")[1]
        return found

    def finished(self, name: str, seconds: float = 60.0) -> dict[str, Any]:
        """The job once it is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.job(name)
            if job["status"] not in ("queued", "running"):
                return job
            time.sleep(0.02)
        raise AssertionError(f"the job is still {job['status']} after {seconds} s")

    def events(self, after: int = 0, seconds: float = 0.5) -> list[dict[str, Any]]:
        """All events that are kept, by Server-Sent Events; `seconds` of silence end it."""
        found: list[dict[str, Any]] = []
        request = urllib.request.Request(f"{self.url}/api/events?after={after}")
        with (
            contextlib.suppress(TimeoutError),
            urllib.request.urlopen(request, timeout=seconds) as answer,
        ):
            for line in answer:
                if line.startswith(b"data:"):
                    event = json.loads(line[5:])
                    found += [event] if "seq" in event else []
        return found

    def errors(self) -> str:
        """What the server said went wrong, on standard error."""
        return (self.folder / "stderr.txt").read_text()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


@pytest.fixture
def served(tmp_path: Path, known_specs: Path) -> Iterator[Served]:
    """A server that is not started yet."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "specs").symlink_to(known_specs)
    server = Served(tmp_path)
    yield server
    if server.process is not None:
        server.kill()
