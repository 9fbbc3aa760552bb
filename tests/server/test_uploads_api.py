"""Uploads: streamed, checked, kept once, and usable by nodes."""

from __future__ import annotations

import asyncio
import io
import os

import aiohttp
import pytest
from blake3 import blake3
from PIL import Image

from nodeflow.checking.checker import check
from nodeflow.server import uploads_api
from nodeflow.workflow import Workflow
from tests.server.parts import parts, remember_packs, settings_of


def picture(kind="PNG", size=(30, 20), **how):
    file = io.BytesIO()
    Image.frombytes("RGB", size, os.urandom(size[0] * size[1] * 3)).save(file, kind, **how)
    return file.getvalue()


def form(*files):
    data = aiohttp.FormData()
    for name, content in files:
        data.add_field("file", content, filename=name, content_type="application/octet-stream")
    return data


@pytest.fixture
async def server(tmp_path, known_specs):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "specs").symlink_to(known_specs)
    async with parts(settings_of(tmp_path)) as server:
        yield server


@pytest.fixture
def folder(server):
    return server.state.settings.inputs / "uploads"


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def refused(server, folder, answer, status):
    """The sentence of a refusal, after which nothing is left."""
    assert answer.status == status, await answer.text()
    assert names(folder) == []
    return (await answer.json())["detail"]


async def test_a_picture_is_kept_under_its_name_and_content(server, folder):
    content = picture()
    answer = await server.client.post("/api/uploads", data=form(("My cat.PNG", content)))
    assert answer.status == 201
    body = await answer.json()
    digest = blake3(content).hexdigest(16)
    expected = {
        "name": f"uploads/My_cat-{digest[:8]}.png",
        "digest": digest,
        "media_type": "image/png",
        "size": len(content),
        "width": 30,
        "height": 20,
    }
    assert body == {**expected, "files": [expected]}
    assert (folder / f"My_cat-{digest[:8]}.png").read_bytes() == content
    assert names(folder) == [f"My_cat-{digest[:8]}.png"]


async def test_what_was_uploaded_can_be_loaded_by_a_node(server):
    remember_packs(server.state.settings)
    answer = await server.client.post("/api/uploads", data=form(("cat.png", picture())))
    name = (await answer.json())["name"]
    data = {
        "nodeflow": 1,
        "name": "w",
        "nodes": {"a": {"type": "image.load", "inputs": {"file": name}}},
        "outputs": {"image": {"node": "a", "output": "image"}},
    }
    catalog = server.state.catalog
    assert check(Workflow.from_data(data), catalog.registry, catalog.roots).problems == []
    assert name in catalog.roots.files("inputs")
    data["nodes"]["a"]["inputs"]["file"] = "uploads/../../secret.png"
    problems = check(Workflow.from_data(data), catalog.registry, catalog.roots).problems
    assert [problem.code for problem in problems] == ["missing_file"]


@pytest.mark.parametrize(
    ("kind", "media_type", "suffix"),
    [
        ("PNG", "image/png", "png"),
        ("JPEG", "image/jpeg", "jpg"),
        ("WEBP", "image/webp", "webp"),
        ("GIF", "image/gif", "gif"),
        ("BMP", "image/bmp", "bmp"),
    ],
)
async def test_the_body_may_be_the_picture_and_its_type_is_what_it_is(
    server, folder, kind, media_type, suffix
):
    answer = await server.client.post(
        "/api/uploads?name=x.html", data=picture(kind), headers={"Content-Type": "image/png"}
    )
    assert answer.status == 201
    body = await answer.json()
    assert body["media_type"] == media_type
    assert body["name"] == f"uploads/x-{body['digest'][:8]}.{suffix}"


async def test_a_turned_picture_is_told_of_as_one_sees_it(server):
    exif = Image.Exif()
    exif[0x0112] = 6
    body = picture("JPEG", exif=exif)
    answer = await server.client.post(
        "/api/uploads", data=body, headers={"Content-Type": "image/jpeg"}
    )
    told = await answer.json()
    assert (told["width"], told["height"]) == (20, 30)
    assert told["name"].startswith("uploads/upload-")


async def test_the_same_content_is_kept_once_whatever_its_name(server, folder):
    content = picture()
    first = await server.client.post("/api/uploads", data=form(("cat.png", content)))
    again = await server.client.post("/api/uploads", data=form(("dog.png", content)))
    assert (first.status, again.status) == (201, 200)
    assert (await first.json())["name"] == (await again.json())["name"]
    assert len(names(folder)) == 1


async def test_several_files_come_in_their_order(server, folder):
    pictures = [(f"{n}.png", picture()) for n in range(5)]
    pictures.append(("same.png", pictures[0][1]))
    answer = await server.client.post("/api/uploads", data=form(*pictures))
    body = await answer.json()
    assert [file["digest"] for file in body["files"]] == [
        blake3(content).hexdigest(16) for _, content in pictures
    ]
    assert body["files"][5]["name"] == body["files"][0]["name"] == body["name"]
    assert len(names(folder)) == 5


