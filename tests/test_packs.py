"""Packs: where they are found, what they are made of, and what stands for their source."""

import pytest

from nodeflow.packs import find_packs, pack_of, read_modules, source_digests

NODE = "from nodeflow import node\n\n@node()\ndef f() -> int: ...\n"


def _ours(found):
    return [pack for pack in found.packs if pack.by_path]


@pytest.mark.parametrize("inner", ["", "layered", "src/layered"])
def test_a_pack_may_lie_in_its_folder_in_three_ways(shelf, inner):
    package = shelf.folder / "layered" / inner
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "nodes.py").write_text(NODE)
    (pack,) = _ours(find_packs([shelf.folder]))
    assert pack.folder == package
    registry = shelf.registry()
    assert registry.find("layered.f") is not None
    assert registry.function(registry.specs["layered.f"]).__module__ == "layered.nodes"


def test_installed_packs_are_found_by_their_entry_points():
    names = {pack.name for pack in find_packs([]).packs}
    assert {"diffusion", "image", "logic", "upscale"} <= names


def test_two_packs_of_one_name_are_an_error_that_names_both(tmp_path, shelf):
    other = tmp_path / "more"
    for folder in (shelf.folder, other):
        (folder / "twin").mkdir(parents=True)
        (folder / "twin" / "__init__.py").write_text("")
    found = find_packs([shelf.folder, other])
    assert not _ours(found)
    (error,) = found.errors
    assert str(shelf.folder / "twin") in error.sentence
    assert str(other / "twin") in error.sentence


def test_one_folder_named_twice_is_one_pack(shelf):
    shelf.write("single", nodes=NODE)
    assert len(_ours(find_packs([shelf.folder, shelf.folder]))) == 1


def test_a_pack_with_the_name_of_an_installed_one_is_an_error_that_names_both(shelf):
    shelf.write("logic", nodes=NODE)
    found = find_packs([shelf.folder])
    assert "logic" not in {pack.name for pack in found.packs}
    (error,) = found.errors
    assert str(shelf.folder / "logic") in error.sentence


@pytest.mark.parametrize("name", ["json", "numpy", "sys"])
def test_a_folder_with_the_name_of_a_module_is_refused(shelf, name):
    (shelf.folder / name).mkdir(parents=True)
    (shelf.folder / name / "__init__.py").write_text("")
    (error,) = find_packs([shelf.folder]).errors
    assert "has the name of the module" in error.sentence
    (shelf.folder / name / "__init__.py").unlink()
    (shelf.folder / name).rmdir()  # or the shelf would forget the real module


def test_a_folder_without_a_package_says_which_file_is_missing(shelf):
    (shelf.folder / "empty").mkdir(parents=True)
    (error,) = find_packs([shelf.folder]).errors
    assert str(shelf.folder / "empty" / "__init__.py") in error.sentence


def test_a_folder_that_is_no_python_name_is_refused(shelf):
    (shelf.folder / "my-pack").mkdir(parents=True)
    (error,) = find_packs([shelf.folder]).errors
    assert "no Python name" in error.sentence


def test_hidden_folders_files_and_missing_folders_are_passed_over(tmp_path, shelf):
    shelf.write(".hidden")
    shelf.write("_private")
    (shelf.folder / "note.txt").write_text("")
    found = find_packs([shelf.folder, tmp_path / "nowhere"])
    assert not _ours(found)
    assert not found.errors


def _digests(shelf):
    (pack,) = _ours(find_packs([shelf.folder]))
    return source_digests(read_modules(pack)), pack.digest()


def test_an_edit_changes_the_digest_of_those_modules_that_lead_to_it_and_no_other(shelf):
    package = shelf.write(
        "chain",
        a="from nodeflow import node\nfrom chain.b import B\n",
        b="from . import c\nB = 1\n",
        c="C = 1\n",
        apart="import chain.far\n",
        far="FAR = 1\n",
    )
    before, whole = _digests(shelf)
    (package / "c.py").write_text("C = 22\n")
    after, edited = _digests(shelf)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"chain.a", "chain.b", "chain.c"}
    assert whole != edited


def test_tests_and_hidden_files_are_no_part_of_a_pack(shelf):
    package = shelf.write("tidy", nodes=NODE)
    _, before = _digests(shelf)
    for folder in ("tests", ".git"):
        (package / folder).mkdir()
        (package / folder / "x.py").write_text("no python at all (")
    _, after = _digests(shelf)
    assert before == after


def test_modules_know_their_pack():
    assert pack_of("nodeflow_nodes.logic.numbers") == "logic"
    assert pack_of("my_pack.nodes") == "my_pack"
    assert pack_of("__main__") is None
