"""Results: for ever the same, of a safe type, and never from outside of the outputs."""

from __future__ import annotations

import io
import json
import os
import time

import pytest
from PIL import Image

from nodeflow.keys import FileDigests
from tests.server.parts import parts, settings_of


def png(size=(300, 200)):
    file = io.BytesIO()
    Image.frombytes("RGB", size, os.urandom(size[0] * size[1] * 3)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
async def server(tmp_path):
    async with parts(settings_of(tmp_path)) as server:
        yield server


@pytest.fixture
def outputs(server):
    return server.state.outputs


async def detail(answer):
    assert answer.content_type == "application/problem+json"
    return (await answer.json())["detail"]


async def test_a_picture_comes_as_it_is_and_never_changes(server, outputs):
    content = png()
    digest = server.save(outputs / "day" / "cat_0001.png", content)
    answer = await server.client.get(f"/api/results/{digest}")
    assert answer.status == 200
    assert await answer.read() == content
    headers = answer.headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Disposition"] == 'inline; filename="cat_0001.png"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    again = await server.client.get(
        f"/api/results/{digest}", headers={"If-None-Match": headers["ETag"]}
    )
    assert again.status == 304
    assert await again.read() == b""
    head = await server.client.head(f"/api/results/{digest}")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(content)))


async def test_parts_of_a_file_can_be_asked_for(server, outputs):
    digest = server.save(outputs / "a.mp4", b"\0\0\0\x1cftypisom0123456789", "video/mp4")
    url = f"/api/results/{digest}"
    answer = await server.client.get(url, headers={"Range": "bytes=4-11"})
    assert (answer.status, await answer.read()) == (206, b"ftypisom")
    assert answer.headers["Content-Range"] == "bytes 4-11/22"
    assert answer.content_type == "video/mp4"
    assert (await server.client.get(url, headers={"Range": "bytes=99-"})).status == 416


async def test_a_download_has_its_name(server, outputs):
    digest = server.save(outputs / "Kätzchen 1.png", png())
    answer = await server.client.get(f"/api/results/{digest}?download=1")
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"K_tzchen 1.png\"; filename*=UTF-8''K%C3%A4tzchen%201.png"
    )
    answer = await server.client.get(f"/api/results/{digest}?download=1&format=jpeg")
    assert 'filename="K_tzchen 1.jpeg"' in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("name", "claimed"),
    [("page.html", "text/html"), ("drawing.svg", "image/svg+xml"), ("not.png", "image/png")],
)
async def test_what_could_run_is_an_attachment_whatever_it_claims(server, outputs, name, claimed):
    digest = server.save(outputs / name, b"<svg onload='alert(1)'></svg>", claimed)
    answer = await server.client.get(f"/api/results/{digest}")
    assert answer.status == 200
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    answer = await server.client.get(f"/api/results/{digest}?thumb=64")
    assert answer.status == 400
    assert "not a picture; leave out 'thumb'" in await detail(answer)


@pytest.mark.parametrize(
    ("query", "kind", "size"),
    [
        ("thumb=64", "WEBP", (64, 43)),
        ("thumb=16&format=png", "PNG", (16, 11)),
        ("format=jpeg&quality=50", "JPEG", (300, 200)),
        ("thumb=1024&format=webp", "WEBP", (300, 200)),
    ],
)
async def test_pictures_come_in_other_forms(server, outputs, query, kind, size):
    digest = server.save(outputs / "a.png", png())
    answer = await server.client.get(f"/api/results/{digest}?{query}")
    assert answer.status == 200, await answer.text()
    assert answer.content_type == f"image/{kind.lower()}"
    assert answer.headers["Cache-Control"].endswith("immutable")
    with Image.open(io.BytesIO(await answer.read())) as picture:
        assert (picture.format, picture.size) == (kind, size)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("thumb=15", "greater than or equal to 16"),
        ("thumb=1025", "less than or equal to 1024"),
        ("thumb=x", "'thumb' in the query cannot be 'x'"),
        ("format=svg", "'format' in the query cannot be 'svg'"),
        ("format=webp&quality=0", "greater than or equal to 1"),
        ("thumb=64&thumb=65", "'thumb' in the query cannot be"),
        ("download=perhaps", "'download' in the query cannot be 'perhaps'"),
    ],
)
async def test_a_query_that_makes_no_sense_is_400(server, outputs, query, said):
    digest = server.save(outputs / "a.png", png((20, 20)))
    answer = await server.client.get(f"/api/results/{digest}?{query}")
    assert answer.status == 400
    assert said in await detail(answer)


