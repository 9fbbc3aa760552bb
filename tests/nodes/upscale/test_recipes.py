"""load_upscaler: a recipe, without loading a weight."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from blake3 import blake3
from nodeflow_nodes.upscale.recipes import load_upscaler

from nodeflow import InputError


def test_the_recipe_names_file_content_and_part(make_file) -> None:
    path = make_file()
    recipe = load_upscaler(path)
    assert recipe.path == str(path)
    assert recipe.digest == blake3(path.read_bytes()).hexdigest(16)
    assert (recipe.part, recipe.family) == ("upscaler", "spandrel")


def test_making_the_recipe_imports_no_torch(make_file) -> None:
    code = (
        "import sys, pathlib; from nodeflow_nodes.upscale.recipes import load_upscaler; "
        "load_upscaler(pathlib.Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code, str(make_file())], check=False)
    assert finished.returncode == 0


def test_a_file_cut_off_is_refused_before_anything_runs(make_file) -> None:
    path = make_file()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"'tiny.safetensors' is damaged or cut off"):
        load_upscaler(path)


def test_files_of_other_kinds_and_missing_files_are_refused(tmp_path: Path) -> None:
    odd = tmp_path / "net.onnx"
    odd.write_bytes(b"x")
    with pytest.raises(InputError, match=r"'net.onnx' ends in '.onnx'; an upscaler is a file of"):
        load_upscaler(odd)
    with pytest.raises(InputError, match=r"none.safetensors' cannot be opened"):
        load_upscaler(tmp_path / "none.safetensors")
    with pytest.raises(InputError, match=r"none.pth' cannot be opened"):
        load_upscaler(tmp_path / "none.pth")
