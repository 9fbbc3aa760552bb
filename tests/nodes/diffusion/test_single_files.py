"""Single files of the real architectures, shrunk: the same latents as diffusers' pipelines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import EulerDiscreteScheduler
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.latents import decode, encode_image
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.samplers.euler import euler
from nodeflow_nodes.diffusion.text import encode_text, size_conditioning

from nodeflow import Device, Image, Latent, ModelMemory
from tests.nodes.diffusion.hearing import guided_by
from tests.nodes.diffusion.samplers.conftest import forgiving_numpy
from tests.nodes.diffusion.side_by_side import NEGATIVE, PROMPT, SCHEDULERS, SIDE, ours, theirs


@pytest.mark.parametrize("kind", ["1", "2", "xl"])
@pytest.mark.parametrize(("sampler", "scheduler", "config"), SCHEDULERS)
def test_a_file_in_the_original_layout_draws_what_its_pipeline_draws(
    files: dict[str, Path],
    pipes: dict[str, Any],
    memory: ModelMemory,
    kind: str,
    sampler: Callable[..., torch.Tensor],
    scheduler: type[Any],
    config: dict[str, Any],
) -> None:
    with forgiving_numpy():
        reference = scheduler.from_config(pipes[kind].scheduler.config, **config)
    expected = theirs(pipes[kind], reference, 5.0)
    found = ours(load_model(files[kind]), memory, sampler, reference, 5.0)
    assert expected.std() > 0.1
    assert float((found - expected).abs().max()) <= 1e-4


@pytest.mark.parametrize(
    "sizes", [{}, {"width": 512, "height": 384, "crop_left": 8, "crop_top": 16}]
)
def test_sizes_are_told_to_the_xl_network(
    files: dict[str, Path], pipes: dict[str, Any], memory: ModelMemory, sizes: dict[str, Any]
) -> None:
    reference = EulerDiscreteScheduler.from_config(pipes["xl"].scheduler.config)
    told: dict[str, Any] = {}
    if sizes:
        told = {"original_size": (384, 512), "crops_coords_top_left": (16, 8)}
        told |= {"negative_original_size": (384, 512), "negative_crops_coords_top_left": (16, 8)}
        told |= {"target_size": (SIDE, SIDE), "negative_target_size": (SIDE, SIDE)}
    expected = theirs(pipes["xl"], reference, 5.0, **told)
    found = ours(load_model(files["xl"]), memory, euler, reference, 5.0, **sizes)
    assert float((found - expected).abs().max()) <= 1e-4


@pytest.mark.parametrize("kind", ["xl", "refiner"])
@pytest.mark.parametrize(("sampler", "scheduler", "config"), SCHEDULERS)
@pytest.mark.parametrize("as_folder", [False, True])
def test_image_to_image_of_xl_and_its_refiner(
    files: dict[str, Path],
    pipes: dict[str, Any],
    tmp_path: Path,
    kind: str,
    sampler: Callable[..., torch.Tensor],
    scheduler: type[Any],
    config: dict[str, Any],
    as_folder: bool,
) -> None:
    from diffusers import StableDiffusionXLImg2ImgPipeline

    pipe = pipes[kind]
    if kind == "xl":
        pipe = StableDiffusionXLImg2ImgPipeline(**pipe.components, add_watermarker=False)
    place = files[kind]
    if as_folder:
        place = tmp_path / "model"
        pipe.save_pretrained(place)
    with forgiving_numpy():
        reference = scheduler.from_config(pipe.scheduler.config, **config)
    latent = torch.randn(1, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(5))
    expected = theirs(pipe, reference, 4.0, image=latent, strength=0.5)
    found = ours(load_model(place), ModelMemory(), sampler, reference, 4.0, latent, first=3)
    assert float((found - expected).abs().max()) <= 1e-4


@pytest.mark.parametrize("kind", ["1", "2", "xl", "refiner"])
def test_the_autoencoder_of_a_file_is_that_of_the_pipeline(
    files: dict[str, Path], pipes: dict[str, Any], memory: ModelMemory, kind: str
) -> None:
    picture = Image(torch.rand(1, 32, 48, 3, generator=torch.Generator().manual_seed(1)))
    vae = load_model(files[kind]).vae
    latent = encode_image(vae, picture, models=memory, device=Device())
    with torch.no_grad():
        expected = pipes[kind].vae.encode(picture.movedim(-1, 1) * 2 - 1).latent_dist.mean
        pixels = pipes[kind].vae.decode(expected).sample / 2 + 0.5
    assert torch.allclose(latent.samples, expected, atol=1e-5)
    again = decode(vae, Latent(expected), models=memory, device=Device())
    assert torch.allclose(again, pixels.clamp(0, 1).movedim(1, -1), atol=1e-5)


def test_prompts_pools_and_sizes_all_count(files: dict[str, Path], memory: ModelMemory) -> None:
    """What the comparisons rest on: prompts and numbers change what the XL network gives."""
    model, device = load_model(files["xl"]), Device()
    network = parts.denoiser(model.model, memory, device)
    prompt = encode_text(model.text_encoder, PROMPT, models=memory, device=device)
    other = encode_text(model.text_encoder, NEGATIVE, models=memory, device=device)
    variants = [
        prompt,
        other,
        size_conditioning(prompt, width=16),
        replace(prompt, pooled=other.pooled),
    ]
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    found = [guided_by(network, variant, prompt, 1.0, x)(x, 3.0) for variant in variants]
    assert all(float((a - b).abs().max()) > 1e-3 for a, b in pairwise(found))
