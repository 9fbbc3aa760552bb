import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodeflow.cli.new_pack import name_fault
from nodeflow.packs import find_packs
from nodeflow.registry import Registry


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    return tmp_path / "data" / "packs"


def test_a_new_pack_is_found_in_the_folder_of_packs_as_it_is(nodeflow, packs):
    said = nodeflow("new-pack", "brushes")

    assert said.code == 0
    assert said.out.splitlines()[0] == str(packs / "brushes")
    assert nodeflow("nodes").out.count("brushes.posterize") == 1


def test_every_input_of_its_node_is_described(nodeflow, packs):
    nodeflow("new-pack", "sketches")

    registry = Registry.discover(find_packs([packs]), None)

    spec = registry.specs["sketches.posterize"]
    assert not registry.errors
    assert spec.description
    assert all(port.description for port in spec.inputs)
    assert [(port.name, port.type) for port in spec.outputs] == [("image", "Image")]


def test_its_own_test_passes(nodeflow, packs):
    nodeflow("new-pack", "inks")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=packs / "inks",
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_its_files_are_formatted_and_linted(nodeflow, packs):
    nodeflow("new-pack", "pencils")
    ruff = [sys.executable, "-m", "ruff"]

    for command in ([*ruff, "format", "--check"], [*ruff, "check"]):
        done = subprocess.run(
            [*command, packs / "pencils"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_can_be_built_and_installed_with_pip(nodeflow, packs, tmp_path):
    said = nodeflow("new-pack", "crayons", "--dir", tmp_path / "work")

    assert f"pip install -e {tmp_path / 'work' / 'crayons'}" in said.out
    project = (tmp_path / "work" / "crayons" / "pyproject.toml").read_text()
    assert '[project.entry-points."nodeflow.packs"]\ncrayons = "crayons"' in project
    assert not packs.exists()


def test_an_existing_folder_is_never_touched(nodeflow, packs):
    (packs / "mine").mkdir(parents=True)
    (packs / "mine" / "precious.txt").write_text("keep")

    said = nodeflow("new-pack", "mine")

    assert said.code == 2
    assert "exists already" in said.err
    assert [path.name for path in (packs / "mine").iterdir()] == ["precious.txt"]


def test_a_folder_that_cannot_be_written_is_a_sentence(nodeflow, tmp_path):
    (tmp_path / "file").write_text("")

    said = nodeflow("new-pack", "chalks", "--dir", tmp_path / "file")

    assert said.code == 2
    assert "cannot be written" in said.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my-pack", "How about 'my_pack'"),
        ("My Pack", "How about 'my_pack'"),
        ("3d", "How about 'd'"),
        ("../evil", "How about 'evil'"),
        ("class", "cannot be a Python package"),
        ("", "cannot be a Python package"),
        ("image", "There is a pack 'image' already"),
        ("nodeflow", "There is a pack 'nodeflow' already"),
        ("json", "a Python module 'json' already"),
    ],
)
def test_a_name_that_cannot_work_is_refused_with_the_reason(name, said):
    assert said in (name_fault(name, {"image"}) or "")


def test_a_good_name_has_no_fault():
    assert name_fault("watercolours2", {"image"}) is None
