"""A real server with saved workflows, shared by the tests of one file, and raw requests to it."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from tests.server.conftest import Served


@dataclass
class Reply:
    """An answer as it came."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@contextlib.contextmanager
def running_server(folder: Path, known_specs: Path) -> Iterator[Served]:
    """A server process on a folder of its own."""
    (folder / "cache").mkdir()
    (folder / "cache" / "specs").symlink_to(known_specs)
    server = Served(folder)
    try:
        yield server.start()
    finally:
        if server.process is not None:
            server.kill()


def ask(server: Served, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """One request; `_` in names of headers stands for `-`."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        named.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(server.url + path, data, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


def save(server: Served, path: str, workflow: dict[str, Any]) -> str:
    """Save a workflow; its ETag comes back."""
    reply = ask(server, "PUT", f"/api/workflows/{path}", {"nodeflow": 1, **workflow})
    assert reply.status == 201, reply.body
    return str(reply.headers["ETag"])
