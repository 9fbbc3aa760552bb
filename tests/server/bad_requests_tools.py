"""Requests that no honest client sends, sent as they are: nothing about them is made better."""

from __future__ import annotations

import http.client
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from tests.server.conftest import Served
from tests.server.shelf_tools import Reply

JSON = {"Content-Type": "application/json"}
PNG = {"Content-Type": "image/png"}


@dataclass(frozen=True)
class Bad:
    """A request and how it is refused.

    Attributes:
        body: Bytes as they are; anything else is sent as JSON.
        words: All of them are in the sentence.
    """

    name: str
    method: str
    path: str
    status: int
    words: tuple[str, ...]
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def send(
    server: Served, method: str, path: str, headers: Mapping[str, str], body: Any = None
) -> Reply:
    """One request with the path as it is written, and only the headers that are named or needed.

    A `Content-Length` of one's own is not corrected.
    """
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    place = urlsplit(server.url)
    named = {"Host": place.netloc} | dict(headers)
    if data is not None:
        named = {"Content-Length": str(len(data))} | named
        if not isinstance(body, bytes):
            named = JSON | named
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in named.items():
            connection.putheader(name, value)
        connection.endheaders(data)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def flow(**nodes: dict[str, Any]) -> dict[str, Any]:
    """What is handed in to run these nodes."""
    return {"workflow": {"nodeflow": 1, "name": "bad", "nodes": nodes}}


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"type": f"tools.{kind}", "inputs": inputs}


def link(name: str, output: str = "int") -> dict[str, str]:
    return {"node": name, "output": output}


def png(width: int, height: int) -> bytes:
    """A PNG that says it is so large; of its pixels there is next to nothing."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def picture() -> bytes:
    """A good PNG."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 30, 60)).save(file, "PNG")
    return file.getvalue()


def archive() -> bytes:
    """A zip file with a file that wants to be somewhere else."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("../../evil.txt", "evil")
    return file.getvalue()


def form(*files: tuple[str, bytes]) -> tuple[dict[str, str], bytes]:
    """Headers and body of a form with files."""
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: image/png\r\n\r\n".encode()
        + data
        + b"\r\n"
        for name, data in files
    ]
    return (
        {"Content-Type": "multipart/form-data; boundary=cut"},
        b"".join(parts) + b"--cut--\r\n",
    )
