"""Inputs: what nodes load can be seen, and nothing outside of their folder."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.server.parts import parts, settings_of


def png(size=(300, 200), colour="red"):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
async def server(tmp_path):
    async with parts(settings_of(tmp_path)) as server:
        server.state.settings.inputs.mkdir(parents=True)
        yield server


@pytest.fixture
def inputs(server):
    return server.state.settings.inputs


async def detail(answer):
    assert answer.content_type == "application/problem+json"
    return (await answer.json())["detail"]


async def test_an_upload_is_there_under_its_name(server):
    content = png()
    sent = await server.client.post(
        "/api/uploads?name=cat", data=content, headers={"Content-Type": "image/png"}
    )
    name = (await sent.json())["name"]
    answer = await server.client.get(f"/api/inputs/{name}")
    assert (answer.status, await answer.read()) == (200, content)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = await server.client.get(
        f"/api/inputs/{name}", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status == 304
    part = await server.client.get(f"/api/inputs/{name}", headers={"Range": "bytes=0-7"})
    assert (part.status, await part.read()) == (206, b"\x89PNG\r\n\x1a\n")


async def test_a_file_that_changed_is_shown_as_it_is_now(server, inputs):
    (inputs / "Kätzchen 1.png").write_bytes(png(colour="red"))
    url = "/api/inputs/K%C3%A4tzchen%201.png?thumb=64"
    first = await server.client.get(url)
    assert (first.status, first.content_type) == (200, "image/webp")
    with Image.open(io.BytesIO(await first.read())) as picture:
        assert picture.size == (64, 43)
    assert (await server.client.get(url)).headers["ETag"] == first.headers["ETag"]
    (inputs / "Kätzchen 1.png").write_bytes(png((300, 100), "blue"))
    later = await server.client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert later.status == 200
    with Image.open(io.BytesIO(await later.read())) as picture:
        assert picture.size == (64, 21)


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("none.png", 404, "no file 'none.png' among the inputs; 'POST /api/uploads' puts one"),
        ("folder", 404, "no file 'folder'"),
        ("x" * 250 + "/" + "y" * 250, 404, "..."),
        ("..%2f..%2fsecret.png", 403, "lies outside of the folder of inputs"),
        ("folder%2f..%2f..%2f..%2fsecret.png", 403, "lies outside"),
        ("%2fetc%2fpasswd", 403, "lies outside"),
        ("a%00b", 404, "no file"),
        ("link.png", 403, "leads out of its folder. Copy the file into the folder."),
        ("away/secret.png", 403, "leads out of its folder"),
    ],
)
async def test_what_is_not_there_or_lies_outside_is_refused(
    server, inputs, tmp_path, name, status, said
):
    (tmp_path / "secret.png").write_bytes(png())
    (inputs / "folder").mkdir()
    (inputs / "link.png").symlink_to(tmp_path / "secret.png")
    (inputs / "away").symlink_to(tmp_path)
    answer = await server.client.get(f"/api/inputs/{name}")
    assert answer.status == status
    assert said in await detail(answer)


async def test_links_in_a_circle_lead_nowhere(server, inputs):
    (inputs / "circle.png").symlink_to(inputs / "circle.png")
    answer = await server.client.get("/api/inputs/circle.png")
    assert answer.status in (400, 404)  # whether a circle is followed depends on Python's version
    assert "circle" in await detail(answer)


async def test_a_link_that_stays_inside_is_followed(server, inputs):
    (inputs / "real.png").write_bytes(png())
    (inputs / "link.png").symlink_to(inputs / "real.png")
    assert (await server.client.get("/api/inputs/link.png")).status == 200


async def test_what_could_run_is_an_attachment_and_has_no_thumb(server, inputs):
    (inputs / "page.png").write_bytes(b"<svg onload='alert(1)'></svg>")
    answer = await server.client.get("/api/inputs/page.png")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert (await server.client.get("/api/inputs/page.png?thumb=64")).status == 400
    (inputs / "cut.png").write_bytes(png()[:100])
    answer = await server.client.get("/api/inputs/cut.png?thumb=64")
    assert answer.status == 422
    assert "damaged" in await detail(answer)


@pytest.mark.parametrize("query", ["thumb=15", "thumb=1025", "format=svg"])
async def test_a_query_that_makes_no_sense_is_400(server, inputs, query):
    (inputs / "a.png").write_bytes(png())
    assert (await server.client.get(f"/api/inputs/a.png?{query}")).status == 400
