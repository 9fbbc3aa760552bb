"""`/api/nodes`: whole, packed, and not sent twice."""

from __future__ import annotations

import asyncio

import pytest

from tests.server.parts import errors_of, parts, remember_packs, settings_of

NODE = "from nodeflow import node\n\n@node(was='old.f')\ndef f(a: int = 1) -> int:\n    return a\n"


@pytest.fixture
async def server(shelf, tmp_path, known_specs):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "specs").symlink_to(known_specs)
    shelf.write("served", nodes=NODE)
    settings = settings_of(tmp_path, shelf.folder)
    remember_packs(settings)
    async with parts(settings) as server:
        yield server


async def test_all_nodes_are_listed(server):
    answer = await server.client.get("/api/nodes", headers={"Accept-Encoding": "identity"})
    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert "Content-Encoding" not in answer.headers
    body = await answer.json()
    assert {"served.f", "image.load"} <= set(body["nodes"])
    assert body["nodes"]["served.f"]["inputs"][0]["name"] == "a"
    assert "Image" in str(body["sockets"])
    assert body["errors"] == []


async def test_they_come_packed_if_the_client_takes_that(server):
    answer = await server.client.get("/api/nodes", headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) < len(server.state.catalog.body) / 3
    assert await answer.read() == server.state.catalog.body


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_what_a_client_has_is_not_sent_again(server, encoding):
    first = await server.client.get("/api/nodes", headers={"Accept-Encoding": encoding})
    etag = first.headers["ETag"]
    headers = {"Accept-Encoding": encoding, "If-None-Match": f'"other", W/{etag}'}
    again = await server.client.get("/api/nodes", headers=headers)
    assert again.status == 304
    assert await again.read() == b""
    assert again.headers["ETag"] == etag
    headers["If-None-Match"] = '"other"'
    assert (await server.client.get("/api/nodes", headers=headers)).status == 200


async def test_one_node_is_found_by_its_id_of_today_or_before(server):
    for name in ("served.f", "old.f"):
        answer = await server.client.get(f"/api/nodes/{name}")
        assert answer.status == 200
        assert (await answer.json())["id"] == "served.f"


async def test_an_unknown_node_is_404_with_the_nearest(server):
    answer = await server.client.get("/api/nodes/image.lod")
    assert answer.status == 404
    problem = await answer.json()
    assert problem["detail"] == "No pack provides a node 'image.lod'. Did you mean 'image.load'?"


async def test_a_pack_that_was_never_read_is_waited_for(server, shelf):
    catalog = server.state.catalog
    shelf.write("late", nodes=NODE.replace("def f", "def g").replace("old.f", "old.g"))
    catalog.load()
    asking = asyncio.create_task(server.client.get("/api/nodes"))
    await asyncio.sleep(0.1)
    assert not asking.done()
    errors = errors_of(remember_packs(server.state.settings))
    await asyncio.to_thread(catalog.packs_read, errors)
    async with asyncio.timeout(5):
        assert "late.g" in (await (await asking).json())["nodes"]


async def test_patience_ends_and_what_is_known_is_told(server, shelf, monkeypatch):
    monkeypatch.setattr("nodeflow.server.catalog.PATIENCE", 0.1)
    shelf.write("stuck", nodes=NODE)
    server.state.catalog.load()
    body = await (await server.client.get("/api/nodes")).json()
    assert body["pending"] == ["stuck"]
    assert "served.f" in body["nodes"]
