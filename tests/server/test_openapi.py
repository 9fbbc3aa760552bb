"""`/openapi.json`: a valid document that says of every route and saved workflow what is true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.server.conftest import Served
from tests.server.shelf_tools import ask, running_server, save


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, known_specs: Path) -> Iterator[Served]:
    with running_server(tmp_path_factory.mktemp("described"), known_specs) as found:
        yield found


def document(server: Served) -> dict[str, Any]:
    reply = ask(server, "GET", "/openapi.json")
    assert reply.status == 200
    found: dict[str, Any] = reply.json
    return found


def flow(kind: str, name: str = "value") -> dict[str, Any]:
    return {
        "name": "A flow",
        "nodes": {"n": {"type": f"tools.{kind}"}},
        "inputs": {"given": {"node": "n", "input": name}},
        "outputs": {"out": {"node": "n"}},
    }


def test_the_document_is_valid(server: Served) -> None:
    save(server, "odd_%7Bname%7D/caf%C3%A9_100%25", flow("number"))
    found = document(server)
    assert "/api/workflows/odd_%7Bname%7D/caf%C3%A9_100%25/run" in found["paths"]
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []


def test_every_route_is_described_once_and_problems_are_too(server: Served) -> None:
    found = document(server)
    operations = [one for item in found["paths"].values() for one in item.values()]
    ids = [one["operationId"] for one in operations]
    assert len(set(ids)) == len(ids)
    assert {"/api/jobs", "/api/workflows/{path}", "/api/uploads", "/docs"} <= set(found["paths"])
    for one in operations:
        assert one["summary"]
        assert one["description"]
        assert "default" in one["responses"]
    assert "application/problem+json" in found["components"]["responses"]["Problem"]["content"]


def test_a_saved_workflow_has_the_types_of_its_nodes(server: Served) -> None:
    save(server, "few", flow("limited", "a"))
    operation = document(server)["paths"]["/api/workflows/few/run"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    given = body["schema"]["properties"]["given"]
    assert given == {
        "type": "integer", "minimum": 0, "maximum": 10, "default": 1, "description": "At most ten."
    }  # fmt: skip
    assert body["schema"]["additionalProperties"] is False
    assert body["example"] == {"given": 1}
    outputs = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert outputs["properties"]["outputs"]["properties"]["out"]["properties"] == {
        "value": {"type": "integer"}
    }
    assert "image/png" not in operation["responses"]["200"]["content"]
    assert {item["name"] for item in operation["parameters"]} >= {"Prefer", "Idempotency-Key"}


def test_pictures_and_files_are_told_apart_from_values(server: Served) -> None:
    save(server, "colour", flow("swatch", "grey"))
    save(server, "file", flow("length", "file"))
    paths = document(server)["paths"]
    shown = paths["/api/workflows/colour/run"]["post"]["responses"]["200"]["content"]
    assert set(shown) == {"application/json", "image/png", "image/webp", "image/jpeg"}
    file = paths["/api/workflows/file/run"]["post"]["requestBody"]
    assert file["required"] is True
    form = file["content"]["multipart/form-data"]["schema"]["properties"]["given"]
    assert form["format"] == "binary"


def test_the_document_changes_with_the_shelf_and_not_otherwise(server: Served) -> None:
    etag = ask(server, "GET", "/openapi.json").headers["ETag"]
    assert ask(server, "GET", "/openapi.json", If_None_Match=etag).status == 304
    saved = save(server, "later", flow("number"))
    assert ask(server, "GET", "/openapi.json", If_None_Match=etag).status == 200
    assert "/api/workflows/later/run" in document(server)["paths"]
    ask(server, "DELETE", "/api/workflows/later", If_Match=saved)
    assert "/api/workflows/later/run" not in document(server)["paths"]
    # What is no workflow is left out, and takes nothing else with it.
    (server.folder / "data" / "workflows" / "bad.json").write_text("{")
    found = document(server)["paths"]
    assert "/api/workflows/bad/run" not in found
    assert "/api/workflows/text_to_image/run" in found


def test_the_page_asks_nobody_else_and_has_no_inline_script(server: Served) -> None:
    page = ask(server, "GET", "/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    text = page.body.decode()
    assert "<style" not in text
    assert "style=" not in text
    for name, kind in {"docs.js": "javascript", "docs.css": "css"}.items():
        assert f"/docs/{name}" in text
        file = ask(server, "GET", f"/docs/{name}")
        assert (file.status, kind in file.headers["Content-Type"]) == (200, True)
        assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert ask(server, "GET", "/docs/..%2F..%2Fapp.py").status == 404
    assert ask(server, "GET", "/docs/other.js").status == 404
