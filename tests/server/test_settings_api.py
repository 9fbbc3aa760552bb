"""The editor's settings: kept whole, and nobody overwrites another's."""

from __future__ import annotations

import json

import pytest

from nodeflow.server.editor_settings import MOST_BYTES, NAME
from tests.server.parts import parts, settings_of

URL = "/api/settings"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def server(tmp_path):
    async with parts(settings_of(tmp_path)) as server:
        yield server


async def put(server, body, if_match=None):
    headers = JSON | ({"If-Match": if_match} if if_match else {})
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await server.client.put(URL, data=data, headers=headers)


async def etag(server):
    return (await server.client.get(URL)).headers["ETag"]


async def test_at_first_there_are_empty_settings_and_then_those_that_were_written(server):
    first = await server.client.get(URL)
    assert (first.status, await first.read()) == (200, b"{}")
    text = b'{ "theme": "dark",\n "later": {"a": 1}, "extensions": ["tools"] }'
    written = await put(server, text, first.headers["ETag"])
    assert written.status == 200
    assert written.headers["ETag"] == f'"{(await written.json())["etag"]}"'
    again = await server.client.get(URL)
    assert (await again.read(), again.headers["ETag"]) == (text, written.headers["ETag"])
    fresh = await server.client.get(URL, headers={"If-None-Match": again.headers["ETag"]})
    assert fresh.status == 304
    assert [path.name for path in server.data.glob("*settings*")] == [NAME]
    assert list(server.data.glob(".unfinished-*")) == []


async def test_a_write_needs_the_tag_of_what_it_writes_over(server):
    old = await etag(server)
    assert (await put(server, {"a": 1})).status == 428
    assert (await put(server, {"a": 1}, old)).status == 200
    late = await put(server, {"a": 2}, old)
    assert (late.status, late.headers["ETag"]) == (412, await etag(server))
    assert "was changed meanwhile; read it again" in (await late.json())["detail"]
    assert await (await server.client.get(URL)).json() == {"a": 1}


async def test_everybody_is_told_once_of_a_change(server):
    written = await put(server, {"a": 1}, await etag(server))
    await put(server, {"a": 1}, written.headers["ETag"])
    told = [json.loads(item.text) for item in server.state.journal.events_after(0)]
    assert [(item["event"], item["etag"]) for item in told] == [
        ("settings_changed", (await written.json())["etag"])
    ]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "The text of the settings is no JSON"),
        (b"{", 400, "no JSON"),
        (b"\xff{}", 400, "no UTF-8"),
        (b'{"a": NaN}', 400, "NaN"),
        (b"[]", 422, "The settings cannot be []"),
        ({"extensions": "tools"}, 422, "'extensions' in the settings cannot be 'tools'"),
        ({"extensions": [1]}, 422, "'extensions.0' in the settings cannot be 1"),
        ({"a": "x" * MOST_BYTES}, 413, f"the limit for settings is {MOST_BYTES} bytes"),
    ],
)
async def test_what_are_no_settings_is_refused_with_a_sentence(server, body, status, said):
    answer = await put(server, body, await etag(server))
    assert answer.status == status
    assert said in (await answer.json())["detail"]
    assert not (server.data / NAME).exists()


async def test_a_damaged_file_is_said_and_can_be_written_over(server):
    (server.data / NAME).write_text("{half")
    answer = await server.client.get(URL)
    assert answer.status == 409
    assert "are damaged" in (await answer.json())["detail"]
    assert (await put(server, {}, answer.headers["ETag"])).status == 200
    assert (await server.client.get(URL)).status == 200


async def test_a_disk_that_cannot_be_written_is_said(server):
    (server.data / NAME).mkdir()
    answer = await server.client.get(URL)
    assert answer.status == 409
    assert "cannot be read" in (await answer.json())["detail"]
