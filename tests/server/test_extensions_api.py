"""Extensions: found without importing a pack, and served only if the user wants them."""

from __future__ import annotations

import json

import pytest

from nodeflow.packs import PackSource
from nodeflow.server.extensions import find_extensions
from tests.server.parts import parts, settings_of


@pytest.fixture
def pack(tmp_path):
    """The folder of a pack that would fail if it were imported."""
    folder = tmp_path / "packs" / "curves"
    (folder / "web" / "parts").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "web" / "index.js").write_text("import './parts/a.js';\n")
    (folder / "web" / "parts" / "a.js").write_text("export const a = 1;\n")
    (folder / "web" / "style.css").write_text("p {}\n")
    (folder / "web" / "icon.svg").write_text("<svg/>\n")
    (folder / "web" / "page.html").write_text("<script>alert(1)</script>")
    plain = tmp_path / "packs" / "plain"
    plain.mkdir()
    (plain / "__init__.py").write_text("")
    return folder


@pytest.fixture
async def server(tmp_path, pack):
    async with parts(settings_of(tmp_path, tmp_path / "packs")) as server:
        yield server


async def enable(server, *names):
    tag = (await server.client.get("/api/settings")).headers["ETag"]
    body = json.dumps({"extensions": names})
    headers = {"If-Match": tag, "Content-Type": "application/json"}
    assert (await server.client.put("/api/settings", data=body, headers=headers)).status == 200


async def listed(server):
    answer = await server.client.get("/api/extensions")
    assert answer.status == 200
    found = (await answer.json())["extensions"]
    return {item["pack"]: item for item in found if item["pack"] in ("curves", "plain")}


async def test_a_pack_with_a_web_folder_is_listed_and_runs_once_it_is_enabled(server):
    before = (await listed(server))["curves"]
    assert before == {
        "pack": "curves",
        "version": before["version"],
        "url": f"plugins/curves/index.js?v={before['version']}",
        "enabled": False,
    }
    refused = await server.client.get(before["url"])
    assert refused.status == 403
    assert "'curves' is not enabled" in (await refused.json())["detail"]
    await enable(server, "curves", "never_heard_of")
    assert await listed(server) == {"curves": {**before, "enabled": True}}
    answer = await server.client.get(before["url"])
    assert (answer.status, await answer.text()) == (200, "import './parts/a.js';\n")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index.js", "text/javascript; charset=utf-8"),
        ("parts/a.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_a_file_has_its_type_and_may_change(server, pack, name, kind):
    await enable(server, "curves")
    answer = await server.client.get(f"/plugins/curves/{name}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert (await server.client.get(f"/plugins/curves/{name}", headers=tag)).status == 304
    far = await server.client.get(f"/plugins/curves/{name}", headers={"Range": "bytes=999-"})
    assert far.status == 416


async def test_another_file_is_another_version(server, pack):
    before = (await listed(server))["curves"]["version"]
    (pack / "web" / "notes.txt").write_text("not served")
    assert (await listed(server))["curves"]["version"] == before
    (pack / "web" / "parts" / "a.js").write_text("export const a = 2;\n")
    assert (await listed(server))["curves"]["version"] != before


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("curves/none.js", 404, "The pack 'curves' has no file 'web/none.js'."),
        ("curves/parts", 404, "only files that end with .js"),
        ("curves/page.html", 404, "so not 'page.html'"),
        ("curves/..%2f__init__.py", 400, "leads out of its folder"),
        ("curves/.hidden.js", 400, "would be hidden"),
        ("curves/link.js", 403, "leads out of its folder"),
        ("plain/index.js", 404, "No pack 'plain' brings anything to the editor"),
        ("..%2f..%2fcurves/index.js", 404, "No pack"),
    ],
)
async def test_nothing_else_is_served(server, pack, tmp_path, path, status, said):
    (tmp_path / "secret.js").write_text("secret")
    (pack / "web" / "link.js").symlink_to(tmp_path / "secret.js")
    await enable(server, "curves", "plain")
    answer = await server.client.get(f"/plugins/{path}")
    assert answer.status == status
    assert said in (await answer.json())["detail"]


async def test_damaged_settings_enable_nothing_and_are_said(server):
    await enable(server, "curves")
    (server.data / "editor_settings.json").write_text("{half")
    for path in ("/api/extensions", "/plugins/curves/index.js"):
        answer = await server.client.get(path)
        assert answer.status == 409
        assert "are damaged" in (await answer.json())["detail"]


def test_what_comes_with_nodeflow_is_enabled_and_no_folder_can_claim_to(tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.js").write_text("")
    packs = [
        PackSource("image", "nodeflow_nodes.image", tmp_path, "installed"),
        PackSource("other", "other_nodes.image", tmp_path, "installed"),
        PackSource("false", "nodeflow_nodes.false", tmp_path, "folder", by_path=True),
        PackSource("wanted", "wanted", tmp_path, "folder", by_path=True),
    ]
    found = {item.pack: item.enabled for item in find_extensions(packs, {"wanted"})}
    assert found == {"image": True, "other": False, "false": False, "wanted": True}
