"""load_upscaler: a recipe, without loading a weight."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from blake3 import blake3
from nodeflow_nodes.upscale.files import upscaler_facts
from nodeflow_nodes.upscale.networks import load_network
from nodeflow_nodes.upscale.recipes import load_upscaler

from nodeflow import Device, InputError
from tests.nodes.upscale.conftest import weights


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


def test_a_process_that_refuses_heavy_libraries_knows_the_architecture(make_file) -> None:
    code = (
        "import sys, pathlib; from nodeflow.server.light_hooks import heavy_refused; "
        "from nodeflow_nodes.upscale.files import upscaler_facts\n"
        "with heavy_refused(): print(upscaler_facts(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(make_file())]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "RealESRGAN Compact" in finished.stdout


@pytest.mark.parametrize("name", ["tiny.safetensors", "tiny.pth"])
def test_a_file_cut_off_is_refused_before_anything_runs(make_file, name: str) -> None:
    path = make_file(name)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"tiny\..* (are truncated|is cut off)"):
        load_upscaler(path)


def test_files_of_other_kinds_and_missing_files_are_refused(tmp_path: Path) -> None:
    odd = tmp_path / "net.onnx"
    odd.write_bytes(b"x")
    with pytest.raises(InputError, match=r"net\.onnx ends in '\.onnx'; choose an upscaler's file"):
        load_upscaler(odd)
    for name in ("none.safetensors", "none.pth"):
        with pytest.raises(InputError, match=rf"{name} is missing; fetch the file again"):
            load_upscaler(tmp_path / name)


@pytest.mark.parametrize("group", [None, "params_ema", "anything"])
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("old", [False, True])
def test_pickles_tell_architecture_and_precision_whoever_wrote_them(
    tmp_path: Path, group: str | None, prefix: str, old: bool
) -> None:
    state = {prefix + name: tensor.half() for name, tensor in weights().items()}
    path = tmp_path / "theirs.pth"
    told = state if group is None else {group: state}
    torch.save(told, path, _use_new_zipfile_serialization=not old)
    facts = {"family": "RealESRGAN Compact", "precision": "fp16"}
    assert upscaler_facts(path) == {"upscaler": facts}
    assert load_network(load_upscaler(path), Device()).architecture.name == facts["family"]


def test_an_old_pickle_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save(weights(), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"old\.pth are truncated: .*; fetch the file again"):
        load_upscaler(path)
