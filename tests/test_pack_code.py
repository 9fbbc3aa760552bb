"""Code of packs that are edited while a process lives, and of packs that broke."""

import subprocess
import sys

import pytest

from nodeflow.errors import PackError
from nodeflow.packs import Found, find_packs
from nodeflow.registry import Registry

NODE = (
    "from nodeflow import node\n\n@node()\ndef {name}(a: int = {default}) -> int:\n    return a\n"
)
BROKEN = "from nodeflow import node\nraise RuntimeError('half an edit')\n"


def again(shelf, before, *, remember=True):
    """The packs of the shelf once more, as an engine that has read them before does it."""
    found = find_packs([shelf.folder])
    ours = tuple(pack for pack in found.packs if pack.by_path)
    return Registry.discover(Found(ours, found.errors), shelf.memory if remember else None, before)


def forget_modules(pack):
    """As a new process has it."""
    for module in [name for name in sys.modules if name.split(".")[0] == pack]:
        del sys.modules[module]


@pytest.mark.parametrize("remember", [True, False])
def test_a_pack_that_breaks_goes_on_with_its_last_good_version(shelf, remember):
    shelf.write("kept", nodes=NODE.format(name="f", default=1))
    before = again(shelf, None, remember=remember)
    function = before.function(before.specs["kept.f"])
    shelf.write("kept", nodes=BROKEN)
    broken = again(shelf, before, remember=remember)
    (error,) = broken.errors
    assert "half an edit" in error.sentence
    assert broken.specs["kept.f"] == before.specs["kept.f"]
    assert broken.function(broken.specs["kept.f"]) is function
    assert "half an edit" in again(shelf, broken, remember=remember).declared["kept"].broken
    shelf.write("kept", nodes=NODE.format(name="f", default=2))
    mended = again(shelf, broken, remember=remember)
    assert not mended.errors
    assert mended.function(mended.specs["kept.f"])() == 2


def test_a_pack_whose_edit_is_taken_back_is_whole_again(shelf):
    shelf.write("undone", nodes=NODE.format(name="f", default=1))
    before = again(shelf, None)
    shelf.write("undone", nodes=BROKEN)
    broken = again(shelf, before)
    shelf.write("undone", nodes=NODE.format(name="f", default=1))
    after = again(shelf, broken)
    assert not after.errors
    assert not after.declared["undone"].broken
    assert after.function(after.specs["undone.f"]) is before.function(before.specs["undone.f"])


def test_a_process_that_starts_while_a_pack_is_broken_knows_its_nodes_but_runs_none(shelf):
    shelf.write(
        "stale", nodes=NODE.format(name="f", default=1), other=NODE.format(name="g", default=1)
    )
    shelf.registry(remember=True)
    forget_modules("stale")
    shelf.write("stale", nodes=BROKEN)
    registry = shelf.registry(remember=True)
    (error,) = registry.errors
    assert "half an edit" in error.sentence
    # What is there of it today may be other code than the specs stand for, if it imports or not.
    for name in ("stale.f", "stale.g"):
        with pytest.raises(PackError, match=r"until it is mended: .*half an edit"):
            registry.function(registry.specs[name])


def test_a_module_that_was_not_imported_before_its_pack_broke_is_not_imported_after(shelf):
    shelf.write(
        "partly", nodes=NODE.format(name="f", default=1), other=NODE.format(name="g", default=1)
    )
    shelf.registry(remember=True)
    forget_modules("partly")
    before = shelf.registry(remember=True)
    assert before.function(before.specs["partly.f"])() == 1
    shelf.write("partly", nodes=BROKEN, other=NODE.format(name="g", default=2))
    broken = again(shelf, before)
    assert broken.function(broken.specs["partly.f"])() == 1
    with pytest.raises(PackError, match="until it is mended"):
        broken.function(broken.specs["partly.g"])


def test_code_follows_specs_that_another_process_has_read_anew(shelf):
    shelf.write("shared", nodes=NODE.format(name="f", default=1))
    shelf.registry(remember=True)
    forget_modules("shared")
    before = shelf.registry(remember=True)
    assert before.function(before.specs["shared.f"])() == 1
    # As many bytes in the same second: what was compiled must not be taken for it.
    shelf.write("shared", nodes=NODE.format(name="f", default=2))
    script = (
        "import sys; from pathlib import Path; from nodeflow.packs import find_packs; "
        "from nodeflow.registry import Registry; "
        "Registry.discover(find_packs([Path(sys.argv[1])]), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-B", "-c", script, str(shelf.folder), str(shelf.memory)]
    subprocess.run(command, check=True, timeout=100)
    after = again(shelf, before)
    assert after.function(after.specs["shared.f"])() == 2


def test_an_edit_is_seen_though_the_pack_was_remembered_when_it_was_imported(shelf):
    shelf.write("late", nodes=NODE.format(name="f", default=1))
    shelf.registry(remember=True)
    forget_modules("late")
    before = shelf.registry(remember=True)
    assert before.function(before.specs["late.f"])() == 1
    shelf.write("late", nodes=NODE.format(name="f", default=2))
    after = again(shelf, before)
    assert after.specs["late.f"].inputs[0].default == 2
    assert after.function(after.specs["late.f"])() == 2


def test_helper_modules_of_a_failed_import_are_read_again(shelf):
    nodes = "from .helper import H\n" + NODE.format(name="f", default=1)
    shelf.write("helped", nodes=nodes + "raise ValueError\n", helper="H = 1\n")
    assert shelf.registry().errors
    shelf.write("helped", nodes=nodes.replace("return a", "return H"), helper="H = 2\n")
    registry = shelf.registry()
    assert registry.function(registry.specs["helped.f"])() == 2
