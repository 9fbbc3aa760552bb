"""`/api/workflows` over real sockets: reading, saving and deleting by name."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.server.conftest import Served
from tests.server.shelf_tools import ask, running_server

FLOW: dict[str, Any] = {"nodeflow": 1, "name": "Sum", "nodes": {"n": {"type": "tools.number"}}}
TEXT = b'{ "nodeflow": 1,\n  "nodes": {} }'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, known_specs: Path) -> Iterator[Served]:
    with running_server(tmp_path_factory.mktemp("saved"), known_specs) as found:
        yield found


def test_a_workflow_is_made_read_changed_and_deleted(server: Served) -> None:
    made = ask(server, "PUT", "/api/workflows/my/first.json", TEXT, If_None_Match="*")
    assert made.status == 201
    assert made.headers["Location"] == "/api/workflows/my/first"
    etag = made.headers["ETag"]
    read = ask(server, "GET", "/api/workflows/my/first")
    assert (read.body, read.headers["ETag"]) == (TEXT, etag)
    assert ask(server, "GET", "/api/workflows/my/first", If_None_Match=etag).status == 304
    assert ask(server, "PUT", "/api/workflows/my/first", FLOW).status == 428
    changed = ask(server, "PUT", "/api/workflows/my%2Ffirst", FLOW, If_Match=etag)
    assert changed.status == 200
    stale = ask(server, "PUT", "/api/workflows/my/first", TEXT, If_Match=etag)
    assert (stale.status, stale.headers["ETag"]) == (412, changed.headers["ETag"])
    assert stale.json["etag"] == changed.json["etag"]
    assert ask(server, "GET", "/api/workflows/my/first?version=1").body == TEXT
    assert ask(server, "DELETE", "/api/workflows/my/first").status == 428
    gone = ask(server, "DELETE", "/api/workflows/my/first", If_Match=changed.headers["ETag"])
    assert gone.status == 204
    assert ask(server, "GET", "/api/workflows/my/first").status == 404
    versions = ask(server, "GET", "/api/workflows/my/first/versions").json["versions"]
    assert [item["number"] for item in versions] == [2, 1]
    assert json.loads(ask(server, "GET", "/api/workflows/my/first?version=2").body) == FLOW


def test_the_list_has_saved_workflows_and_templates(server: Served) -> None:
    ask(server, "PUT", "/api/workflows/listed", FLOW)
    found = {item["path"]: item for item in ask(server, "GET", "/api/workflows").json["workflows"]}
    assert (found["listed"]["name"], found["listed"]["template"]) == ("Sum", False)
    template = found["text_to_image"]
    assert template["template"]
    assert "prompt" in template["inputs"]
    assert template["outputs"] == ["image"]


def test_the_list_says_what_a_workflow_does_and_whether_it_has_a_picture(server: Served) -> None:
    ask(server, "PUT", "/api/workflows/told", {**FLOW, "description": "Adds."})
    ask(server, "PUT", "/api/workflows/untold", {**FLOW, "description": 7})
    found = {item["path"]: item for item in ask(server, "GET", "/api/workflows").json["workflows"]}
    assert (found["told"]["description"], found["told"]["thumbnail"]) == ("Adds.", False)
    assert found["untold"]["description"] == ""
    template = found["text_to_image"]
    assert (bool(template["description"]), template["thumbnail"]) == (True, True)


def test_a_template_brings_its_thumbnail(server: Served) -> None:
    reply = ask(server, "GET", "/api/workflows/text_to_image/thumbnail")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "image/webp")
    assert reply.headers["Cache-Control"] == "no-cache"
    etag = reply.headers["ETag"]
    again = ask(server, "GET", "/api/workflows/text_to_image/thumbnail", If_None_Match=etag)
    assert again.status == 304
    small = ask(server, "GET", "/api/workflows/text_to_image/thumbnail?thumb=16")
    with Image.open(io.BytesIO(small.body)) as picture:
        assert max(picture.size) == 16


def test_the_thumbnail_of_a_saved_workflow_is_what_its_last_job_made(server: Served) -> None:
    nodes = {"n": {"type": "tools.swatch", "inputs": {"grey": 128}}}
    flow = {"nodeflow": 1, "nodes": nodes, "outputs": {"out": {"node": "n"}}}
    ask(server, "PUT", "/api/workflows/my/grey", flow)
    url = "/api/workflows/my/grey/thumbnail"
    none = ask(server, "GET", url)
    assert none.status == 404
    assert "has no picture yet" in none.json["detail"]
    # A job of the same workflow that was not run by its name is none of it.
    server.finished(server.submit(flow))
    assert ask(server, "GET", url).status == 404
    for grey in (50, 200):
        body = {"path": "my/grey", "inputs": {"n.grey": grey}}
        job = server.finished(ask(server, "POST", "/api/jobs", body).json["id"])
        reply = ask(server, "GET", url)
        assert (reply.status, reply.headers["Content-Type"]) == (200, "image/webp")
        with Image.open(io.BytesIO(reply.body)) as picture:
            assert abs(picture.convert("L").getpixel((0, 0)) - grey) < 6
    (file,) = job["outputs"]["out"]["files"]
    (server.folder / "data" / "outputs" / file["name"]).unlink()
    older = ask(server, "GET", url)
    with Image.open(io.BytesIO(older.body)) as picture:
        assert abs(picture.convert("L").getpixel((0, 0)) - 50) < 6
    found = {item["path"]: item for item in ask(server, "GET", "/api/workflows").json["workflows"]}
    assert found["my/grey"]["thumbnail"]


def test_a_name_of_any_script_can_be_used(server: Served) -> None:
    made = ask(server, "PUT", "/api/workflows/%E7%8C%AB/%C3%A9t%C3%A9%20%231", FLOW)
    assert (made.status, made.json["path"]) == (201, "猫/été #1")
    assert ask(server, "GET", made.headers["Location"]).status == 200
    assert (server.folder / "data" / "workflows" / "猫" / "été #1.json").is_file()
    decomposed = ask(server, "GET", "/api/workflows/%E7%8C%AB/e%CC%81te%CC%81%20%231")
    assert decomposed.status == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "part"),
    [
        ("GET", "none", None, 404, "no workflow 'none'"),
        ("GET", "none/versions", None, 404, "no workflow 'none'"),
        ("GET", "text_to_image?version=9", None, 404, "no version 9"),
        ("GET", "text_to_image?version=0", None, 400, "version"),
        ("GET", "text_to_image?version=9e99", None, 400, "version"),
        ("GET", "text_to_image?what=1", None, 400, "what"),
        ("GET", "..%2F..%2Ftoken", None, 400, "leads out"),
        ("GET", "..%5C..%5Ctoken", None, 400, "backslash"),
        ("GET", "%2Fetc%2Fpasswd", None, 400, "starts with '/'"),
        ("GET", "a%00b", None, 400, "control character"),
        ("GET", "%252e%252e%252ftoken", None, 404, "no workflow"),
        ("GET", "a" * 201, None, 400, "100"),
        ("GET", "a" * 300, None, 414, "300 characters"),
        ("PUT", ".hidden", FLOW, 400, "hidden"),
        ("PUT", "a/run", FLOW, 400, "'run'"),
        ("PUT", "a/thumbnail", FLOW, 400, "'thumbnail'"),
        ("GET", "none/thumbnail", None, 404, "no workflow 'none'"),
        ("GET", "text_to_image/thumbnail?thumb=8", None, 400, "thumb"),
        ("PUT", "text_to_image", FLOW, 403, "is a template"),
        ("DELETE", "text_to_image", None, 403, "is a template"),
        ("DELETE", "none", None, 404, "no workflow 'none'"),
        ("PUT", "x", b"", 400, "empty"),
        ("PUT", "x", b"{", 400, "no JSON"),
        ("PUT", "x", b"\xff{}", 400, "UTF-8"),
        ("PUT", "x", b"[" * 3000, 400, "nested deeper"),
        ("PUT", "x", {}, 422, "not_a_workflow"),
        ("PUT", "x", [], 422, "not_a_workflow"),
        ("PUT", "x", {"workflow": FLOW}, 422, "not_a_workflow"),
        ("PUT", "x", {"nodeflow": 99, "nodes": {}}, 422, "newer_format"),
        ("PUT", "x", {"nodeflow": 1, "nodes": []}, 422, "invalid_document"),
        ("PATCH", "x", FLOW, 405, "not PATCH"),
        ("POST", "x", FLOW, 405, "not POST"),
    ],
)
def test_a_bad_request_is_refused_with_a_sentence(
    server: Served, method: str, path: str, body: Any, status: int, part: str
) -> None:
    reply = ask(server, method, f"/api/workflows/{path}", body)
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert part in reply.json["detail"]
    assert not (server.folder / "data" / "workflows" / "x.json").exists()


@pytest.mark.parametrize(("fault", "status"), [("", 201), ("nodes", 422), ("workflow", 422)])
def test_a_large_workflow_is_read_by_the_desk(server: Served, fault: str, status: int) -> None:
    large: dict[str, Any] = dict(FLOW, layout={"notes": ["x" * 1000] * 3000})
    if fault == "nodes":
        large["nodes"] = 7
    if fault == "workflow":
        large = {"workflow": large}
    reply = ask(server, "PUT", f"/api/workflows/large{fault}", large)
    assert reply.status == status, reply.body
    incoming = server.folder / "data" / "journal" / "incoming"
    assert list(incoming.iterdir()) == []
    if status == 201:
        assert json.loads(ask(server, "GET", "/api/workflows/large").body) == large
        run = ask(server, "POST", "/api/workflows/large/run", {})
        assert (run.status, run.json["status"]) == (200, "done")


def test_a_saved_workflow_is_safe_from_kill(tmp_path: Path, known_specs: Path) -> None:
    with running_server(tmp_path, known_specs) as server:
        etag = ask(server, "PUT", "/api/workflows/a", TEXT).headers["ETag"]
        server.kill()
        server.start()
        assert ask(server, "GET", "/api/workflows/a").headers["ETag"] == etag
        assert ask(server, "GET", "/api/workflows/a?version=1").body == TEXT


def test_nothing_of_all_this_is_an_error_of_the_server(server: Served) -> None:
    assert "Traceback" not in server.errors()
