"""`/api/read` over real sockets: whatever holds a workflow comes back as today's document."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nodeflow.pictures import PictureFormat, write_picture
from tests.server.conftest import Served
from tests.server.shelf_tools import ask, running_server

FLOW: dict[str, Any] = {
    "nodeflow": 1,
    "name": "Sum",
    "nodes": {"n": {"type": "no.such", "note": "mine"}},
    "later": {"key": 1},
}
OLD = {
    "nodeflow": 0,
    "nodes": [
        {"id": "a", "type": "tools.number"},
        {"id": "b", "type": "tools.add", "inputs": {"a": {"link": ["a", "value"]}}},
    ],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, known_specs: Path) -> Iterator[Served]:
    with running_server(tmp_path_factory.mktemp("opened"), known_specs) as found:
        yield found


@pytest.fixture(autouse=True)
def _nothing_is_kept(server: Served) -> Iterator[None]:
    yield
    assert list((server.folder / "data" / "journal" / "incoming").iterdir()) == []


def picture(kind: PictureFormat, workflow: object = None) -> bytes:
    file = io.BytesIO()
    text = "" if workflow is None else json.dumps(workflow)
    write_picture(file, Image.new("RGB", (30, 20)), kind, text)
    return file.getvalue()


def test_a_document_comes_back_whole_though_nobody_knows_its_nodes(server: Served) -> None:
    reply = ask(server, "POST", "/api/read", FLOW)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    read = reply.json["workflow"]
    assert read["nodes"] == FLOW["nodes"]
    assert (read["name"], read["later"]) == ("Sum", {"key": 1})


def test_an_old_document_comes_in_todays_format(server: Served) -> None:
    read = ask(server, "POST", "/api/read", OLD).json["workflow"]
    assert read["nodeflow"] == 1
    assert read["nodes"]["b"]["inputs"] == {"a": {"node": "a", "output": "value"}}


def test_a_file_that_starts_with_a_mark_of_its_encoding_is_read(server: Served) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(FLOW).encode()
    assert ask(server, "POST", "/api/read", body).json["workflow"]["name"] == "Sum"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_gives_the_workflow_that_made_it(server: Served, kind: PictureFormat) -> None:
    # A type that is not the file's own is no matter: what is in the file counts.
    reply = ask(server, "POST", "/api/read", picture(kind, FLOW), Content_Type="image/png")
    assert reply.status == 200, reply.body
    assert reply.json["workflow"]["nodes"] == FLOW["nodes"]


@pytest.mark.parametrize("where", ["document", "picture"])
def test_a_large_document_is_read_by_the_desk(server: Served, where: str) -> None:
    large = dict(FLOW, layout={"notes": ["x" * 1000] * 3000})
    body: Any = large if where == "document" else picture("PNG", large)
    kind = "application/json" if where == "document" else "image/png"
    reply = ask(server, "POST", "/api/read", body, Content_Type=kind)
    assert reply.status == 200, reply.body
    assert reply.json["workflow"]["layout"] == large["layout"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code", "part"),
    [
        ({"some": "JSON"}, "application/json", 422, "not_a_workflow", "no nodeflow workflow"),
        ({"nodeflow": 99}, "application/json", 422, "newer_format", "Update nodeflow"),
        ({"nodeflow": 1, "nodes": 7}, "application/json", 422, "invalid_document", "nodes"),
        (dict(FLOW, nodes="x" * 50_000), "application/json", 422, "invalid_document", "nodes"),
        (b"{", "application/json", 422, "not_json", "is no JSON"),
        (b"\xff{}", "application/json", 422, "not_json", "none of a character in UTF-8"),
        (picture("PNG"), "image/png", 422, "no_workflow", "carries no workflow of nodeflow"),
        (picture("WEBP"), "image/webp", 422, "no_workflow", "load this one as an input"),
        (picture("PNG", {"a": 1}), "image/png", 422, "not_a_workflow", "no nodeflow workflow"),
        (picture("PNG")[:40], "image/png", 422, "unreadable_file", "'cat' is damaged"),
        (b"<svg/>", "image/svg+xml", 422, "unreadable_file", "'cat' is not a PNG"),
        (b"", "image/png", 400, "", "The body is empty; send a picture."),
        (b"", "application/json", 400, "", "empty"),
        (b"{}", "text/plain", 415, "", "said to be 'text/plain'"),
    ],
)
def test_what_holds_no_workflow_is_refused_with_a_sentence(
    server: Served, body: Any, kind: str, status: int, code: str, part: str
) -> None:
    reply = ask(server, "POST", "/api/read?name=cat", body, Content_Type=kind)
    assert reply.status == status, reply.body
    assert part in reply.json["detail"]
    assert [item["code"] for item in reply.json.get("problems", [])] == ([code] if code else [])


def test_too_many_pixels_are_413_before_any_is_decoded(server: Served) -> None:
    file = io.BytesIO()
    Image.new("RGB", (10, 10)).save(file, "BMP")
    body = bytearray(file.getvalue())
    body[18:26] = (20_000).to_bytes(4, "little") * 2
    reply = ask(server, "POST", "/api/read?name=big", bytes(body), Content_Type="image/bmp")
    assert reply.status == 413
    assert "'big' says it is 20000 x 20000" in reply.json["detail"]


def test_nothing_of_all_this_is_an_error_of_the_server(server: Served) -> None:
    assert "Traceback" not in server.errors()
