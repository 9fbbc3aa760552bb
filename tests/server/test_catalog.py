"""The catalog knows all nodes from what is remembered, and waits where nothing is."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys

import pytest

from nodeflow.errors import InputError
from nodeflow.server.catalog import NodeCatalog
from tests.server.parts import errors_of, remember_packs, settings_of

NODE = "from nodeflow import node\n\n@node()\ndef {name}(a: int = 1) -> int:\n    return a\n"
BROKEN = "raise RuntimeError('half an edit')\n"


@pytest.fixture
def world(shelf, tmp_path, known_specs):
    """Settings over one pack of the test's own and the built-in ones, which are remembered."""
    (tmp_path / "cache").mkdir()
    settings = settings_of(tmp_path, shelf.folder)
    shelf.folder.mkdir()
    remember_packs(settings_of(known_specs))
    (tmp_path / "cache" / "specs").symlink_to(known_specs / "cache" / "specs")
    return shelf, settings


def forget(pack):
    for name in [name for name in sys.modules if name.split(".")[0] == pack]:
        del sys.modules[name]


def told(catalog):
    body = json.loads(catalog.body)
    assert json.loads(gzip.decompress(catalog.listing.packed)) == body
    return body


async def test_what_is_remembered_is_there_at_once(world):
    shelf, settings = world
    shelf.write("known", nodes=NODE.format(name="f"))
    remember_packs(settings)
    forget("known")
    catalog = NodeCatalog(settings)
    await asyncio.wait_for(catalog.ready(), 10)
    assert "known.f" in catalog.registry.specs
    body = told(catalog)
    assert {"known.f", "image.save", "nodeflow.until"} <= set(body["nodes"])
    assert body["pending"] == []
    assert body["errors"] == []
    assert "known" not in sys.modules


async def test_a_pack_that_was_never_read_is_waited_for(world):
    shelf, settings = world
    shelf.write("fresh", nodes=NODE.format(name="f"))
    catalog = NodeCatalog(settings)
    catalog.load()
    assert told(catalog)["pending"] == ["fresh"]
    waiting = asyncio.create_task(catalog.ready())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    registry = remember_packs(settings)
    changed = await asyncio.to_thread(catalog.packs_read, errors_of(registry))
    await asyncio.wait_for(waiting, 5)
    assert changed is not None
    assert changed.errors == ()
    assert "fresh.f" in told(catalog)["nodes"]
    assert told(catalog)["pending"] == []


async def test_a_pack_that_was_edited_is_not_waited_for(world):
    shelf, settings = world
    shelf.write("edited", nodes=NODE.format(name="f"))
    remember_packs(settings)
    shelf.write("edited", nodes=NODE.format(name="g"))
    catalog = NodeCatalog(settings)
    await asyncio.wait_for(catalog.ready(), 10)
    assert told(catalog)["pending"] == ["edited"]
    assert "edited.f" in catalog.registry.specs
    changed = catalog.packs_read(errors_of(remember_packs(settings)))
    assert changed is not None
    assert "edited.g" in catalog.registry.specs
    assert "edited.f" not in catalog.registry.specs


def test_reading_packs_that_are_as_before_changes_nothing(world):
    shelf, settings = world
    shelf.write("same", nodes=NODE.format(name="f"))
    errors = errors_of(remember_packs(settings))
    catalog = NodeCatalog(settings)
    catalog.load()
    etag = catalog.etag
    assert catalog.packs_read(errors) is None
    assert catalog.etag == etag
    assert NodeCatalog(settings).etag == etag
    assert catalog.generation == 2


def test_a_pack_that_breaks_keeps_its_nodes_and_shows_why_until_it_is_mended(world):
    shelf, settings = world
    shelf.write("breaks", nodes=NODE.format(name="f"))
    remember_packs(settings)
    catalog = NodeCatalog(settings)
    catalog.load()
    shelf.write("breaks", nodes=f"from nodeflow import node\n{BROKEN}")
    changed = catalog.packs_read(errors_of(remember_packs(settings)))
    assert changed is not None
    (sentence,) = changed.errors
    assert sentence.startswith("Pack 'breaks': it does not import: RuntimeError: half an edit")
    assert "breaks.f" in catalog.registry.specs
    (fault,) = told(catalog)["errors"]
    assert fault["pack"] == "breaks"
    assert "half an edit" in fault["trace"]
    assert [error.pack for error in catalog.errors] == ["breaks"]
    shelf.write("breaks", nodes=NODE.format(name="h"))
    mended = catalog.packs_read(errors_of(remember_packs(settings)))
    assert mended is not None
    assert mended.errors == ()
    assert "breaks.h" in catalog.registry.specs


async def test_a_pack_that_never_worked_is_told_of_and_not_waited_for_again(world):
    shelf, settings = world
    shelf.write("never", nodes=f"from nodeflow import node\n{BROKEN}")
    catalog = NodeCatalog(settings)
    catalog.load()
    assert not catalog.is_ready
    catalog.packs_read(errors_of(remember_packs(settings)))
    await asyncio.wait_for(catalog.ready(), 5)
    assert [error["pack"] for error in told(catalog)["errors"]] == ["never"]


def test_looking_tells_edits_from_touches(world):
    shelf, settings = world
    shelf.write("looked", nodes=NODE.format(name="f"))
    catalog = NodeCatalog(settings)
    assert catalog.look() == catalog.seen
    shelf.write("looked", nodes=NODE.format(name="f"))
    assert catalog.look() == catalog.seen
    shelf.write("looked", nodes=NODE.format(name="g"))
    assert catalog.look() != catalog.seen


def test_files_outside_of_the_roots_are_refused(world):
    _, settings = world
    outside = settings.data.parent / "secret.png"
    outside.write_bytes(b"x")
    inside = settings.inputs / "picture.png"
    inside.parent.mkdir(parents=True)
    inside.write_bytes(b"x")
    roots = NodeCatalog(settings).roots
    assert roots.resolve("inputs", "picture.png") == inside
    for name in (str(outside), "../../secret.png", "a\0b"):
        with pytest.raises(InputError):
            roots.resolve("inputs", name)
