"""Folders of models that run by diffusers' own pipelines: what is wrong is said."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.guiders import guider
from nodeflow_nodes.diffusion.hooks import model_facts
from nodeflow_nodes.diffusion.latents import empty_latent, encode_image
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.sampling_advanced import sample_advanced

from nodeflow import (
    Conditioning,
    Image,
    InputError,
    ModelMemory,
)
from nodeflow.roots import Roots
from tests.nodes.diffusion.modular_walks import (
    DEVICE,
    SIDE,
    silent,
    walked,
)


def test_a_folder_with_a_modular_index_alone_is_read(made: Any, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made("z_image")[0], tmp_path / "checkpoints" / "model"))
    old = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").unlink()
    parts = {
        name: [
            *entry,
            {"type_hint": entry, "subfolder": name, "pretrained_model_name_or_path": "a/b"},
        ]
        for name, entry in old.items()
        if isinstance(entry, list)
    }
    index = {"_class_name": "ZImageModularPipeline", "_blocks_class_name": "ZImageAutoBlocks"}
    (folder / "modular_model_index.json").write_text(json.dumps(index | parts))
    assert Roots({"checkpoints": (folder.parent,)}).files("checkpoints") == ["model"]
    memory, model = ModelMemory(), load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)
    assert walked(model, latent, [1.0, 0.5, 0.0], 3.0, memory).isfinite().all()
    shutil.rmtree(folder / "vae")
    with pytest.raises(InputError, match=r"lacks the part 'vae'.* takes it from a/b"):
        model_facts(folder)


@pytest.fixture
def broken(made: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made("z_image")[0], tmp_path / "model"))


def test_a_missing_part_is_said_before_the_run(broken: Path) -> None:
    shutil.rmtree(broken / "vae")
    with pytest.raises(InputError, match=r"lacks the part 'vae', a AutoencoderKL; put it into"):
        model_facts(broken)


def test_missing_weights_are_said_before_the_run(broken: Path) -> None:
    (broken / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InputError, match=r"diffusion_pytorch_model\.safetensors are missing"):
        model_facts(broken)


def test_a_missing_vocabulary_is_said_before_the_run(broken: Path) -> None:
    (broken / "tokenizer" / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"lacks the vocabulary of 'tokenizer' .*tokenizer\.json"):
        model_facts(broken)


def test_code_that_a_model_brings_is_not_run(broken: Path) -> None:
    index = broken / "model_index.json"
    parts = json.loads(index.read_text()) | {"vae": ["my_autoencoder", "Vae"]}
    index.write_text(json.dumps(parts))
    with pytest.raises(InputError, match="takes its part 'vae' from 'my_autoencoder'"):
        model_facts(broken)


def test_a_pipeline_that_diffusers_has_no_blocks_for_is_said(broken: Path) -> None:
    index = broken / "model_index.json"
    parts = json.loads(index.read_text()) | {"_class_name": "StableAudioPipeline"}
    index.write_text(json.dumps(parts))
    with pytest.raises(InputError, match="'StableAudioPipeline', which neither a family"):
        model_facts(broken)


@pytest.mark.parametrize(
    ("kind", "size", "sentence"),
    [
        ("z_image", {"width": SIDE, "height": SIDE, "frames": 5}, "has no 5 frames; take 1"),
        ("wan", {"width": SIDE, "height": SIDE, "frames": 7}, "not of 7; take 5 or 9"),
        ("wan", {"width": SIDE, "height": 60}, "height 60 is not a multiple of 16"),
    ],
)
def test_sizes_that_a_model_does_not_make_are_said(
    kind: str, size: dict[str, int], sentence: str, made: Any
) -> None:
    with pytest.raises(InputError, match=sentence):
        empty_latent(load_model(made(kind)[0]).model, **size)


@pytest.mark.parametrize(
    ("kind", "multiple"),
    [
        ("z_image", 16),
        ("wan", 16),
        ("qwen_image", 16),
        ("flux_kontext", 16),
        ("ideogram", 16),
        ("flux_2", 16),
        ("ltx", 32),
    ],
)
def test_sides_are_of_whole_tokens(kind: str, multiple: int, made: Any) -> None:
    model, side = load_model(made(kind)[0]).model, 64 + multiple // 2
    sentence = f"width {side} is not a multiple of {multiple}, .* take 64 or {64 + multiple}"
    with pytest.raises(InputError, match=sentence):
        empty_latent(model, side, 64)
    wide = empty_latent(model, 64 + multiple, 64)
    assert wide.samples.shape[-1] * wide.downscale == 64 + multiple


@pytest.mark.parametrize("kind", ["z_image", "qwen_image", "wan"])
def test_pictures_and_latents_of_half_tokens_are_said(
    kind: str, made: Any, memory: ModelMemory
) -> None:
    model = load_model(made(kind)[0])
    sentence = "height 72 is not a multiple of 16, .* take 64 or 80"
    with pytest.raises(InputError, match=sentence):
        encode_image(model.vae, Image(torch.zeros(1, 72, 64, 3)), models=memory, device=DEVICE)
    whole = empty_latent(model.model, 64, 64)
    half = replace(whole, samples=torch.zeros(*whole.samples.shape[:-2], 9, 8))
    with pytest.raises(InputError, match=sentence):
        walked(model, half, [1.0, 0.0], 1.0, memory)


def test_a_prompt_of_another_model_is_said(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("z_image")[0])
    prompt = Conditioning(torch.zeros(1, 4, 32))
    told = guider(model.model, prompt, prompt, guidance=1.0)
    with pytest.raises(InputError, match="the prompt is not for ZImageModularPipeline"):
        sample_advanced(
            told,
            empty_latent(model.model, SIDE, SIDE),
            [1.0, 0.0],
            progress=silent,  # type: ignore[arg-type]
            models=memory,
            device=DEVICE,
        )
