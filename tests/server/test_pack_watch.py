"""Edits of packs are seen, once each, wherever the packs lie."""

from __future__ import annotations

import asyncio
import threading

import pytest

from nodeflow.server.catalog import NodeCatalog
from nodeflow.server.pack_watch import PackWatch
from tests.server.parts import settings_of

NODE = "from nodeflow import node\n\n@node()\ndef f(a: int = {}) -> int:\n    return a\n"


@pytest.fixture
async def watch(shelf, tmp_path, monkeypatch):
    """A function that starts to watch; the queue gets an item whenever packs are to be read."""
    monkeypatch.setattr("nodeflow.server.pack_watch._DEBOUNCE", 100)
    monkeypatch.setattr("nodeflow.server.pack_watch._LOOK", 200)
    asked: asyncio.Queue[None] = asyncio.Queue()
    settings = settings_of(tmp_path, shelf.folder)
    watches = []

    async def start():
        catalog = NodeCatalog(settings)
        catalog.load()
        watches.append(PackWatch(catalog, settings.packs, lambda: asked.put_nowait(None)))
        watches[-1].start()
        await asyncio.sleep(0.5)
        return asked

    yield start
    for one in watches:
        await asyncio.wait_for(one.close(), 5)


async def once(asked):
    """Packs are to be read, and not twice."""
    await asyncio.wait_for(asked.get(), 10)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asked.get(), 0.7)


async def quiet(asked):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asked.get(), 1.0)


async def test_an_edit_in_several_steps_is_one_change(shelf, watch):
    shelf.write("edited", nodes=NODE.format(1))
    asked = await watch()
    for number in range(5):
        shelf.write("edited", nodes=NODE.format(number + 2))
    await once(asked)
    shelf.write("edited", nodes=NODE.format(9))
    await once(asked)


async def test_a_pack_that_comes_or_goes_is_a_change(shelf, watch):
    shelf.write("stays", nodes=NODE.format(1))
    asked = await watch()
    package = shelf.write("comes", nodes=NODE.format(1))
    await once(asked)
    for file in package.iterdir():
        file.unlink()
    package.rmdir()
    await once(asked)


async def test_what_is_no_source_and_what_says_the_same_is_no_change(shelf, watch):
    package = shelf.write("still", nodes=NODE.format(1))
    asked = await watch()
    (package / "weights.bin").write_bytes(b"x" * 1000)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "nodes.cpython-311.pyc").write_bytes(b"x")
    (package / "tests").mkdir()
    (package / "tests" / "test_it.py").write_text("")
    shelf.write("still", nodes=NODE.format(1))
    await quiet(asked)


async def test_a_folder_of_packs_that_is_made_later_is_watched(shelf, watch):
    asked = await watch()
    shelf.write("late", nodes=NODE.format(1))
    await once(asked)
    shelf.write("late", nodes=NODE.format(2))
    await once(asked)


async def test_a_pack_behind_a_link_is_watched(shelf, watch, tmp_path):
    shelf.write("other", nodes=NODE.format(1))
    away = tmp_path / "away" / "linked"
    away.mkdir(parents=True)
    (away / "__init__.py").write_text("")
    asked = await watch()
    (shelf.folder / "linked").symlink_to(away)
    await once(asked)
    (away / "__init__.py").write_text("X = 1\n")
    await once(asked)


async def test_an_edit_before_the_watch_began_is_seen(shelf, tmp_path, monkeypatch):
    monkeypatch.setattr("nodeflow.server.pack_watch._LOOK", 200)
    shelf.write("early", nodes=NODE.format(1))
    settings = settings_of(tmp_path, shelf.folder)
    catalog = NodeCatalog(settings)
    catalog.load()
    shelf.write("early", nodes=NODE.format(2))
    asked: asyncio.Queue[None] = asyncio.Queue()
    async with PackWatch(catalog, settings.packs, lambda: asked.put_nowait(None)):
        await once(asked)


async def test_its_thread_ends_with_it(shelf, tmp_path):
    shelf.write("short", nodes=NODE.format(1))
    settings = settings_of(tmp_path, shelf.folder)
    before = asyncio.get_running_loop().time()
    async with PackWatch(NodeCatalog(settings), settings.packs, lambda: None):
        await asyncio.sleep(0.3)
        during = {thread for thread in threading.enumerate() if "AnyIO" in thread.name}
        assert during
    assert asyncio.get_running_loop().time() - before < 3
