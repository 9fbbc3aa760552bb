"""Models fetched from a hub, by real processes: the library reads where it is at its import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nodeflow_nodes
import pytest
from PIL import Image

from tests.cli.fake_hub import FakeHub, fake_hub

MODEL = Path(nodeflow_nodes.__file__).parent / "emoji" / "models" / "checkpoints" / "emoji"

MODULAR = {
    "modular_model_index.json",
    "feature_extractor/preprocessor_config.json",
    "tokenizer/tokenizer.json",
    "tokenizer/chat_template.jinja",
    "transformer/config.json",
    "transformer/diffusion_pytorch_model.safetensors",
}
"""Files of a model that has only the newer index."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    files = {
        path.relative_to(MODEL).as_posix(): path.read_bytes()
        for path in MODEL.rglob("*")
        if path.is_file()
    }
    files |= {"README.md": b"about", "unet/diffusion_pytorch_model.bin": b"pickle"}
    parts = {"one.safetensors": b"one", "two.safetensors": b"two"}
    modular = dict.fromkeys(MODULAR, b"{}") | {"tokenizer_2/vocab.onnx": b"", "notes.pdf": b""}
    with fake_hub({"maker/emoji": files, "maker/parts": parts, "maker/new": modular}) as found:
        yield found


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


@pytest.fixture
def call(hub: FakeHub, tmp_path: Path) -> Run:
    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        given = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
        return subprocess.run(
            [sys.executable, "-m", "nodeflow.cli", *map(str, arguments)],
            env={**os.environ, **given, **environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run


def workflow(path: Path, model: str) -> Path:
    nodes = {
        "load": {"type": "diffusion.load_model", "inputs": {"file": model}},
        "text": {
            "type": "diffusion.encode_text",
            "inputs": {"encoder": {"node": "load", "output": "text_encoder"}, "text": "a fish"},
        },
        "empty": {
            "type": "diffusion.empty_latent",
            "inputs": {"model": {"node": "load", "output": "model"}, "width": 64, "height": 64},
        },
        "sample": {
            "type": "diffusion.sample",
            "inputs": {
                "model": {"node": "load", "output": "model"},
                "positive": {"node": "text"},
                "negative": {"node": "text"},
                "latent": {"node": "empty"},
                "steps": 2,
            },
        },
        "decode": {
            "type": "diffusion.decode",
            "inputs": {"vae": {"node": "load", "output": "vae"}, "latent": {"node": "sample"}},
        },
        "save": {"type": "image.save", "inputs": {"image": {"node": "decode"}}},
    }
    path.write_text(json.dumps({"nodeflow": 1, "nodes": nodes}))
    return path


def test_a_workflow_that_names_a_model_of_the_hub_fetches_it_once_and_runs(
    call: Run, hub: FakeHub, tmp_path: Path, models: Path
) -> None:
    file = workflow(tmp_path / "fish.json", "maker/emoji")
    checked = call("check", file)
    assert checked.returncode == 2
    assert "nodeflow fetch maker/emoji" in checked.stderr
    assert hub.fetched == []

    first = call("run", file)
    assert first.returncode == 0, first.stderr
    assert "Fetching maker/emoji (" in first.stderr
    with Image.open(first.stdout.strip().splitlines()[-1]) as picture:
        assert picture.size == (64, 64)
    place = models / "checkpoints" / "maker"
    assert sorted(path.name for path in place.iterdir()) == ["emoji"]
    found = {p.relative_to(place / "emoji").as_posix() for p in place.rglob("*") if p.is_file()}
    wanted = {p.relative_to(MODEL).as_posix() for p in MODEL.rglob("*") if p.is_file()}
    assert found == wanted - {"README.md"}, found ^ wanted
    assert len(hub.fetched) == len(found)

    again = call("run", file, "--no-cache", HF_HUB_OFFLINE="1")
    assert again.returncode == 0, again.stderr
    assert len(hub.fetched) == len(found)


def test_a_model_with_only_the_newer_index_is_fetched_with_all_that_its_parts_read(
    call: Run, models: Path
) -> None:
    said = call("fetch", "maker/new")
    assert said.returncode == 0, said.stderr
    place = models / "checkpoints" / "maker" / "new"
    assert {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()} == MODULAR


def test_a_variant_that_is_not_there_is_refused_and_nothing_is_fetched(
    call: Run, hub: FakeHub
) -> None:
    said = call("fetch", "maker/emoji", "--variant", "fp99")
    assert said.returncode == 2
    assert "maker/emoji has no variant 'fp99'; leave --variant out" in said.stderr
    assert hub.fetched == []


def test_a_variant_of_a_single_file_has_no_effect_and_that_is_said(call: Run, models: Path) -> None:
    said = call("fetch", "maker/parts/one.safetensors", "--variant", "fp16")
    assert said.returncode == 0, said.stderr
    assert "--variant fp16 has no effect: maker/parts/one.safetensors is one file" in said.stderr
    assert "no effect" not in call("fetch", "maker/parts/one.safetensors").stderr
    assert (models / "checkpoints/maker/parts/one.safetensors").read_bytes() == b"one"


def test_a_single_file_goes_where_its_kind_goes(call: Run, models: Path) -> None:
    said = call("fetch", "maker/parts/two.safetensors", "--kind", "loras")
    assert said.returncode == 0, said.stderr
    assert said.stdout == "Workflows call it 'maker/parts/two.safetensors'.\n"
    place = models / "loras" / "maker"
    assert [p for p in place.rglob("*") if p.is_file()] == [place / "parts" / "two.safetensors"]
    assert (place / "parts" / "two.safetensors").read_bytes() == b"two"
    other = call("fetch", "maker/parts/one.safetensors", "--kind", "loras")
    assert other.returncode == 0, other.stderr
    twice = call("fetch", "maker/parts/one.safetensors", "--kind", "loras")
    assert twice.returncode == 0
    assert "is there already" in twice.stderr


def test_a_repository_is_fetched_beside_single_files_of_it(
    call: Run, hub: FakeHub, tmp_path: Path, models: Path
) -> None:
    single = "vae/diffusion_pytorch_model.safetensors"
    assert call("fetch", f"maker/emoji/{single}").returncode == 0
    file = workflow(tmp_path / "fish.json", "maker/emoji")
    place = models / "checkpoints" / "maker" / "emoji"
    unreachable = call("run", file, HF_ENDPOINT="http://127.0.0.1:9")
    assert f"{place} holds single files of 'maker/emoji' only" in unreachable.stderr

    said = call("run", file)
    assert said.returncode == 0, said.stderr
    assert "Fetching maker/emoji (" in said.stderr
    wanted = {p.relative_to(MODEL).as_posix() for p in MODEL.rglob("*") if p.is_file()}
    found = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}
    assert found == wanted - {"README.md"}
    assert [path.name for path in place.parent.iterdir()] == ["emoji"]

    hub.fetched = []
    twice = call("fetch", "maker/emoji")
    assert "is there already" in twice.stderr
    assert hub.fetched == []


def test_what_breaks_off_is_never_taken_for_whole_and_goes_on_later(
    call: Run, hub: FakeHub, models: Path
) -> None:
    hub.broken = {"text_encoder/model.safetensors"}
    said = call("fetch", "maker/emoji", HF_HUB_DOWNLOAD_TIMEOUT="2")
    assert said.returncode == 2
    assert "the download broke off; run the same again, and it goes on from there" in said.stderr
    begun, *told = said.stderr.strip().splitlines()
    assert begun.startswith("Fetching maker/emoji (")
    assert len(told) == 1, said.stderr
    assert hub.url not in said.stderr
    assert not (models / "checkpoints" / "maker" / "emoji").exists()
    listed = json.loads(call("models", "--json").stdout)
    assert all(entry["name"] == "emoji" for entry in listed["checkpoints"])

    hub.broken = set()
    assert call("fetch", "maker/emoji/vae/diffusion_pytorch_model.safetensors").returncode == 0
    hub.fetched = []
    assert call("fetch", "maker/emoji").returncode == 0
    assert "text_encoder/model.safetensors" in hub.fetched
    assert len(hub.fetched) < sum(path.is_file() for path in MODEL.rglob("*"))


def test_what_an_earlier_try_has_left_is_not_taken_for_the_model_if_the_hub_is_lost(
    call: Run, hub: FakeHub, models: Path
) -> None:
    left = models / "checkpoints" / "maker" / ".emoji.part"
    left.mkdir(parents=True)
    (left / "model_index.json").write_bytes((MODEL / "model_index.json").read_bytes())
    hub.lost = {"maker/emoji"}
    said = call("fetch", "maker/emoji")
    assert said.returncode == 2
    assert "the download broke off" in said.stderr
    assert not (models / "checkpoints" / "maker" / "emoji").exists()


@pytest.mark.parametrize(
    ("name", "environment", "says"),
    [
        ("maker/none", {}, "there is no such repository, or it is private"),
        ("maker/parts", {}, "name one of its files: maker/parts/one.safetensors"),
        ("emoji", {}, "'emoji' is no name of the hub; give OWNER/NAME"),
        ("maker/emoji", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE forbids to ask the hub"),
        ("maker/emoji", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "the hub cannot be reached"),
    ],
)
def test_what_cannot_be_fetched_says_why_in_one_line(
    call: Run, name: str, environment: dict[str, str], says: str
) -> None:
    said = call("fetch", name, **environment)
    assert said.returncode == 2
    assert says in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1, said.stderr


def test_terms_and_revisions_are_told(call: Run, hub: FakeHub) -> None:
    missing = call("fetch", "maker/emoji", "--revision", "nowhere")
    assert "there is no such revision" in missing.stderr
    hub.gated = {"maker/emoji"}
    gated = call("fetch", "maker/emoji")
    assert "it wants its terms accepted" in gated.stderr
    assert (missing.returncode, gated.returncode) == (2, 2)


def test_without_a_network_a_run_says_where_it_looked_and_what_to_do(
    call: Run, tmp_path: Path
) -> None:
    file = workflow(tmp_path / "fish.json", "maker/emojis")
    said = call("run", file, HF_ENDPOINT="http://127.0.0.1:9")
    assert said.returncode == 2
    assert "there is no 'maker/emojis' among the checkpoints" in said.stderr
    assert "the hub cannot be reached; connect this machine to the network" in said.stderr
