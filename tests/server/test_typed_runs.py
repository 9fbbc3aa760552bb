"""A saved workflow as a function: typed inputs, waiting or not, values, files and pictures."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from tests.server.conftest import Served
from tests.server.shelf_tools import Reply, ask, running_server, save

BOUNDARY = "a-boundary"


def place(node: str, name: str) -> dict[str, str]:
    return {"node": node, "input": name}


FLOWS: dict[str, dict[str, Any]] = {
    "sum": {
        "nodes": {
            "small": {"type": "tools.limited"},
            "sum": {"type": "tools.add", "inputs": {"a": {"node": "small"}, "b": 2}},
        },
        "inputs": {"a": place("small", "a"), "b": place("sum", "b")},
        "outputs": {"sum": {"node": "sum"}},
    },
    "colours/grey": {
        "nodes": {"swatch": {"type": "tools.swatch"}, "n": {"type": "tools.number"}},
        "inputs": {"grey": place("swatch", "grey")},
        "outputs": {"n": {"node": "n"}, "colour": {"node": "swatch"}},
    },
    "measure": {
        "nodes": {"length": {"type": "tools.length", "inputs": {"file": "none.png"}}},
        "inputs": {"file": place("length", "file")},
        "outputs": {"length": {"node": "length"}},
    },
    "refuse": {
        "nodes": {"no": {"type": "tools.refuse"}},
        "inputs": {"a": place("no", "a")},
        "outputs": {"o": {"node": "no"}},
    },
    "slow": {
        "nodes": {"hang": {"type": "tools.hang"}},
        "inputs": {"seconds": place("hang", "seconds")},
        "outputs": {"o": {"node": "hang"}},
    },
    "broken": {"nodes": {"a": {"type": "tools.gone"}}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, known_specs: Path) -> Iterator[Served]:
    with running_server(tmp_path_factory.mktemp("typed"), known_specs) as found:
        for name, flow in FLOWS.items():
            save(found, name, flow)
        yield found


def run(server: Served, path: str, body: Any = None, **headers: str) -> Reply:
    name, _, query = path.partition("?")
    return ask(server, "POST", f"/api/workflows/{name}/run?{query}", body, **headers)


def form(*parts: tuple[str, str, bytes]) -> bytes:
    """Parts of a form as (name, file name, content)."""
    text = b""
    for name, file, content in parts:
        given = f'; filename="{file}"' if file else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{given}\r\n\r\n'
        text += head.encode() + content + b"\r\n"
    return text + f"--{BOUNDARY}--\r\n".encode()


def send_form(server: Served, path: str, *parts: tuple[str, str, bytes]) -> Reply:
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return run(server, path, form(*parts), Content_Type=kind)


def picture(shade: int) -> bytes:
    file = io.BytesIO()
    PIL.Image.new("L", (3, 3), shade).save(file, "PNG")
    return file.getvalue()


def test_inputs_go_in_by_name_and_outputs_come_back(server: Served) -> None:
    reply = run(server, "sum", {"a": 3, "b": 4})
    assert reply.status == 200, reply.body
    assert reply.json["outputs"] == {"sum": {"value": 7}}
    assert reply.json["status"] == "done"
    job = ask(server, "GET", f"/api/jobs/{reply.json['id']}").json
    assert (job["path"], job["inputs"]) == ("sum", {"a": 3, "b": 4})
    assert reply.headers["Job-Id"] == job["id"]


def test_what_is_left_out_is_as_it_was_saved(server: Served) -> None:
    assert run(server, "sum").json["outputs"] == {"sum": {"value": 3}}
    assert run(server, "sum.json", {"b": 9}).json["outputs"] == {"sum": {"value": 10}}


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "part"),
    [
        ("sum", {"a": 11, "b": "x", "c": 1}, {}, 422, "And 2 more"),
        ("sum", {"a": True}, {}, 422, "'a' cannot be True"),
        ("sum", [1], {}, 422, "has to be an object"),
        ("sum", b"{a", {}, 400, "no JSON"),
        ("sum", b'{"a": NaN}', {}, 400, "no JSON"),
        ("sum", b'{"a": 1, "a": 2}', {}, 400, "twice"),
        ("sum", b"[" * 5000, {}, 400, "nested deeper"),
        ("sum", b'{"a": "%s"}' % (b"x" * (2 << 20)), {}, 413, "is the limit"),
        ("sum", b"a=3", {"Content_Type": "application/x-www-form-urlencoded"}, 415, "JSON"),
        ("nothing", {}, {}, 404, "no workflow 'nothing'"),
        ("..%2Fx", {}, {}, 400, "leads out"),
        ("broken", {}, {}, 422, "tools.gone"),
        ("sum?priority=5000", {}, {}, 400, "priority"),
        ("sum?colour=red", {}, {}, 400, "colour"),
        ("sum?output=no", {}, {}, 400, "there is: sum"),
        ("sum?webhook=ftp://x/", {}, {}, 422, "webhook"),
        ("sum", {}, {"Accept": "text/html"}, 406, "image/png"),
        ("sum", {}, {"Accept": "image/png"}, 406, "No output of the workflow is a picture"),
        ("sum", {}, {"Idempotency_Key": "k" * 300}, 400, "Idempotency-Key"),
        ("measure", {"file": "../../token"}, {}, 422, "outside"),
        ("measure", {"file": "/etc/passwd"}, {}, 422, "outside"),
    ],
)
def test_a_bad_call_is_refused_with_a_sentence(
    server: Served, path: str, body: Any, headers: dict[str, str], status: int, part: str
) -> None:
    before = ask(server, "GET", "/api/jobs?limit=1").json["jobs"]
    reply = run(server, path, body, **headers)
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert part in reply.json["detail"]
    assert ask(server, "GET", "/api/jobs?limit=1").json["jobs"] == before


def test_every_wrong_input_is_pointed_at(server: Served) -> None:
    reply = run(server, "sum", {"a": 11, "b": "x", "c": 1})
    found = {item["pointer"]: item["sentence"] for item in reply.json["problems"]}
    assert set(found) == {"/a", "/b", "/c"}
    assert "at most 10" in found["/a"]


def test_a_node_that_fails_is_told_with_its_job(server: Served) -> None:
    reply = run(server, "refuse", {"a": 7})
    assert reply.status == 422
    assert "7 is too much" in reply.json["detail"]
    assert reply.json["job_status"] == "failed"
    assert "7 is too much" in reply.json["nodes"]["no"]
    assert ask(server, "GET", f"/api/jobs/{reply.json['job']}").json["status"] == "failed"


def test_who_does_not_want_to_wait_gets_the_job(server: Served) -> None:
    reply = run(server, "sum", {"a": 1}, Prefer="respond-async")
    assert reply.status == 202
    assert reply.headers["Preference-Applied"] == "respond-async"
    assert reply.headers["Location"] == f"/api/jobs/{reply.json['id']}"
    assert server.finished(reply.json["id"])["outputs"] == {"sum": {"value": 3}}


def test_who_waits_for_a_while_gets_the_job_then(server: Served) -> None:
    begun = time.monotonic()
    reply = run(server, "slow", {"seconds": 30.0}, Prefer="wait=1")
    assert reply.status == 202
    assert 0.9 < time.monotonic() - begun < 15
    assert reply.headers["Preference-Applied"] == "wait=1"
    assert ask(server, "DELETE", f"/api/jobs/{reply.json['id']}").status == 200
    assert run(server, "sum", {"a": 1}, Prefer="wait=50").status == 200


def test_the_same_key_is_the_same_job(server: Served) -> None:
    first = run(server, "sum", {"a": 5}, Idempotency_Key="k1")
    again = run(server, "sum", {"a": 5}, Idempotency_Key="k1")
    assert again.json == first.json
    other = run(server, "sum", {"a": 6}, Idempotency_Key="k1")
    assert 400 <= other.status < 500
    assert "k1" in other.json["detail"]


def test_the_answer_can_be_the_picture_itself(server: Served) -> None:
    found = {}
    for kind in ("png", "webp", "jpeg"):
        reply = run(server, "colours/grey", {"grey": 200}, Accept=f"image/{kind}")
        assert reply.status == 200, reply.body
        assert reply.headers["Content-Type"] == f"image/{kind}"
        with PIL.Image.open(io.BytesIO(reply.body)) as image:
            assert (image.format or "").lower() == kind
            assert image.size == (4, 4)
        found[kind] = reply
    as_json = run(server, "colours/grey?output=colour", {"grey": 200}).json
    (file,) = as_json["outputs"]["colour"]["files"]
    assert file["url"] == found["png"].headers["Content-Location"]
    assert ask(server, "GET", file["url"]).body == found["png"].body
    any_kind = run(server, "colours/grey", {"grey": 200}, Accept="image/*")
    assert any_kind.body == found["png"].body
    reply = run(server, "colours/grey?output=n", {}, Accept="image/png")
    assert (reply.status, "'n' is no picture" in reply.json["detail"]) == (406, True)


def test_a_file_of_a_form_is_uploaded_and_used(server: Served) -> None:
    content = picture(90)
    reply = send_form(server, "measure", ("file", "../../my cat.png", content))
    assert reply.status == 200, reply.body
    assert reply.json["outputs"] == {"length": {"value": len(content)}}
    name = ask(server, "GET", f"/api/jobs/{reply.json['id']}").json["inputs"]["file"]
    assert name.startswith("uploads/my_cat-")
    by_name = run(server, "measure", {"file": name})
    assert by_name.json["outputs"] == reply.json["outputs"]
    as_text = send_form(server, "measure", ("file", "", name.encode()))
    assert as_text.json["outputs"] == reply.json["outputs"]
    numbers = send_form(server, "sum", ("a", "", b"3"), ("b", "", b"40"))
    assert numbers.json["outputs"] == {"sum": {"value": 43}}


@pytest.mark.parametrize(
    ("path", "parts", "status", "part"),
    [
        ("measure", [("file", "a.png", b"")], 422, "is empty"),
        ("measure", [("file", "a.png", b"<svg/>")], 422, "cannot be the file"),
        ("measure", [("fiel", "a.png", b"x")], 422, "takes no 'fiel'"),
        ("sum", [("a", "a.png", picture(1))], 422, "takes no file"),
        ("sum", [("a", "", b"eleven")], 422, "'a' cannot be 'eleven'"),
        ("sum", [("a", "", b"1"), ("a", "", b"2")], 422, "twice"),
        ("sum", [("a", "", b"\xff")], 400, "UTF-8"),
        ("sum", [("b", "", b"9" * (2 << 20))], 413, "the limit"),
    ],
)
def test_a_bad_form_is_refused_and_leaves_no_file(
    server: Served, path: str, parts: list[tuple[str, str, bytes]], status: int, part: str
) -> None:
    uploads = server.folder / "data" / "inputs" / "uploads"
    before = sorted(uploads.glob("*")) if uploads.exists() else []
    reply = send_form(server, path, *parts)
    assert reply.status == status, reply.body
    assert part in json.dumps(reply.json, ensure_ascii=False)
    assert (sorted(uploads.glob("*")) if uploads.exists() else []) == before


def test_nothing_of_all_this_is_an_error_of_the_server(server: Served) -> None:
    assert "Traceback" not in server.errors()
