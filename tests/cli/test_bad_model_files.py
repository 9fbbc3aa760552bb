"""Model files as people have them, broken, foreign or half there: what `check` and `models` say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from tests.cli.conftest import Nodeflow
from tests.nodes.diffusion.conftest import make_pipeline
from tests.nodes.upscale.conftest import weights

LOAD = "diffusion.load_model"


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder in diffusers layout."""
    folder = tmp_path_factory.mktemp("whole") / "model"
    make_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models."""
    monkeypatch.setenv("NODEFLOW_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def folder(models: Path, whole: Path) -> Path:
    """A model folder for a test to break."""
    return Path(shutil.copytree(whole, models / "checkpoints" / "mine"))


@pytest.fixture
def check(nodeflow: Nodeflow, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Problems that `nodeflow check` finds in a workflow of one node, called `load`."""

    def call(file: str, kind: str = LOAD) -> list[dict[str, Any]]:
        workflow = tmp_path / "workflow.json"
        node = {"type": kind, "inputs": {"file": file}}
        workflow.write_text(json.dumps({"nodeflow": 1, "nodes": {"load": node}}))
        (told,) = json.loads(nodeflow("check", workflow, "--json").out)
        return [problem for problem in told["problems"] if problem["severity"] == "error"]

    return call


@pytest.fixture
def listed(nodeflow: Nodeflow) -> Callable[[str, str], dict[str, Any]]:
    """What `nodeflow models` says of a file."""

    def call(kind: str, name: str) -> dict[str, Any]:
        told = json.loads(nodeflow("models", "--json").out)[kind]
        return next(entry for entry in told if entry["name"] == name)

    return call


VAE_CONFIG, VAE_WEIGHTS = "vae/config.json", "vae/diffusion_pytorch_model.safetensors"


def link_to(place: str, target: str) -> Callable[[Path], object]:
    def link(folder: Path) -> None:
        (folder / place).unlink(missing_ok=True)
        (folder / place).symlink_to(target)

    return link


def folder_at(place: str) -> Callable[[Path], object]:
    def replace(folder: Path) -> None:
        (folder / place).unlink(missing_ok=True)
        (folder / place).mkdir()

    return replace


def content(place: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / place).write_bytes(data)


def file_for_part(folder: Path) -> None:
    shutil.rmtree(folder / "vae")
    (folder / "vae").write_bytes(b"")


BESIDE = {
    "a dangling link": link_to("vae/notes.json", "/gone/notes.json"),
    "a link to itself": link_to("notes.json", "notes.json"),
    "a folder called like a file": folder_at("notes.json"),
    "a folder that holds itself": link_to("unet/again", ".."),
    "text that is no UTF-8": content("notes.txt", b"\xff\xfe"),
}
FAULTS = {
    "config is a link to itself": (
        link_to(VAE_CONFIG, "config.json"),
        "/vae/config.json is a link that leads back to itself; put the file in its place",
    ),
    "config is a dangling link": (
        link_to(VAE_CONFIG, "/gone/config.json"),
        "is a link to /gone/config.json, which is not there; fetch the file again",
    ),
    "config is a folder": (folder_at(VAE_CONFIG), "is a folder; put the file in its place"),
    "config is no UTF-8": (content(VAE_CONFIG, b'{"a": "\xff"}'), "is not JSON"),
    "weights are a link to themselves": (
        link_to(VAE_WEIGHTS, "diffusion_pytorch_model.safetensors"),
        "model.safetensors is a link that leads back to itself; put the file in its place",
    ),
    "weights are a folder": (folder_at(VAE_WEIGHTS), "is a folder; put the file in its place"),
    "weights are empty": (content(VAE_WEIGHTS, b""), "is empty; fetch the file again"),
    "shards are no table": (
        lambda folder: (
            (folder / VAE_WEIGHTS).unlink(),
            (folder / f"{VAE_WEIGHTS}.index.json").write_text('{"weight_map": ["a"]}'),
        ),
        "index.json names no weights; fetch the file again",
    ),
    "no autoencoder": (
        lambda folder: shutil.rmtree(folder / "vae"),
        "lacks its part 'vae'",
    ),
    "a file in place of the autoencoder": (file_for_part, "fetch the whole model again"),
    "no pipeline": (
        content("model_index.json", b'{"_class_name": "FooPipeline"}'),
        "is made for 'FooPipeline', which no family reads; choose a model that is made for one of",
    ),
}