@pytest.mark.parametrize(
    "digest", ["0" * 32, "nothing", "..%2f..%2fetc%2fpasswd", "%00", "x" * 300]
)
async def test_what_no_job_made_is_404(server, digest):
    answer = await server.client.get(f"/api/results/{digest}")
    assert answer.status == 404
    assert "No job made a file" in await detail(answer)


async def test_a_file_that_is_gone_or_another_is_410_and_says_which_job_to_run(server, outputs):
    digest = server.save(outputs / "a.png", png())
    job = server.state.journal.result(digest).job
    (outputs / "a.png").write_bytes(b"shorter")
    answer = await server.client.get(f"/api/results/{digest}")
    assert answer.status == 410
    assert await detail(answer) == (
        f"The file 'a.png' was changed or moved since the job '{job}' made it. "
        f"POST /api/jobs/{job}/retry makes it again."
    )
    (outputs / "a.png").unlink()
    answer = await server.client.get(f"/api/results/{digest}?thumb=64")
    assert answer.status == 410
    assert "was deleted" in await detail(answer)
    (outputs / "a.png").mkdir()
    assert (await server.client.get(f"/api/results/{digest}")).status == 410


async def test_nothing_outside_of_the_outputs_is_served(server, outputs, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(png())
    outputs.mkdir(parents=True)
    (outputs / "link.png").symlink_to(secret)
    for path in (secret, outputs / "link.png", outputs / ".." / ".." / "secret.png"):
        digest = server.keep(path)
        answer = await server.client.get(f"/api/results/{digest}")
        assert answer.status == 410, path


async def test_a_link_that_stays_inside_is_followed(server, outputs):
    content = png()
    server.save(outputs / "real.png", content)
    (outputs / "link.png").symlink_to(outputs / "real.png")
    answer = await server.client.get(f"/api/results/{server.keep(outputs / 'link.png')}")
    assert await answer.read() == content


async def test_damage_and_too_many_pixels_are_problems_of_the_file(server, outputs):
    digest = server.save(outputs / "cut.png", png()[:1000])
    answer = await server.client.get(f"/api/results/{digest}?thumb=64")
    assert answer.status == 422
    assert "damaged or cut off" in await detail(answer)
    bomb = bytearray(png((16, 16)))
    bomb[16:24] = b"\0\1\0\0\0\1\0\0"
    digest = server.save(outputs / "bomb.png", bytes(bomb))
    answer = await server.client.get(f"/api/results/{digest}?thumb=64")
    # Pillow sees the checksum before the size; either way nothing is decoded.
    assert answer.status in (413, 422)


async def test_a_gallery_of_thumbs_is_quick_the_second_time(server, outputs):
    digests = [server.save(outputs / f"{n}.png", png((64, 64))) for n in range(50)]
    for digest in digests:
        assert (await server.client.get(f"/api/results/{digest}?thumb=32")).status == 200
    for path in outputs.iterdir():
        os.utime(path)
    started = time.perf_counter()
    for digest in digests:
        assert (await server.client.get(f"/api/results/{digest}?thumb=32")).status == 200
    assert (time.perf_counter() - started) / len(digests) < 0.05


async def test_the_gallery_has_the_newest_first_and_pages(server, outputs):
    digests = [server.save(outputs / f"{n}.png", png((8, 8))) for n in range(5)]
    server.save(outputs / "a.json", b"{}", "application/json")
    newest = server.keep(outputs / "1.png", digest=digests[1])
    first = await (await server.client.get("/api/results?limit=3")).json()
    assert [item["digest"] for item in first["results"]] == [newest, digests[4], digests[3]]
    assert first["results"][1]["name"] == "4.png"
    assert first["results"][1]["job"] == server.state.journal.result(digests[4]).job
    assert str(outputs) not in str(first)
    rest = await (await server.client.get(f"/api/results?limit=3&before={first['next']}")).json()
    assert [item["digest"] for item in rest["results"]] == [digests[2], digests[0]]
    assert rest["next"] is None


@pytest.mark.parametrize("query", ["before=0", "limit=0", "limit=501", f"before={2**63}"])
async def test_a_part_of_the_gallery_that_cannot_be_is_400(server, query):
    assert (await server.client.get(f"/api/results?{query}")).status == 400


async def test_a_result_is_deleted_with_all_its_files_and_everybody_is_told(server, outputs):
    content = png()
    server.save(outputs / "one.png", content)
    digest = FileDigests().digest(outputs / "one.png")
    server.keep(outputs / "one.png", digest=digest)
    (outputs / "two.png").write_bytes(content)
    server.keep(outputs / "two.png", digest=digest)
    other = server.save(outputs / "other.png", png())
    thumb = await server.client.get(f"/api/results/{digest}?thumb=64")
    assert thumb.status == 200
    before = server.state.journal.bounds()[1]

    answer = await server.client.delete(f"/api/results/{digest}")

    assert answer.status == 204
    assert [path.name for path in outputs.iterdir()] == ["other.png"]
    assert list((server.state.settings.cache / "thumbs").glob(f"{digest}*")) == []
    told = [json.loads(kept.text) for kept in server.state.journal.events_after(before)]
    assert [(item["event"], item["digest"]) for item in told] == [("result_removed", digest)]
    for method in ("get", "delete"):
        gone = await getattr(server.client, method)(f"/api/results/{digest}")
        assert gone.status == 404
        assert "or it was deleted" in await detail(gone)
    listed = await (await server.client.get("/api/results")).json()
    assert other in [item["digest"] for item in listed["results"]]
    assert digest not in [item["digest"] for item in listed["results"]]


async def test_what_has_another_content_by_now_or_lies_outside_is_not_deleted(
    server, outputs, tmp_path
):
    digest = server.save(outputs / "a.png", png())
    changed = (outputs / "a.png").read_bytes()[:-1] + b"!"
    (outputs / "a.png").write_bytes(changed)
    (tmp_path / "secret.png").write_bytes(b"secret")
    outside = FileDigests().digest(tmp_path / "secret.png")
    server.keep(tmp_path / "secret.png", digest=outside)
    for name in (digest, outside):
        assert (await server.client.delete(f"/api/results/{name}")).status == 204
        assert (await server.client.get(f"/api/results/{name}")).status == 404
    assert (outputs / "a.png").read_bytes() == changed
    assert (tmp_path / "secret.png").exists()


async def test_a_result_whose_file_is_gone_can_be_deleted_still(server, outputs):
    digest = server.save(outputs / "a.png", png())
    (outputs / "a.png").unlink()
    assert (await server.client.get(f"/api/results/{digest}")).status == 410
    assert (await server.client.delete(f"/api/results/{digest}")).status == 204


async def test_a_file_that_cannot_be_deleted_stays_listed(server, outputs, monkeypatch):
    server.save(outputs / "a.png", png())
    digest = FileDigests().digest(outputs / "a.png")
    server.keep(outputs / "a.png", digest=digest)

    def refuse(path, missing_ok=False):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", refuse)
        answer = await server.client.delete(f"/api/results/{digest}")
    assert answer.status == 409
    assert "'a.png' cannot be deleted: Permission denied" in await detail(answer)
    assert (await server.client.get(f"/api/results/{digest}")).status == 200
