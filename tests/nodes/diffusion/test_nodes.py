"""Every node of the pack, called as the plain function it is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import PIL.Image
import pytest
import torch
from nodeflow_nodes.diffusion import latents, load, parts, sampling, text, tiled_latents
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.samplers.methods import MethodName

from nodeflow import (
    Cancelled,
    Conditioning,
    Device,
    Image,
    InputError,
    Latent,
    ModelMemory,
    NodeflowError,
    Precision,
    Progress,
)
from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED

NODES = [
    load.load_model,
    text.encode_text,
    latents.empty_latent,
    latents.encode_image,
    latents.decode,
    sampling.sample,
]


@pytest.fixture
def draw(loaded: LoadedModel, models: ModelMemory, device: Device) -> Callable[..., Latent]:
    """`sample` with all that a test does not name."""

    def run(**inputs: Any) -> Latent:
        def prompt(words: str) -> Conditioning:
            return text.encode_text(loaded.text_encoder, words, models=models, device=device)

        defaults: dict[str, Any] = {
            "positive": prompt("a red apple"),
            "negative": prompt(""),
            "latent": latents.empty_latent(loaded.model),
            "steps": 4,
            "progress": Progress(),
            "models": models,
            "device": device,
        }
        return sampling.sample(loaded.model, **{**defaults, **inputs})

    return run


@pytest.mark.parametrize("function", NODES)
def test_every_node_and_input_is_described(function: Callable[..., Any]) -> None:
    spec = read_node(function, "diffusion", {socket.of: socket.name for socket in SHARED})
    assert spec.description
    assert [item.name for item in spec.inputs if not item.description] == []


def test_a_model_is_recipes_until_it_is_used(folder: Path) -> None:
    model = load_model(folder)
    assert {recipe.part for recipe in model} == {"denoiser", "text_encoder", "vae"}
    assert {recipe.family for recipe in model} == {"stable_diffusion"}
    assert len({recipe.digest for recipe in model}) == 1


def test_an_empty_latent_is_zeros_of_the_models_kind(loaded: LoadedModel) -> None:
    latent = latents.empty_latent(loaded.model, 48, 32, 3)
    assert torch.equal(latent.samples, torch.zeros(3, 4, 4, 6))
    assert latent.downscale == 8


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_become_latents_and_pictures_again(
    loaded: LoadedModel, models: ModelMemory, device: Device, channels: int
) -> None:
    picture = Image(torch.rand(2, 16, 24, channels))
    latent = latents.encode_image(loaded.vae, picture, models=models, device=device)
    assert latent.samples.shape == (2, 4, 2, 3)
    again = latents.decode(loaded.vae, latent, models=models, device=device)
    assert again.shape == (2, 16, 24, 3)


def test_what_is_transparent_lies_over_white(
    loaded: LoadedModel, models: ModelMemory, device: Device
) -> None:
    clear, white = torch.zeros(1, 16, 16, 4), torch.ones(1, 16, 16, 3)
    found, expected = (
        latents.encode_image(loaded.vae, Image(picture), models=models, device=device).samples
        for picture in (clear, white)
    )
    assert torch.equal(found, expected)


def test_a_sampled_latent_follows_the_seed(
    loaded: LoadedModel, models: ModelMemory, device: Device
) -> None:
    picture = Image(torch.rand(1, 16, 16, 3))

    def encode(**inputs: Any) -> torch.Tensor:
        return latents.encode_image(
            loaded.vae, picture, models=models, device=device, **inputs
        ).samples

    assert torch.equal(encode(), encode(seed=5))
    assert torch.equal(encode(sample=True, seed=1), encode(sample=True, seed=1))
    assert not torch.allclose(encode(sample=True, seed=1), encode(sample=True, seed=2))


def test_a_picture_between_latent_pixels_is_refused(
    loaded: LoadedModel, models: ModelMemory, device: Device
) -> None:
    with pytest.raises(InputError, match="width 20 is not a multiple of 8"):
        latents.encode_image(
            loaded.vae, Image(torch.rand(1, 16, 20, 3)), models=models, device=device
        )


def test_a_latent_of_another_kind_is_refused(
    loaded: LoadedModel, models: ModelMemory, device: Device, draw: Callable[..., Latent]
) -> None:
    other = Latent(torch.zeros(1, 16, 8, 8))
    with pytest.raises(InputError, match="latent has channels 16, and the autoencoder takes 4"):
        latents.decode(loaded.vae, other, models=models, device=device)
    with pytest.raises(InputError, match="latent has channels 16, and the model takes 4"):
        draw(latent=other)
    with pytest.raises(InputError, match="latent has downscale 4"):
        draw(latent=Latent(torch.zeros(1, 4, 8, 8), downscale=4))


@pytest.mark.parametrize("method", get_args(MethodName))
def test_each_method_draws_and_the_seed_decides(
    draw: Callable[..., Latent], method: MethodName
) -> None:
    first, again, other = (draw(method=method, seed=seed).samples for seed in (1, 1, 2))
    assert first.shape == (1, 4, 8, 8)
    assert bool(first.isfinite().all())
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_sampling_leaves_its_inputs_alone(draw: Callable[..., Latent]) -> None:
    latent = Latent(torch.ones(2, 4, 8, 8))
    draw(latent=latent, denoise=0.5)
    assert torch.equal(latent.samples, torch.ones(2, 4, 8, 8))


def test_less_denoising_stays_closer_to_the_picture(draw: Callable[..., Latent]) -> None:
    latent = Latent(torch.full((1, 4, 8, 8), 3.0))
    far, near = (
        (draw(latent=latent, denoise=d, guidance=1.0).samples - latent.samples).abs().mean()
        for d in (0.9, 0.1)
    )
    assert near < far / 4


def test_a_whole_walk_is_the_sum_of_its_parts(
    draw: Callable[..., Latent], loaded: LoadedModel
) -> None:
    """Euler on `normal`, written out: start, estimate, step, unscale."""
    from nodeflow_nodes.diffusion.families.family import PromptBatch
    from nodeflow_nodes.diffusion.families.stable_diffusion import StableDiffusion
    from nodeflow_nodes.diffusion.schedules import noise_schedule

    network = StableDiffusion().load_denoiser(loaded.model, Device())
    sigmas = noise_schedule("normal", network.levels, 4)
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(6))
    x = noise * math.sqrt(1 + sigmas[0] ** 2)
    clip = StableDiffusion().load_text_model(loaded.text_encoder, Device())
    yes, no = clip.encode("a red apple").hidden, clip.encode("").hidden
    for sigma, sigma_next in pairwise(sigmas):
        cond, uncond = (network.estimate(x, sigma, PromptBatch(hidden)) for hidden in (yes, no))
        denoised = uncond + 3.0 * (cond - uncond)
        x = x + (x - denoised) / sigma * (sigma_next - sigma)
    assert torch.allclose(draw(seed=6, guidance=3.0).samples, x / 0.5, atol=1e-4)


def test_progress_is_told_with_a_preview(draw: Callable[..., Latent]) -> None:
    told: list[tuple[int, int]] = []
    pictures: list[PIL.Image.Image] = []

    def report(step: int, total: int, words: str, preview: Any) -> None:
        told.append((step, total))
        if preview is not None:
            pictures.append(preview())

    draw(progress=Progress(report))
    assert told == [(step, 4) for step in range(5)]
    assert [(p.mode, p.size) for p in pictures] == [("RGB", (64, 64))] * 4


def test_a_cancelled_run_stops_within_a_step(draw: Callable[..., Latent]) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        draw(steps=50, progress=Progress(cancelled=cancelled))
    assert len(asked) == 3


def test_numbers_that_are_not_finite_name_the_step(draw: Callable[..., Latent]) -> None:
    broken = Latent(torch.full((1, 4, 8, 8), math.nan))
    with pytest.raises(NodeflowError, match="step 1 of 4 gave numbers that are not finite") as told:
        draw(latent=broken)
    assert "--precision fp32" not in str(told.value), "it is what was computed in"
    with pytest.raises(NodeflowError, match="run with --precision fp32"):
        draw(latent=broken, device=Device(precision=Precision.BF16))


@pytest.mark.parametrize("first", [2, 3, 4])
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_the_first_step_with_numbers_that_are_not_finite_is_named(
    draw: Callable[..., Latent], loaded: LoadedModel, first: int, number: float
) -> None:
    memory, calls = ModelMemory(), itertools.count(1)
    network = parts.denoiser(loaded.model, memory, Device()).network  # type: ignore[attr-defined]

    def spoil(module: torch.nn.Module, given: Any, output: torch.Tensor) -> torch.Tensor:
        # Both prompts are asked in one call.
        return output.index_fill(-1, torch.tensor([0]), number) if next(calls) >= first else output

    network.conv_out.register_forward_hook(spoil)
    told: list[int] = []
    progress = Progress(lambda step, *more: told.append(step))
    with pytest.raises(NodeflowError, match=rf"step {first} of 4 gave numbers that are not finite"):
        draw(models=memory, method="euler", guidance=3.0, progress=progress)
    assert told == list(range(first))


def test_a_picture_of_numbers_that_are_not_finite_is_refused(
    loaded: LoadedModel, device: Device
) -> None:
    latent, memory = Latent(torch.zeros(1, 4, 2, 2)), ModelMemory()
    network = parts.autoencoder(loaded.vae, memory, device)
    weight = network._network.decoder.conv_out.bias  # type: ignore[attr-defined]
    with torch.no_grad():
        weight.fill_(math.nan)
    given = {"models": memory, "device": device}
    with pytest.raises(NodeflowError, match=r"the autoencoder gave numbers .*--precision fp32"):
        latents.decode(loaded.vae, latent, **given)
    with pytest.raises(NodeflowError, match="the autoencoder gave numbers that are not finite"):
        tiled_latents.decode_tiled(loaded.vae, latent, **given, progress=Progress())
    with pytest.raises(NodeflowError, match=r"the latent holds numbers .*; look at what comes"):
        latents.decode(loaded.vae, Latent(latent.samples + math.nan), **given)


def test_half_precision_comes_close(draw: Callable[..., Latent]) -> None:
    full = draw(guidance=1.0).samples
    half = draw(guidance=1.0, device=Device(precision=Precision.BF16)).samples
    assert half.dtype == torch.float32
    assert (full - half).abs().mean() < 0.05 * full.abs().mean()


def test_a_recipe_of_an_unknown_family_is_refused(
    loaded: LoadedModel, draw: Callable[..., Latent], models: ModelMemory, device: Device
) -> None:
    stranger = replace(loaded.vae, family="magic")
    with pytest.raises(InputError, match="'magic'"):
        latents.decode(
            stranger,  # type: ignore[arg-type]
            Latent(torch.zeros(1, 4, 2, 2)),
            models=models,
            device=device,
        )