async def test_of_several_files_none_is_kept_if_one_is_refused(server, folder):
    data = form(("a.png", picture()), ("b.png", b"<html>"), ("c.png", picture()))
    said = await refused(server, folder, await server.client.post("/api/uploads", data=data), 415)
    assert said == (
        "The picture 'b.png' is not a PNG, JPEG, WebP, GIF or BMP file; convert it first."
    )


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"", 400, "The file 'x.png' is empty"),
        (b"PK\3\4zip", 415, "is not a PNG, JPEG"),
        (b"<svg/>", 415, "is not a PNG, JPEG"),
        (b"\x89PNG\r\n\x1a\nnonsense", 415, "damaged or cut off"),
        (picture()[:8] + b"\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\2\0\0\0", 415, "'x.png'"),
    ],
)
async def test_what_is_no_picture_is_refused(server, folder, content, status, said):
    answer = await server.client.post("/api/uploads", data=form(("x.png", content)))
    assert said in await refused(server, folder, answer, status)


async def test_too_many_pixels_are_413_before_any_is_decoded(server, folder):
    bmp = bytearray(picture("BMP"))
    bmp[18:26] = (20_000).to_bytes(4, "little") * 2
    answer = await server.client.post("/api/uploads", data=form(("big.bmp", bytes(bmp))))
    said = await refused(server, folder, answer, 413)
    assert "'big.bmp' says it is 20000 x 20000, more than the limit of 256 megapixels" in said


async def test_too_many_bytes_are_413_said_or_not(server, folder, monkeypatch):
    monkeypatch.setattr(uploads_api, "MOST_BYTES", 100_000)

    async def chunks():
        for _ in range(50):
            yield bytes(10_000)

    headers = {"Content-Type": "image/png"}
    said = server.client.post("/api/uploads", data=bytes(200_000), headers=headers)
    unsaid = server.client.post("/api/uploads", data=chunks(), headers=headers)
    several = server.client.post(
        "/api/uploads", data=form(("a.png", picture(size=(150, 150))), ("b.png", bytes(60_000)))
    )
    for request in (said, unsaid, several):
        assert "the limit of one request" in await refused(server, folder, await request, 413)


async def test_too_many_files_are_413(server, folder, monkeypatch):
    monkeypatch.setattr(uploads_api, "MOST_FILES", 2)
    data = form(*((f"{n}.png", picture()) for n in range(3)))
    answer = await server.client.post("/api/uploads", data=data)
    assert "More than 2 files" in await refused(server, folder, answer, 413)


@pytest.mark.parametrize(
    ("kind", "body", "status", "said"),
    [
        ("application/json", b"{}", 415, "A body of type 'application/json' is not taken here"),
        ("multipart/form-data", b"", 400, "The form cannot be read"),
        ("multipart/form-data; boundary=x", b"--y\r\n", 400, "The form"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 400, "The form holds no file"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext\r\n--x--\r\n',
            400,
            "The part 'a' of the form has no filename",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\n'
            + picture(),
            400,
            "The form cannot be read",
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
            400,
            "A part of the form is a form itself",
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\n", 400, "cannot be read"),
        ("image/png", b"", 400, "The file 'upload' is empty"),
    ],
)
async def test_a_body_that_is_no_upload_is_refused(server, folder, kind, body, status, said):
    answer = await server.client.post("/api/uploads", data=body, headers={"Content-Type": kind})
    assert said in await refused(server, folder, answer, status)


async def test_names_never_lead_out_of_the_folder(server, folder):
    for name in (
        "../../escape.png",
        "/etc/x.png",
        "..\\x.png",
        "a/../../b.png",
        "x" * 300 + ".png",
    ):
        answer = await server.client.post(
            "/api/uploads", params={"name": name}, data=picture(),
            headers={"Content-Type": "image/png"},
        )  # fmt: skip
        assert answer.status == 201
        assert (server.state.settings.inputs / (await answer.json())["name"]).is_file()
    assert len(names(folder)) == 5
    assert [path.name for path in server.state.settings.inputs.iterdir()] == ["uploads"]


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(server, folder):
    _, writer = await asyncio.open_connection("127.0.0.1", server.client.port)
    writer.write(
        b"POST /api/uploads HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        b"Content-Length: 1000000\r\n\r\n" + bytes(100_000)
    )
    await writer.drain()
    async with asyncio.timeout(5):
        while not names(folder):
            await asyncio.sleep(0.01)
        writer.close()
        while names(folder):
            await asyncio.sleep(0.01)


async def test_many_at_once_are_each_whole(server, folder):
    pictures = [picture(size=(64, 64)) for _ in range(10)] * 2
    answers = await asyncio.gather(
        *(server.client.post("/api/uploads", data=form(("a.png", item))) for item in pictures)
    )
    assert {answer.status for answer in answers} <= {200, 201}
    for answer, item in zip(answers, pictures, strict=True):
        name = (await answer.json())["name"]
        assert (server.state.settings.inputs / name).read_bytes() == item
    assert len(names(folder)) == 10
