"""Remembered specs: today's, else the last that worked, and no pack imported to learn of them."""

import json
import os
import sys

import pytest

from nodeflow.packs import Found, find_packs
from nodeflow.registry import Registry

NODE = (
    "from nodeflow import node\n\n@node()\ndef {name}(a: int = {default}) -> int:\n    return a\n"
)


def remembered(shelf):
    found = find_packs([shelf.folder])
    ours = tuple(pack for pack in found.packs if pack.by_path)
    return Registry.remembered(Found(ours, found.errors), shelf.memory)


def test_what_is_remembered_is_told_without_an_import(shelf):
    shelf.write("told", nodes=NODE.format(name="f", default=1))
    read = shelf.registry(remember=True)
    for module in ("told", "told.nodes"):
        del sys.modules[module]
    registry = remembered(shelf)
    assert registry.specs["told.f"] == read.specs["told.f"]
    assert registry.pending == ()
    assert "told" not in sys.modules


def test_a_pack_that_nobody_read_yet_is_pending(shelf):
    shelf.write("unread", nodes="raise SystemExit('it was imported')")
    registry = remembered(shelf)
    assert registry.pending == ("unread",)
    assert not registry.errors
    assert not [name for name in registry.specs if name.startswith("unread.")]
    assert "nodeflow.until" in registry.specs


@pytest.mark.parametrize("edit", [NODE.format(name="g", default=1), "raise ValueError('broken')"])
def test_an_edited_pack_is_pending_and_known_as_it_was(shelf, edit):
    shelf.write("edited", nodes=NODE.format(name="f", default=1))
    shelf.registry(remember=True)
    shelf.write("edited", nodes=edit)
    registry = remembered(shelf)
    assert registry.pending == ("edited",)
    assert "edited.f" in registry.specs


def test_specs_of_the_last_good_version_outlive_a_broken_one(shelf):
    shelf.write("outlived", nodes=NODE.format(name="f", default=1))
    shelf.registry(remember=True)
    shelf.write("outlived", nodes="from nodeflow import node\nraise ValueError('broken')")
    assert shelf.registry(remember=True).errors
    assert "outlived.f" in remembered(shelf).specs
    shelf.write("outlived", nodes=NODE.format(name="g", default=1))
    assert not shelf.registry(remember=True).errors
    assert len(list(shelf.memory.glob("outlived-*.json"))) == 1
    assert "outlived.f" not in remembered(shelf).specs


def test_of_several_versions_the_newest_sound_one_counts(shelf):
    package = shelf.write("several", nodes=NODE.format(name="f", default=1))
    shelf.registry(remember=True)
    (file,) = shelf.memory.glob("several-*.json")
    stem = file.stem.rpartition("-")[0]
    newer = file.with_name(f"{stem}-{'0' * 32}.json")
    specs = json.loads(file.read_text())
    specs["nodes"][0]["title"] = "A newer title"
    newer.write_text(json.dumps(specs))
    damaged = file.with_name(f"{stem}-{'1' * 32}.json")
    damaged.write_text("{")
    other_format = file.with_name(f"several-1-312-{'2' * 32}.json")
    other_format.write_text(json.dumps(specs | {"nodes": []}))
    for age, path in enumerate((other_format, damaged, newer, file)):
        os.utime(path, (1e9 - age, 1e9 - age))
    (package / "nodes.py").write_text("raise ValueError")
    assert remembered(shelf).specs["several.f"].title == "A newer title"


def test_a_pack_is_not_taken_for_another_whose_name_begins_alike(shelf):
    for name in ("alike", "alike_too"):
        shelf.write(name, nodes=NODE.format(name="f", default=1))
    shelf.registry(remember=True)
    shelf.write("alike", nodes=NODE.format(name="g", default=1))
    shelf.registry(remember=True)
    assert {"alike.g", "alike_too.f"} <= set(remembered(shelf).specs)
    assert remembered(shelf).pending == ()
