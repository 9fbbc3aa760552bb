"""A hub on this machine: the part of its API by which huggingface_hub fetches files."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """What is asked for, by repository.

    Attributes:
        repositories: Name to files and their bytes.
        gated: Repositories whose terms are not accepted.
        lost: Repositories that tell what they are, and nothing after that.
        broken: Files that break off half-way.
        fetched: Files that were sent, in order.
        url: Where it listens.
    """

    def __init__(self, repositories: Mapping[str, Mapping[str, bytes]]) -> None:
        self.repositories = repositories
        self.gated: set[str] = set()
        self.lost: set[str] = set()
        self.broken: set[str] = set()
        self.fetched: list[str] = []
        self.url = ""


@contextmanager
def fake_hub(repositories: Mapping[str, Mapping[str, bytes]]) -> Iterator[FakeHub]:
    """Serve repositories until the block ends."""
    hub = FakeHub(repositories)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(send=False)

        def do_GET(self) -> None:
            self._answer(send=True)

        def _answer(self, *, send: bool) -> None:
            repository, asked = _asked(self.path)
            files = hub.repositories.get(repository)
            if repository in hub.gated:
                self._say(403, b"", send, {"X-Error-Code": "GatedRepo"})
            elif files is None:
                self._say(401, b"", send, {"X-Error-Code": "RepoNotFound"})
            elif repository in hub.lost and asked[:1] in (["resolve"], ["tree"]):
                self._say(500, b"", send)
            elif asked[:1] == ["resolve"]:
                self._file(files, "/".join(asked[2:]), send)
            elif asked[:1] == ["revision"] and asked[1] not in ("main", COMMIT):
                self._say(404, b"", send, {"X-Error-Code": "RevisionNotFound"})
            elif asked[:1] == ["tree"]:
                self._say(200, _tree(files), send)
            else:
                self._say(200, _about(repository, files), send)

        def _file(self, files: Mapping[str, bytes], name: str, send: bool) -> None:
            if name not in files:
                self._say(404, b"", send, {"X-Error-Code": "EntryNotFound"})
                return
            headers = {"ETag": f'"{_digest(files[name])}"', "X-Repo-Commit": COMMIT}
            if send:
                hub.fetched.append(name)
            if send and name in hub.broken:
                self.send_response(200)
                self.send_header("Content-Length", str(len(files[name])))
                self.end_headers()
                self.wfile.write(files[name][: len(files[name]) // 2])
                self.close_connection = True
                return
            self._say(200, files[name], send, headers)

        def _say(
            self, status: int, body: bytes, send: bool, headers: Mapping[str, str] | None = None
        ) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if send:
                self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            """The tests look at `fetched`."""

    return Handler


def _asked(address: str) -> tuple[str, list[str]]:
    """A repository, and what is asked of it."""
    parts = [part for part in unquote(urlsplit(address).path).split("/") if part]
    if parts[:2] == ["api", "models"]:
        parts = parts[2:]
    return "/".join(parts[:2]), parts[2:]


def _tree(files: Mapping[str, bytes]) -> bytes:
    entries = [
        {"type": "file", "path": name, "size": len(data), "oid": _digest(data)}
        for name, data in files.items()
    ]
    return json.dumps(entries).encode()


def _about(repository: str, files: Mapping[str, bytes]) -> bytes:
    siblings = [{"rfilename": name, "size": len(data)} for name, data in files.items()]
    return json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings}).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
