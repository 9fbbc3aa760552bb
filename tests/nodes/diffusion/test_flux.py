"""Flux 1, shrunk: the same latents as diffusers' pipeline, from folders and files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    FluxImg2ImgPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
    UniPCMultistepScheduler,
)
from diffusers.loaders.single_file_utils import convert_flux_transformer_checkpoint_to_diffusers
from nodeflow_nodes.diffusion import hooks, parts
from nodeflow_nodes.diffusion.families.family import Weakening
from nodeflow_nodes.diffusion.families.flux_names import flux_state
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.latents import decode
from nodeflow_nodes.diffusion.load import load_denoiser, load_model, load_text_encoder
from nodeflow_nodes.diffusion.samplers.euler import euler
from nodeflow_nodes.diffusion.samplers.methods import METHODS, MethodName
from nodeflow_nodes.diffusion.text import distilled_guidance, encode_text
from nodeflow_nodes.diffusion.voices import prompt_batch

from nodeflow import Device, InputError, Latent, ModelMemory
from tests.nodes.diffusion import tiny_flow_models
from tests.nodes.diffusion.original_layout import plain_clip
from tests.nodes.diffusion.samplers.conftest import AskedAt, forgiving_numpy
from tests.nodes.diffusion.tiny_flow_models import make_flux, original_flux, t5_state
from tests.nodes.diffusion.tiny_models import save

PROMPT, NEGATIVE = "a red apple on a table", "pale"
SIDE, STEPS, DEVICE = 64, 5, Device()
NOISE = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(7))


@pytest.fixture(scope="module")
def pipes() -> dict[str, Any]:
    return {kind: make_flux(kind) for kind in ("dev", "schnell")}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, pipes: dict[str, Any]) -> Path:
    """A folder and separate files of each kind, as other tools lay them out."""
    found = tmp_path_factory.mktemp("models")
    for kind, pipe in pipes.items():
        pipe.save_pretrained(found / kind)
        network = original_flux(pipe.transformer.state_dict())
        save(network, found / f"{kind}.safetensors")
        save(tiny_flow_models.flux_state(pipe), found / f"{kind}_whole.safetensors")
        save(plain_clip(pipe.text_encoder.state_dict()), found / f"{kind}_clip_l.safetensors")
        save(t5_state(pipe.text_encoder_2), found / f"{kind}_t5xxl.safetensors")
    shutil.copy(found / "dev" / "tokenizer_2" / "tokenizer.json", found)
    return found


def parts_of(root: Path, kind: str, place: str) -> tuple[Any, Any]:
    if place == "separate":
        encoder = load_text_encoder(
            root / f"{kind}_clip_l.safetensors", root / f"{kind}_t5xxl.safetensors"
        )
        return load_denoiser(root / f"{kind}.safetensors"), encoder
    model = load_model(root / (kind if place == "folder" else f"{kind}_whole.safetensors"))
    return model.model, model.text_encoder


def estimator(
    root: Path,
    kind: str,
    place: str,
    memory: ModelMemory,
    guidance: float,
    true: float,
    scheduler: Any = None,
) -> tuple[Any, Callable[[torch.Tensor, float], torch.Tensor]]:
    model, encoder = parts_of(root, kind, place)
    network: Any = parts.denoiser(model, memory, DEVICE)
    if scheduler is not None:
        network = replace(network, levels=AskedAt.of(network.levels, scheduler, 1e-3))
    batches = []
    for prompt in (PROMPT, NEGATIVE):
        words = encode_text(encoder, prompt, models=memory, device=DEVICE)
        words = distilled_guidance(words, guidance)
        batches.append(prompt_batch("positive", words, network, 1))

    def guided(x: torch.Tensor, sigma: float) -> torch.Tensor:
        yes = network.estimate(x, sigma, batches[0])
        return (
            yes if true == 1 else yes + (true - 1) * (yes - network.estimate(x, sigma, batches[1]))
        )

    return network, guided


def packed(x: torch.Tensor) -> torch.Tensor:
    return FluxPipeline._pack_latents(x, 1, 16, 8, 8)


def unpacked(x: torch.Tensor) -> torch.Tensor:
    return FluxPipeline._unpack_latents(x, SIDE, SIDE, 8)


@pytest.mark.parametrize("place", ["folder", "whole", "separate"])
@pytest.mark.parametrize(("kind", "true"), [("dev", 1.0), ("dev", 2.0), ("schnell", 1.0)])
def test_text_to_image_is_that_of_the_pipeline(
    root: Path, pipes: dict[str, Any], memory: ModelMemory, kind: str, true: float, place: str
) -> None:
    pipe = pipes[kind]
    expected = unpacked(
        pipe(
            PROMPT, negative_prompt=NEGATIVE, true_cfg_scale=true, guidance_scale=4.5,
            num_inference_steps=STEPS, height=SIDE, width=SIDE, latents=packed(NOISE),
            output_type="latent",
        ).images
    )  # fmt: skip
    _, guided = estimator(root, kind, place, memory, 4.5, true)
    found = euler(guided, NOISE, pipe.scheduler.sigmas.tolist())
    assert expected.std() > 0.1
    assert float((found - expected).abs().max()) <= 1e-4


@pytest.mark.parametrize("kind", ["dev", "schnell"])
@pytest.mark.parametrize(
    ("method", "scheduler"),
    [("dpmpp_2m", DPMSolverMultistepScheduler), ("unipc_bh2", UniPCMultistepScheduler)],
)
def test_other_samplers_are_those_of_the_pipeline(
    root: Path,
    pipes: dict[str, Any],
    memory: ModelMemory,
    method: MethodName,
    scheduler: Any,
    kind: str,
) -> None:
    reference = scheduler(
        use_flow_sigmas=True,
        use_dynamic_shifting=True,
        prediction_type="flow_prediction",
        **({"solver_order": 3} if method == "unipc_bh2" else {}),
    )
    pipe = FluxPipeline(**{**pipes[kind].components, "scheduler": reference})
    pipe.set_progress_bar_config(disable=True)
    with forgiving_numpy():
        expected = unpacked(
            pipe(
                PROMPT, guidance_scale=4.5, num_inference_steps=8, height=SIDE, width=SIDE,
                latents=packed(NOISE), output_type="latent",
            ).images
        )  # fmt: skip
    network, guided = estimator(root, kind, "folder", memory, 4.5, 1.0, reference)
    sigmas = reference.sigmas.tolist()
    found = METHODS[method].walk(guided, NOISE, sigmas, (0,), fades=network.levels.fades)
    assert expected.std() > 0.1
    assert float((found - expected).abs().max()) <= 1e-4


def test_image_to_image_is_that_of_the_pipeline(
    root: Path, pipes: dict[str, Any], memory: ModelMemory
) -> None:
    latent = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(5))
    pipe = FluxImg2ImgPipeline(**pipes["dev"].components)
    pipe.set_progress_bar_config(disable=True)
    network, guided = estimator(root, "dev", "folder", memory, 3.5, 1.0)
    expected = pipe(
        PROMPT, image=latent, strength=0.6, guidance_scale=3.5, num_inference_steps=STEPS,
        height=SIDE, width=SIDE, generator=torch.Generator().manual_seed(7), output_type="latent",
    ).images  # fmt: skip
    sigmas = pipe.scheduler.sigmas.tolist()[2:]
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(7))
    found = euler(guided, network.levels.start(latent, noise, sigmas[0]), sigmas)
    assert float((found - unpacked(expected)).abs().max()) <= 1e-4


@pytest.mark.parametrize("place", ["dev", "dev_whole.safetensors"])
def test_pictures_levels_and_facts(
    root: Path, pipes: dict[str, Any], memory: ModelMemory, place: str
) -> None:
    model = load_model(root / place)
    network = parts.denoiser(model.model, memory, DEVICE)
    latent = network.unscaled(NOISE)
    assert torch.allclose(latent, NOISE / 0.3611 + 0.1159)
    with torch.no_grad():
        pixels = pipes["dev"].vae.decode(latent).sample
    found = decode(model.vae, Latent(latent), models=memory, device=DEVICE)
    assert torch.allclose(found, (pixels / 2 + 0.5).clamp(0, 1).movedim(1, -1), atol=1e-5)
    assert len(network.levels.table) == 10000
    assert network.levels.t(0.25) == pytest.approx(0.25)
    facts = hooks.model_facts(root / place)["model"]
    assert (facts["family"], facts["channels"], facts["downscale"]) == ("flux", 16, 8)


def test_names_are_those_of_diffusers_own_conversion() -> None:
    """It knows the full width only, and looks at rows alone: one column is enough."""
    state = {
        name: torch.randn(rows, 1) if rows != 128 else torch.randn(rows)
        for name, rows in full_size_rows().items()
    }
    convert: Any = convert_flux_transformer_checkpoint_to_diffusers
    expected = convert(dict(state))
    found = flux_state(state)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def full_size_rows() -> dict[str, int]:
    with torch.device("meta"):
        network = FluxTransformer2DModel(num_layers=2, num_single_layers=2, guidance_embeds=True)
    return {name: len(tensor) for name, tensor in original_flux(network.state_dict()).items()}


def test_a_network_that_follows_edges_is_refused(
    root: Path, tmp_path: Path, pipes: dict[str, Any]
) -> None:
    state = original_flux(pipes["dev"].transformer.state_dict())
    state["img_in.weight"] = torch.zeros(64, 128)
    file = save(state, tmp_path / "canny.safetensors")
    with pytest.raises(InputError, match=r"takes .*128.* only models that draw from text or fill"):
        inspect_model(file)


def test_single_blocks_may_be_skipped_too(root: Path, memory: ModelMemory) -> None:
    network, guided = estimator(root, "dev", "folder", memory, 3.5, 1.0)
    before = guided(NOISE, 0.5)
    for layer in (1, 3):
        with network.weakened(Weakening(layers=(layer,))):
            assert not torch.allclose(guided(NOISE, 0.5), before, atol=1e-3)
    assert torch.equal(guided(NOISE, 0.5), before)
