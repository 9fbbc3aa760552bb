"""The catalog of models, with files as people have them: whole, broken, twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny

from nodeflow.keys import FileDigests
from nodeflow.model_catalog import CatalogEntry, model_catalog
from nodeflow.packs import find_packs
from nodeflow.registry import Registry
from nodeflow.roots import Roots
from tests.nodes.diffusion.adapter_files import make_encoder, write_adapter
from tests.nodes.diffusion.original_layout import original_unet, original_vae, plain_clip, prefixed
from tests.nodes.diffusion.test_preview import original_decoder
from tests.nodes.diffusion.tiny_models import (
    VAE,
    make_control,
    make_pipeline,
    make_unet,
    original_state,
    save,
)
from tests.nodes.upscale.conftest import weights as upscaler


def write_loras(folder: Path) -> None:
    folder.mkdir()
    for name, module, width, dtype in (
        ("wide", "lora_unet_down_blocks_1_attentions_0_attn2_to_k", 2048, torch.float16),
        ("any", "lora_unet_down_blocks_1_attentions_0_attn1_to_k", 64, torch.float32),
        ("flux", "transformer.single_transformer_blocks.0.attn.to_q", 64, torch.bfloat16),
        ("text", "lora_te_text_model_encoder_layers_0_self_attn_q_proj", 64, torch.float32),
    ):
        state = {
            f"{module}.lora_down.weight": torch.zeros(4, width),
            f"{module}.lora_up.weight": torch.zeros(64, 4),
        }
        save(state, folder / f"{name}.safetensors", dtype)


def write_words(folder: Path) -> None:
    folder.mkdir()
    vectors = torch.zeros(2, 768)
    save({"emb_params": vectors}, folder / "one.safetensors")
    save({"clip_l": vectors, "clip_g": torch.zeros(2, 1280)}, folder / "two.safetensors")
    told = {"string_to_param": {"*": torch.nn.Parameter(vectors.half())}, "name": "cat", "step": 9}
    torch.save(told, folder / "one.pt")
    torch.save({"<cat>": vectors}, folder / "old.pt", _use_new_zipfile_serialization=False)


def write_tiny_decoders(folder: Path) -> None:
    (folder / "taesdxl").mkdir(parents=True)
    four, sixteen = (AutoencoderTiny(latent_channels=count).state_dict() for count in (4, 16))
    torch.save(original_decoder(four), folder / "taesd_decoder.pth")
    save(four, folder / "taesdxl" / "diffusion_pytorch_model.safetensors", torch.float16)
    save(original_decoder(sixteen), folder / "taef1_decoder.safetensors", torch.bfloat16)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    place = tmp_path_factory.mktemp("models")
    checkpoints = place / "checkpoints"
    checkpoints.mkdir()
    pipe = make_pipeline("1")
    save(original_state("1", pipe), checkpoints / "half.safetensors", torch.float16)
    shutil.copyfile(checkpoints / "half.safetensors", checkpoints / "again.safetensors")
    save(original_state("xl", make_pipeline("xl")), checkpoints / "xl.safetensors", torch.bfloat16)
    shutil.copytree(folder, checkpoints / "folder")
    network = original_unet(make_unet("2", cross_attention_dim=1024).state_dict(), 1)
    save(prefixed("model.diffusion_model.", network), checkpoints / "known.safetensors")
    whole = (checkpoints / "half.safetensors").read_bytes()
    (checkpoints / "cut.safetensors").write_bytes(whole[:-10])
    (checkpoints / "notes.txt").write_text("not a model")
    os.mkfifo(checkpoints / "pipe.safetensors")
    (place / "vae").mkdir()
    vae = {
        name.removeprefix("first_stage_model."): tensor
        for name, tensor in original_state("1", pipe).items()
        if name.startswith("first_stage_model.")
    }
    save(vae, place / "vae" / "mine.safetensors")
    sixteen = AutoencoderKL(**VAE, latent_channels=16).state_dict()
    save(original_vae(sixteen), place / "vae" / "sixteen.safetensors", torch.float16)
    (place / "controlnet").mkdir()
    control = make_control(pipe.unet).state_dict()
    save(control, place / "controlnet" / "edges.safetensors", torch.float16)
    (place / "text_encoders").mkdir()
    clip = plain_clip(pipe.text_encoder.state_dict())
    save(clip, place / "text_encoders" / "clip.safetensors", torch.bfloat16)
    write_loras(place / "loras")
    write_words(place / "embeddings")
    write_tiny_decoders(place / "vae_approx")
    (place / "upscalers").mkdir()
    torch.save({"params": upscaler()}, place / "upscalers" / "theirs.pth")
    (place / "clip_vision").mkdir()
    save(make_encoder().state_dict(), place / "clip_vision" / "h.safetensors", torch.float16)
    (place / "ipadapter").mkdir()
    adapter = {
        "image_proj": {"proj.weight": torch.zeros(4 * 2048, 8)},
        "ip_adapter": {"1.to_k_ip.weight": torch.zeros(640, 2048)},
    }
    write_adapter(adapter, place / "ipadapter" / "faces.bin")
    return place


@pytest.fixture(scope="module")
def entries(place: Path) -> dict[str, CatalogEntry]:
    registry = Registry.discover(find_packs([]), None)
    roots = Roots.of([place], place / "inputs", [], anywhere=False)
    found = model_catalog(registry, roots, roots.folders, FileDigests())
    return {f"{entry.kind}/{entry.name}": entry for entry in found}


@pytest.mark.parametrize(
    ("name", "family", "precision"),
    [
        ("checkpoints/half.safetensors", "stable_diffusion", "fp16"),
        ("checkpoints/xl.safetensors", "stable_diffusion_xl", "bf16"),
        ("checkpoints/folder", "stable_diffusion", "fp32"),
        ("vae/mine.safetensors", "stable_diffusion or stable_diffusion_xl", "fp32"),
        ("vae/sixteen.safetensors", "flux or stable_diffusion_3", "fp16"),
        ("text_encoders/clip.safetensors", "stable_diffusion", "bf16"),
        ("loras/wide.safetensors", "stable_diffusion_xl", "fp16"),
        ("loras/any.safetensors", "stable_diffusion or stable_diffusion_xl", "fp32"),
        ("loras/flux.safetensors", "flux", "bf16"),
        ("loras/text.safetensors", "", "fp32"),
        ("controlnet/edges.safetensors", "stable_diffusion", "fp16"),
        ("embeddings/one.safetensors", "stable_diffusion", "fp32"),
        ("embeddings/one.pt", "stable_diffusion", "fp16"),
        ("embeddings/old.pt", "stable_diffusion", "fp32"),
        ("embeddings/two.safetensors", "stable_diffusion_3 or stable_diffusion_xl", "fp32"),
        ("vae_approx/taesd_decoder.pth", "stable_diffusion or stable_diffusion_xl", "fp32"),
        (
            "vae_approx/taesdxl/diffusion_pytorch_model.safetensors",
            "stable_diffusion or stable_diffusion_xl",
            "fp16",
        ),
        ("vae_approx/taef1_decoder.safetensors", "flux or stable_diffusion_3", "bf16"),
        ("upscalers/theirs.pth", "RealESRGAN Compact", "fp32"),
        ("clip_vision/h.safetensors", "", "fp16"),
        ("ipadapter/faces.bin", "stable_diffusion_xl", "fp32"),
    ],
)
def test_family_and_precision_come_from_the_file(
    entries: dict[str, CatalogEntry], name: str, family: str, precision: str
) -> None:
    entry = entries[name]
    assert (entry.family, entry.precision, entry.problem) == (family, precision, "")
    assert entry.size > 0


def test_models_are_called_what_people_call_them(entries: dict[str, CatalogEntry]) -> None:
    # One file is as wide as what was published, and one is not.
    assert entries["checkpoints/known.safetensors"].title == "Stable Diffusion 2"
    assert entries["checkpoints/known.safetensors"].family == "stable_diffusion"
    assert entries["checkpoints/half.safetensors"].title == ""


def test_a_broken_file_says_so_and_hides_none(entries: dict[str, CatalogEntry]) -> None:
    assert "cut.safetensors are truncated" in entries["checkpoints/cut.safetensors"].problem
    assert len([name for name in entries if name.startswith("checkpoints/")]) == 6


def test_what_is_no_model_is_no_entry(entries: dict[str, CatalogEntry]) -> None:
    assert not [name for name in entries if name.endswith(("notes.txt", "pipe.safetensors"))]


def test_files_of_the_same_content_are_told(entries: dict[str, CatalogEntry]) -> None:
    first, second = (entries[f"checkpoints/{n}.safetensors"] for n in ("again", "half"))
    assert first.digest == second.digest != ""
    assert (first.same_as, second.same_as) == (("half.safetensors",), ("again.safetensors",))
    # What has a size of its own is not read for it.
    assert entries["checkpoints/xl.safetensors"].digest == ""