@pytest.mark.parametrize("what", BESIDE)
def test_what_lies_beside_a_model_and_says_nothing_does_no_harm(
    folder: Path, check: Any, listed: Any, what: str
) -> None:
    BESIDE[what](folder)
    assert check("mine") == []
    assert (listed("checkpoints", "mine")["family"], listed("checkpoints", "mine")["problem"]) == (
        "stable_diffusion",
        "",
    )


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_in_a_folder_is_said_with_node_input_file_and_way_out(
    folder: Path, check: Any, listed: Any, what: str
) -> None:
    damage, says = FAULTS[what]
    damage(folder)
    (problem,) = check("mine")
    assert (problem["code"], problem["node"], problem["input"]) == ("check_failed", "load", "file")
    assert problem["sentence"].startswith(f"The node 'load' ({LOAD}), input 'file': ")
    assert says in problem["sentence"]
    assert str(folder) in problem["sentence"]
    assert says in listed("checkpoints", "mine")["problem"]


def test_a_link_to_itself_in_a_folder_of_models_is_told(models: Path, check: Any) -> None:
    link = models / "checkpoints" / "round.safetensors"
    link.parent.mkdir(parents=True)
    link.symlink_to(link.name)
    (problem,) = check("round.safetensors")
    assert (
        "is a link to round.safetensors, which leads nowhere; put the file" in problem["sentence"]
    )
    assert (problem["node"], problem["input"]) == ("load", "file")


UPSCALERS = {
    "empty.safetensors": (lambda file: file.write_bytes(b""), "is empty; fetch the file again"),
    "cut.safetensors": (
        lambda file: file.write_bytes(save(weights())[:-9]),
        "are truncated: .* bytes, and their header says .*; fetch the file again",
    ),
    "cut.pth": (
        lambda file: (torch.save(weights(), file), file.write_bytes(file.read_bytes()[:-9])),
        "is cut off or damaged; fetch the file again",
    ),
    "trap.pth": (
        lambda file: torch.save({"a": Path("b")}, file),
        r"is a pickle that wants 'pathlib\..*Path', which is no tensor .*; convert it to",
    ),
    "folder.pth": (lambda file: file.mkdir(), "is a folder; put the file in its place"),
    "text.pth": (lambda file: file.write_text("a page"), "is no pickle of tensors .*; fetch the"),
    "other.safetensors": (
        lambda file: file.write_bytes(save({"lora_unet.alpha": torch.ones(1)})),
        "is of no architecture that spandrel knows: .* such as 'lora_unet.alpha'; choose another",
    ),
    "net.onnx": (lambda file: file.write_bytes(b"x"), "ends in '.onnx'; choose an upscaler's file"),
}


@pytest.mark.parametrize("name", UPSCALERS)
def test_a_fault_in_an_upscaler_is_said_before_the_run(
    models: Path, check: Any, listed: Any, name: str
) -> None:
    make, says = UPSCALERS[name]
    file = models / "upscalers" / name
    file.parent.mkdir(parents=True)
    make(file)
    (problem,) = check(name, "upscale.load_upscaler")
    assert (problem["code"], problem["node"], problem["input"]) == ("check_failed", "load", "file")
    assert re.search(f"{re.escape(str(file))} {says}", problem["sentence"])
    if file.is_file():
        assert re.search(f"{re.escape(str(file))} {says}", listed("upscalers", name)["problem"])


def test_an_upscalers_architecture_and_precision_are_listed(models: Path, listed: Any) -> None:
    entry = listed("upscalers", "emoji_x4.safetensors")
    assert (entry["family"], entry["precision"]) == ("RealESRGAN Compact", "fp16")
    assert entry["problem"] == ""
