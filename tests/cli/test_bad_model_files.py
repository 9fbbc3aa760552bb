"""Model files as people have them, broken, foreign or half there: what `check` and `models` say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
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


def link(source: str) -> dict[str, str]:
    node, output = source.split(".")
    return {"node": node, "output": output}


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"type": kind, "inputs": inputs}


BASE = {
    "load": node(LOAD, file="emoji"),
    "prompt": node("diffusion.encode_text", encoder=link("load.text_encoder"), text="a cat"),
    "empty": node("diffusion.empty_latent", model=link("load.model"), width=64, height=64),
    "picture": node("image.load", file="picture.png"),
}
PROMPTS = {"positive": link("prompt.conditioning"), "negative": link("prompt.conditioning")}
FLUX_LORA = {
    "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": torch.zeros(4, 64),
    "transformer.single_transformer_blocks.0.attn.to_q.lora_B.weight": torch.zeros(64, 4),
}
XL_ADAPTER = {
    "image_proj.proj.weight": torch.zeros(4 * 2048, 8),
    "ip_adapter.1.to_k_ip.weight": torch.zeros(640, 2048),
}
SD3_CONTROL = {
    "controlnet_blocks.0.weight": torch.zeros(4, 4),
    "pos_embed_input.proj.weight": torch.zeros(4, 16, 2, 2),
}
SD_AUTOENCODER = {
    "decoder.conv_in.weight": torch.zeros(8, 4, 3, 3),
    "encoder.conv_in.weight": torch.zeros(8, 3, 3, 3),
}
FOREIGN: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "a LoRA": (
        "loras",
        FLUX_LORA,
        {
            "mine": node(
                "diffusion.load_lora",
                model=link("load.model"),
                text_encoder=link("load.text_encoder"),
                file="x.safetensors",
            )
        },
        "is for models of the family flux, and this one is of stable_diffusion; choose a LoRA of",
    ),
    "a ControlNet": (
        "controlnet",
        SD3_CONTROL,
        {
            "open": node("diffusion.load_controlnet", file="x.safetensors"),
            "mine": node(
                "diffusion.apply_controlnet",
                controlnet=link("open.controlnet"),
                image=link("picture.image"),
                **PROMPTS,
            ),
        },
        "is for the family stable_diffusion_3, and the positive prompt is for stable_diffusion; "
        "choose another control network, of the model",
    ),
    "an autoencoder": (
        "vae",
        SD_AUTOENCODER,
        {
            "open": node("diffusion.load_vae", file="x.safetensors"),
            "mine": node(
                "diffusion.decode", vae=link("open.vae"), latent=link("empty.latent")
            ),
        },
        "takes 4; use the parts of one model for both",
    ),
    "an embedding": (
        "embeddings",
        {"emb_params": torch.zeros(2, 768)},
        {
            "mine": node(
                "diffusion.load_embedding",
                text_encoder=link("load.text_encoder"),
                file="x.safetensors",
            )
        },
        "has vectors of width 768, and the text encoder makes 256; choose one for the model",
    ),
    "an IP-Adapter": (
        "ipadapter",
        XL_ADAPTER,
        {
            "open": node("diffusion.load_ip_adapter", file="x.safetensors"),
            "see": node("diffusion.load_clip_vision", file="h.safetensors"),
            "mine": node(
                "diffusion.apply_ip_adapter",
                ip_adapter=link("open.ip_adapter"),
                clip_vision=link("see.clip_vision"),
                images=[link("picture.image")],
                **PROMPTS,
            ),
        },
        "is for the family stable_diffusion_xl, and the positive prompt is for stable_diffusion; "
        "choose another IP-Adapter, of the model",
    ),
}  # fmt: skip


@pytest.fixture
def check_with(
    models: Path, nodeflow: Nodeflow, tmp_path: Path
) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """Errors of a workflow with the embedded model and some nodes more."""

    def call(nodes: dict[str, Any]) -> list[dict[str, Any]]:
        inputs = tmp_path / "data" / "inputs"
        inputs.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (64, 64)).save(inputs / "picture.png")
        encoder = {
            "vision_model.embeddings.class_embedding": torch.zeros(8),
            "visual_projection.weight": torch.zeros(8, 8),
        }
        (models / "clip_vision").mkdir(parents=True, exist_ok=True)
        (models / "clip_vision" / "h.safetensors").write_bytes(save(encoder))
        workflow = tmp_path / "workflow.json"
        workflow.write_text(json.dumps({"nodeflow": 1, "nodes": BASE | nodes}))
        (told,) = json.loads(nodeflow("check", workflow, "--json").out)
        return [problem for problem in told["problems"] if problem["severity"] == "error"]

    return call


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_for_another_family_is_said_before_the_run_with_node_and_file(
    models: Path, check_with: Any, what: str
) -> None:
    kind, state, nodes, says = FOREIGN[what]
    file = models / kind / "x.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(save(state))
    (problem,) = check_with(nodes)
    assert (problem["code"], problem["node"]) == ("check_failed", "mine")
    assert str(file) in problem["sentence"]
    assert says in problem["sentence"]


KINDS = ("loras", "controlnet", "vae", "embeddings", "ipadapter", "diffusion_models")
BROKEN = {
    "zero.safetensors": (b"", "is empty; fetch the file again"),
    "magic.safetensors": (b"GARBAGE!" * 9, "is not a whole safetensors file"),
    "lies.safetensors": ((2**40).to_bytes(8, "little") + bytes(99), "says that its header is"),
    "cut.safetensors": (save(FLUX_LORA)[:-1], "are truncated"),
    "page.safetensors": (b"<!DOCTYPE html><html></html>", "is not a whole safetensors file"),
    "foreign.safetensors": (save(weights()), "it holds 8 tensors, such as"),
}


def test_settings_in_a_loras_header_that_are_no_json_are_told(models: Path, listed: Any) -> None:
    (models / "loras").mkdir(parents=True)
    odd = save(FLUX_LORA, {"lora_adapter_metadata": "{"})
    (models / "loras" / "odd.safetensors").write_bytes(odd)
    problem = listed("loras", "odd.safetensors")["problem"]
    assert "odd.safetensors has settings in its header that are not JSON" in problem


def test_whatever_is_wrong_with_a_file_is_listed_with_it(models: Path, nodeflow: Nodeflow) -> None:
    for kind in KINDS:
        (models / kind).mkdir(parents=True)
        for name, (data, _) in BROKEN.items():
            (models / kind / name).write_bytes(data)
    told = json.loads(nodeflow("models", "--json").out)
    unsaid = [
        (kind, entry)
        for kind in KINDS
        for entry in told[kind]
        if BROKEN[entry["name"]][1] not in entry["problem"] or "; " not in entry["problem"]
    ]
    assert unsaid == []
    assert [len(told[kind]) for kind in KINDS] == [len(BROKEN)] * len(KINDS)
