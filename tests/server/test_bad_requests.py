"""Every bad request gets its status and a sentence that names what is wrong, and harms nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.server.bad_requests_tools import (
    JSON,
    PNG,
    Bad,
    archive,
    flow,
    form,
    link,
    node,
    picture,
    png,
    send,
)
from tests.server.conftest import Served
from tests.server.shelf_tools import Reply, ask, running_server

ADD = {"nodeflow": 1, "name": "a", "nodes": {"s": {"type": "tools.add"}}}
LONG = "x" * 300
SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def job(name: str, status: int, *words: str, body: Any) -> Bad:
    headers = JSON if isinstance(body, bytes) else {}
    return Bad(name, "POST", "/api/jobs", status, words, body, headers)


BODIES = [
    job("no JSON", 400, "no JSON", "line 1, column 1", body=b"not json"),
    job("no UTF-8", 400, "no JSON", body=b"\xff\xfe"),
    job("cut off", 400, "no JSON", body=b'{"workflow": {'),
    job("empty", 400, "empty", "send a JSON object", body=b""),
    job("blank", 400, "empty", body=b"  \n "),
    job("deep list", 400, "deeper than 100 levels", body=b"[" * 150 + b"]" * 150),
    job("deep", 400, "deeper than 100 levels", body=b'{"a":' * 150 + b"1" + b"}" * 150),
    job("a list", 422, "is a list", "JSON object", body=[1]),
    job("a number", 422, "'workflow'", "is a number", body={"workflow": 3}),
    job("a text as priority", 422, "'priority'", "'high'", body={**flow(), "priority": "high"}),
    job("a large batch", 422, "'batch'", "1000000", body={**flow(), "batch": 1_000_000}),
    job("no workflow", 422, "'workflow', 'path' or 'job'", body={}),
    job("two workflows", 422, "'workflow' and 'path'", body={**flow(), "path": "x"}),
    job("a wrong key", 422, "'priorty'", "did you mean 'priority'?", body={"priorty": 1}),
    job("a webhook to a file", 422, "'webhook'", body={**flow(), "webhook": "file:///etc"}),
    job("NaN", 400, "NaN is no JSON number", body=b'{"inputs": {"a": NaN}}'),
    job("Infinity", 400, "no JSON number", body=b'{"inputs": {"a": -Infinity}}'),
]
WORKFLOWS = [
    job("a wrong type", 422, "'a' of 's'", "'x'", body=flow(s=node("add", a="x"))),
    job(
        "a cycle",
        422,
        "cycle: a -> b -> a",
        body=flow(a=node("add", a=link("b")), b=node("add", a=link("a"))),
    ),
    job("an unknown node", 422, "'no.such'", body=flow(a={"type": "no.such"})),
    job("a link to nothing", 422, "'zz'", body=flow(a=node("add", a=link("zz")))),
    job(
        "a link to no output",
        422,
        "the output 'zz' of 'a'",
        body=flow(a=node("add"), b=node("add", a=link("a", "zz"))),
    ),
]
FILES = [
    job(
        f"the input file {given!r}",
        422,
        word,
        body=flow(a=node("length", file=given)),
    )
    for given, word in {
        "../../etc/passwd": "'../../etc/passwd' lies outside",
        "/etc/passwd": "'/etc/passwd' lies outside",
        "a\0b": "is no file name",
        "..\\..\\etc\\passwd": "there is no",
        LONG: "no",
    }.items()
]
PLACES = {
    "../x": (400, "leads out of its folder"),
    "a/../../x": (400, "leads out of its folder"),
    "%2e%2e%2fx": (400, "leads out of its folder"),
    "%2e%2e/x": (400, "leads out of its folder"),
    "..%5cx": (400, "has a backslash"),
    "%2fetc%2fpasswd": (400, "starts with '/'"),
    "/etc/passwd": (400, "starts with '/'"),
    "a%00b": (400, "control character"),
    "a%0ab": (400, "control character"),
    LONG: (414, "the limit is 255 bytes"),
    "a//b": (400, "has an empty part"),
    "CON": (400, "device on Windows"),
}
SAVED = [
    Bad(f"{method} {end} {place[:20]}", method, f"/api/workflows/{place}{end}", *refused, body)
    for place, (status, word) in PLACES.items()
    for refused in [(status, (word,))]
    for method, end, body in [
        ("GET", "", None),
        ("PUT", "", ADD),
        ("DELETE", "", None),
        ("GET", "/versions", None),
        ("POST", "/run", {}),
    ]
] + [
    Bad("encoded twice", "GET", "/api/workflows/%252e%252e%252fx", 404, ("'%2e%2e%2fx'",)),
    job("path", 400, "leads out of its folder", body={"path": "../../etc/passwd"}),
    job("absolute path", 400, "starts with '/'", body={"path": "/etc/passwd"}),
    job("job", 404, "'../../etc/passwd'", body={"job": "../../etc/passwd"}),
]
NAMES = [
    Bad(f"{method} {before}..{after} {name[:8]}", method, before + name + after, status, (), body)
    for name, status in [("..%2f..%2fetc%2fpasswd", 404), ("%00", 400), (LONG, 414), ("..%5c", 404)]
    for method, before, after, body in [
        ("GET", "/api/results/", "", None),
        ("GET", "/api/nodes/", "", None),
        ("GET", "/docs/", "", None),
        ("GET", "/api/jobs/", "", None),
        ("GET", "/api/jobs/", "/workflow", None),
        ("POST", "/api/jobs/", "/retry", None),
        ("PATCH", "/api/jobs/", "", {"priority": 1}),
        ("DELETE", "/api/jobs/", "", None),
    ]
]
HEADERS = [
    Bad(f"{what} at {path}", method, path, status, words, None, headers)
    for method, path, more in [
        ("GET", "/api/jobs", {}),
        ("DELETE", "/api/jobs", {}),
        ("GET", "/api/events", SOCKET),
    ]
    for what, status, words, headers in [
        ("foreign origin", 403, ("http://evil.example",), more | {"Origin": "http://evil.example"}),
        ("null origin", 403, ("'null'",), more | {"Origin": "null"}),
        ("foreign host", 421, ("'evil.example'",), more | {"Host": "evil.example"}),
        ("no host", 400, ("Host",), more | {"Host": ""}),
    ]
] + [
    Bad("text", "POST", "/api/jobs", 415, ("'text/plain'",), b"{}", {"Content-Type": "text/plain"}),
    Bad("no type", "POST", "/api/jobs", 415, ("send JSON",), b"{}"),
    Bad("packed", "POST", "/api/jobs", 415, ("'gzip'",), b"{}",
        {**JSON, "Content-Encoding": "gzip"}),
    Bad("70 MB", "POST", "/api/jobs", 413, ("70000000", "limit"), None,
        {**JSON, "Content-Length": "70000000"}),
    Bad("600 MB", "POST", "/api/uploads", 413, ("512 MB",), None,
        {**PNG, "Content-Length": "600000000"}),
    Bad("long key", "POST", "/api/jobs", 400, ("Idempotency-Key", "201"),
        flow(a=node("add")), {"Idempotency-Key": "k" * 201}),
    Bad("method", "PUT", "/api/jobs", 405, ("not PUT", "GET")),
    Bad("nothing there", "GET", "/api/nothing", 404, ("'/api/nothing'",)),
    Bad("limit", "GET", "/api/jobs?limit=0", 400, ("'limit'",)),
    Bad("number", "GET", "/api/jobs?before=99999999999999999999", 400, ("'before'",)),
    Bad("status", "GET", "/api/jobs?status=odd", 400, ("'odd'",)),
    Bad("NUL in the query", "GET", "/api/jobs?batch=%00", 400, ("control character",)),
    Bad("events", "GET", "/api/events?after=-1", 400, ("'after'",)),
]  # fmt: skip
UPLOADS = [
    Bad(name, "POST", "/api/uploads?name=" + file, status, words, body, PNG)
    for name, file, status, words, body in [
        ("a pixel bomb", "b.png", 413, ("'b.png'", "pixels"), png(60_000, 60_000)),
        ("a cut picture", "b.png", 415, ("'b.png'",), picture()[:20]),
        ("a zip", "b.png", 415, ("'b.png'", "not a PNG"), archive()),
        ("a page", "b.html", 415, ("'b.html'",), b"<!doctype html><script>alert(1)</script>"),
        ("a drawing", "b.svg", 415, ("'b.svg'",), b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("nothing", "b.png", 400, ("'b.png' is empty",), b""),
    ]
] + [
    Bad("a bad one in a form", "POST", "/api/uploads", 415, ("'b.png'",),
        *reversed(form(("a.png", picture()), ("b.png", archive())))),
    Bad("an empty form", "POST", "/api/uploads", 400, ("no file",), *reversed(form())),
    Bad("a broken form", "POST", "/api/uploads", 400, ("Invalid HTTP header",), b"--cut\r\nX",
        {"Content-Type": "multipart/form-data; boundary=cut"}),
    Bad("no boundary", "POST", "/api/uploads", 400, ("form",), b"x",
        {"Content-Type": "multipart/form-data"}),
    Bad("another type", "POST", "/api/uploads", 415, ("'text/html'",), b"x",
        {"Content-Type": "text/html"}),
]  # fmt: skip
TABLE = [*BODIES, *WORKFLOWS, *FILES, *SAVED, *NAMES, *HEADERS, *UPLOADS]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, known_specs: Path) -> Iterator[Served]:
    with running_server(tmp_path_factory.mktemp("attacked"), known_specs) as found:
        ask(found, "POST", "/api/jobs", flow(w=node("write", a=1)))  # packs are read for it
        yield found


def assert_refused(server: Served, reply: Reply, status: int, words: tuple[str, ...] = ()) -> None:
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json"), (
        reply.body
    )
    detail = reply.json["detail"]
    for word in words:
        assert word in detail
    assert reply.json["status"] == status
    assert detail[0] in "'/" or not detail[0].islower() or "#/" in detail
    # Where it looked for a file is what whoever misses one has to know.
    assert str(server.folder) not in reply.body.decode() or "(looked in " in detail


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.name)
def test_a_bad_request_is_refused_with_a_sentence(server: Served, bad: Bad) -> None:
    reply = send(server, bad.method, bad.path, bad.headers, bad.body)
    assert_refused(server, reply, bad.status, bad.words)


@pytest.mark.parametrize("given", ["../x", "/etc/x", "a\0b", "..\\x", LONG])
def test_a_job_saves_nothing_outside_of_its_folder(server: Served, given: str) -> None:
    outputs = server.folder / "data" / "outputs"

    def elsewhere() -> set[Path]:
        return {path for path in server.folder.rglob("*.txt") if outputs not in path.parents}

    before = elsewhere()
    found = server.finished(server.submit(flow(w=node("write", a=1, name=given))["workflow"]))
    names = [file["name"] for files in found["files"].values() for file in files]
    assert bool(names) == (found["status"] == "done")
    assert bool(names) != ("'w'" in found["problem"])
    assert all((outputs / name).resolve().is_relative_to(outputs) for name in names)
    assert found["nodes"]["w"]["files"] == names
    assert elsewhere() == before


def test_the_files_of_a_node_are_named_without_their_place_on_this_machine(server: Served) -> None:
    found = server.finished(server.submit(flow(w=node("write", a=5))["workflow"]))
    name = found["files"]["w"][0]["name"]
    told = [event for event in server.events() if event["event"] == "node_finished"]
    assert found["nodes"]["w"]["files"] == [name]
    assert told[-1]["files"] == [name]
    assert str(server.folder) not in json.dumps([found, told])


@pytest.mark.parametrize(
    "given", ["../../evil.png", "/etc/evil.png", "..\\evil.png", "%2e%2e%2fevil.png", LONG]
)
def test_an_upload_gets_a_name_inside_of_its_folder(server: Served, given: str) -> None:
    headers, body = form((given, picture()))
    reply = send(server, "POST", "/api/uploads", headers, body)
    assert reply.status in (200, 201), reply.body
    uploads = server.folder / "data" / "inputs" / "uploads"
    assert (server.folder / "data" / "inputs" / reply.json["name"]).resolve().parent == uploads
    assert not list(server.folder.parent.glob("evil*"))


def test_what_cannot_be_got_of_a_result_is_refused(server: Served) -> None:
    done = server.finished(server.submit(flow(w=node("write", a=7))["workflow"]))
    place = f"/api/results/{done['files']['w'][0]['digest']}"
    for ranges in ("bytes=5000-6000", "bytes=1-", "bytes=9-2", "lines=1-2"):
        beyond = send(server, "GET", place, {"Range": ranges})
        assert_refused(server, beyond, 416, ("has 1 bytes", f"'{ranges}'"))
        assert beyond.headers["Content-Range"] == "bytes */1"
    assert send(server, "GET", place, {"Range": "bytes=-100"}).status == 206
    assert_refused(server, send(server, "GET", f"{place}?thumb=99999", {}), 400, ("'thumb'",))
    assert_refused(server, send(server, "GET", f"{place}?thumb=64", {}), 400, ("not a picture",))
    assert_refused(server, send(server, "GET", f"{place}?format=exe", {}), 400, ("'exe'",))


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"NOT HTTP\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_gets_a_problem(server: Served, raw: bytes, status: int) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((str(place.hostname), place.port), timeout=20) as connection:
        connection.sendall(raw)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.split()[1] == str(status).encode()
    assert b"application/problem+json" in answer


def test_after_all_of_it_the_server_lives_and_its_log_has_no_error(server: Served) -> None:
    assert server.ask("GET", "/healthz")[0] == 200
    done = server.finished(server.submit(flow(s=node("add", a=2))["workflow"]))
    assert done["status"] == "done"
    log = (server.folder / "data" / "logs" / "server.log").read_text()
    for text in (server.errors(), log):
        assert "ERROR" not in text
        assert "Traceback" not in text


def test_without_the_token_nothing_is_told(tmp_path: Path, known_specs: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "specs").symlink_to(known_specs)
    server = Served(tmp_path).start("--require-token")
    try:
        token = (tmp_path / "data" / "token").read_text().strip()
        wrong = {"Authorization": f"Bearer {token[:-1]}x"}
        places = ["/api/jobs", "/api/events", "/openapi.json", "/metrics", "/docs", "/api/nothing"]
        for headers in ({}, wrong, {"Authorization": "Basic eDp5"}, {"Cookie": "token=x"}):
            for path in places:
                reply = send(server, "GET", path, headers)
                assert_refused(server, reply, 401, ("token", "Authorization: Bearer"))
                assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        assert send(server, "GET", "/api/events", SOCKET).status == 401
        assert send(server, "GET", "/api/jobs", {"Authorization": f"Bearer {token}"}).status == 200
    finally:
        server.kill()
