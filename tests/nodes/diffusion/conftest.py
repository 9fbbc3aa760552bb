"""Tiny Stable Diffusion models: the real architecture, random weights, made once a session."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from tokenizers import pre_tokenizers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from nodeflow import Device, ModelMemory
from tests.nodes.diffusion import tiny_models
from tests.nodes.diffusion.tiny_flow_models import flux_state, make_flux, make_sd3, sd3_state

diffusers_logging.disable_progress_bar()

POSITIONS = 16


def make_tokenizer() -> CLIPTokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("r", "e"), ("re", "d</w>"), ("a", "p"), ("ap", "p"), ("l", "e</w>")]
    marks = ["<|startoftext|>", "<|endoftext|>"]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges), *marks]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=POSITIONS)


def make_pipeline() -> StableDiffusionPipeline:
    torch.manual_seed(0)
    tokenizer = make_tokenizer()
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=POSITIONS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    # Larger than its usual start, so that prompts, and their weights, make a difference.
    text_encoder.embeddings.token_embedding.weight.data.mul_(50)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=0.5,
        sample_size=64,
    )
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    return StableDiffusionPipeline(
        unet=unet.eval(),
        vae=vae.eval(),
        text_encoder=text_encoder.eval(),
        tokenizer=tokenizer,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def set_config(folder: Path, name: str, **values: object) -> None:
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors this small take longer to share out than to compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def pipeline() -> StableDiffusionPipeline:
    return make_pipeline()


@pytest.fixture(scope="session")
def folders(
    tmp_path_factory: pytest.TempPathFactory, pipeline: StableDiffusionPipeline
) -> dict[str, Path]:
    """The tiny model twice: said to predict the noise, and said to predict the velocity."""
    root = tmp_path_factory.mktemp("checkpoints")
    pipeline.save_pretrained(root / "epsilon")
    shutil.copytree(root / "epsilon", root / "v_prediction")
    set_config(
        root / "v_prediction", "scheduler/scheduler_config.json", prediction_type="v_prediction"
    )
    return {name: root / name for name in ("epsilon", "v_prediction")}


@pytest.fixture(scope="session")
def folder(folders: dict[str, Path]) -> Path:
    return folders["epsilon"]


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model for a test to break."""
    return Path(shutil.copytree(folder, tmp_path / "model"))


@pytest.fixture(scope="session")
def models() -> ModelMemory:
    return ModelMemory()


@pytest.fixture(scope="module")
def memory() -> ModelMemory:
    """One for each file of tests, without what others have loaded."""
    return ModelMemory()


@pytest.fixture(scope="session")
def device() -> Device:
    return Device()


@pytest.fixture(scope="session")
def loaded(folder: Path) -> LoadedModel:
    return load_model(folder)


@pytest.fixture
def change() -> Callable[..., None]:
    """Changes values of a JSON file: `change(folder, "vae/config.json", latent_channels=8)`."""
    return set_config


@pytest.fixture(scope="session")
def pipes() -> dict[str, Any]:
    """Diffusers' pipelines for Stable Diffusion 1, 2, XL and its refiner, shrunk; who changes one
    puts it back."""
    found = {kind: tiny_models.make_pipeline(kind) for kind in tiny_models.KINDS}
    for pipe in found.values():
        pipe.set_progress_bar_config(disable=True)
    return found


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, pipes: dict[str, Any]) -> dict[str, Path]:
    """The same as single files in the original layout."""
    folder = tmp_path_factory.mktemp("files")
    return {
        kind: tiny_models.save(
            tiny_models.original_state(kind, pipe), folder / f"{kind}.safetensors"
        )
        for kind, pipe in pipes.items()
    }


@pytest.fixture(scope="session")
def opened(files: dict[str, Path]) -> dict[str, LoadedModel]:
    """The files as `load_model` gives them."""
    return {kind: load_model(file) for kind, file in files.items()}


@pytest.fixture(scope="session")
def flow_pipes() -> dict[str, Any]:
    """The same for Flux and Stable Diffusion 3, without the latter's projection of what the first
    CLIP pools, as its original code has it."""
    made = {"flux": make_flux("dev"), "sd3": make_sd3()}
    made["sd3"].text_encoder.text_projection.weight.data.copy_(torch.eye(64))
    for pipe in made.values():
        pipe.set_progress_bar_config(disable=True)
        # The pipelines draw the latents of control pictures; they are given nothing to draw from.
        last = pipe.vae.encoder.conv_out
        last.weight.data[16:], last.bias.data[16:] = 0.0, -30.0
    return made


@pytest.fixture(scope="session")
def flow_opened(
    tmp_path_factory: pytest.TempPathFactory, flow_pipes: dict[str, Any]
) -> dict[str, LoadedModel]:
    """Their single files, as `load_model` gives them."""
    found = {}
    for kind, pipe in flow_pipes.items():
        folder = tmp_path_factory.mktemp(kind)
        (pipe.tokenizer_2 if kind == "flux" else pipe.tokenizer_3).save_pretrained(folder)
        state = flux_state(pipe) if kind == "flux" else sd3_state(pipe)
        found[kind] = load_model(tiny_models.save(state, folder / f"{kind}.safetensors"))
    return found
