"""The editor at `/`: its page, its files, and what is said when it is not there."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from nodeflow import web_build
from nodeflow.server import site
from nodeflow.server.access import Access
from nodeflow.server.limits import Limits
from nodeflow.server.problems import MEDIA_TYPE, problem_middleware
from nodeflow.server.security import guard
from nodeflow.server.site import SITE, Site, find_site
from nodeflow.web_build import BuildError
from tests.server.conftest import Served
from tests.server.guarded_tools import Guarded, Reply, serving

SCRIPT = b"export const wide = 1;\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site as Vite writes it."""
    made = tmp_path / "site"
    (made / "assets").mkdir(parents=True)
    (made / "index.html").write_text('<meta name="csp-nonce" content="__NONCE__"><p>editor</p>')
    (made / "icon.svg").write_text("<svg/>")
    (made / "stamp.json").write_text("{}")
    (made / "assets" / "index-C0ffee.js").write_bytes(SCRIPT)
    (made / "assets" / "index-C0ffee.js.gz").write_bytes(gzip.compress(SCRIPT))
    (made / "assets" / "secret.key").write_text("no kind that a site has")
    (tmp_path / "outside.js").write_text("outside")
    return made


@asynccontextmanager
async def server_of(made: Site, **options: Any) -> AsyncIterator[Guarded]:
    app = web.Application(middlewares=[problem_middleware])
    guard(app, Access(**options), Limits())
    app.add_routes(site.routes)
    app[SITE] = made
    async with serving(app) as server:
        yield server


async def test_the_page_is_told_the_word_of_its_styles_anew_each_time(folder: Path) -> None:
    async with server_of(Site(folder)) as server:
        replies = [await server.ask("/") for _ in range(2)]

    words = [re.findall(rb'content="([^"]+)"', reply.body)[0].decode() for reply in replies]
    assert words[0] != words[1]
    for word, reply in zip(words, replies, strict=True):
        assert f"style-src 'self' 'nonce-{word}'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
        assert reply.headers["Cache-Control"] == "no-cache"


async def test_a_page_may_show_its_own_pictures_and_talk_to_its_own_server(folder: Path) -> None:
    async with server_of(Site(folder)) as server:
        policy = (await server.ask("/")).headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "img-src 'self' blob: data:" in policy
    assert "unsafe" not in policy


async def test_files_with_a_digest_in_their_name_are_kept_for_ever(folder: Path) -> None:
    async with server_of(Site(folder)) as server:
        plain = await server.ask("/assets/index-C0ffee.js")
        packed = await server.ask("/assets/index-C0ffee.js", {"Accept-Encoding": "br, gzip"})

    assert plain.body == SCRIPT
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == SCRIPT
    for reply in (plain, packed):
        assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert reply.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert reply.headers["Vary"] == "Accept-Encoding"


async def test_an_icon_is_asked_for_again_each_time(folder: Path) -> None:
    async with server_of(Site(folder)) as server:
        reply = await server.ask("/icon.svg")

    assert (reply.status, reply.body) == (200, b"<svg/>")
    assert reply.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-0ld.js",
        "/assets/secret.key",
        "/assets/..%2f..%2foutside.js",
        "/assets/%2e%2e%2fstamp.json",
        "/assets/index-C0ffee.js%00.png",
        "/assets/",
        "/stamp.json",
        "/index.html",
        "/favicon.ico",
        "/some/page",
    ],
)
async def test_what_is_not_there_is_a_problem_object(folder: Path, path: str) -> None:
    async with server_of(Site(folder)) as server:
        reply = await server.ask(path)

    assert reply.status in (400, 404)
    assert reply.headers["Content-Type"].startswith(MEDIA_TYPE)
    assert json.loads(reply.body)["detail"]


async def test_whoever_has_no_token_is_led_to_the_login(folder: Path) -> None:
    async with server_of(Site(folder), token="a-token-for-the-tests-of-the-site") as server:
        page = await server.ask("/", {"Accept": "text/html"})
        script = await server.ask("/assets/index-C0ffee.js")
        known = {"Authorization": "Bearer a-token-for-the-tests-of-the-site"}
        inside = await server.ask("/", known)

    assert (page.status, page.headers["Location"]) == (303, "/login?next=%2F")
    assert script.status == 401
    assert b"editor" in inside.body


def without_editor(reply: Reply) -> str:
    assert reply.status == 200
    word = re.findall(rb'<style nonce="([^"]+)"', reply.body)[0].decode()
    assert f"'nonce-{word}'" in reply.headers["Content-Security-Policy"]
    return reply.body.decode()


async def test_without_a_site_the_page_says_how_to_get_it(tmp_path: Path) -> None:
    async with server_of(Site(tmp_path / "none")) as server:
        page = without_editor(await server.ask("/"))

    assert "'make web'" in page.replace("&#x27;", "'")
    assert 'href="docs"' in page


async def test_a_build_that_failed_is_told_on_the_page(folder: Path) -> None:
    broken = Site(folder, "It cannot be <built>.", "error: <script> here")
    async with server_of(broken) as server:
        page = without_editor(await server.ask("/"))

    assert "It cannot be &lt;built&gt;." in page
    assert "<pre>error: &lt;script&gt; here</pre>" in page


async def test_a_site_that_is_built_while_the_server_runs_is_served(
    folder: Path, tmp_path: Path
) -> None:
    async with server_of(Site(tmp_path / "later")) as server:
        without_editor(await server.ask("/"))
        folder.rename(tmp_path / "later")

        assert b"editor" in (await server.ask("/")).body


def checkout(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package.json").write_text("{}")
    return tmp_path


def stamp(root: Path, folder: Path) -> None:
    (folder / "stamp.json").write_text(json.dumps({"sources": web_build.digest_of(root)}))


def never(*_given: object) -> None:
    raise AssertionError("nothing is to be built")


def test_an_installed_package_and_a_fresh_checkout_build_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "build", never)
    assert find_site(never, may_build=True, root=tmp_path, folder=folder) == Site(folder)

    root = checkout(tmp_path)
    stamp(root, folder)
    assert find_site(never, may_build=True, root=root, folder=folder) == Site(folder)


def test_a_stale_site_is_built_anew_unless_it_may_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = checkout(tmp_path)
    said: list[str] = []
    monkeypatch.setattr(site, "build", never)
    assert find_site(said.append, may_build=False, root=root, folder=folder) == Site(folder)
    assert "older than its sources" in said[0]

    built: list[Path] = []
    monkeypatch.setattr(site, "build", lambda root, folder, say: built.append(folder))
    assert find_site(said.append, may_build=True, root=root, folder=folder) == Site(folder)
    assert built == [folder]


def test_a_build_that_fails_is_told_and_leaves_the_server_running(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise BuildError("It cannot be built.", "error: no")

    monkeypatch.setattr(site, "build", fail)
    said: list[str] = []

    found = find_site(said.append, may_build=True, root=checkout(tmp_path), folder=folder)

    assert found == Site(folder, "It cannot be built.", "error: no")
    assert said == ["It cannot be built.\nerror: no"]


def test_a_server_has_a_page_at_its_address(served: Served) -> None:
    served.start()

    status, body = served.ask("GET", "/")

    assert status == 200
    assert b"<!doctype html>" in body
