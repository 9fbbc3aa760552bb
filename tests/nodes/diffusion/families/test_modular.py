"""Models of kinds that no family of ours knows: the same latents as diffusers' own pipelines."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import torch
from diffusers import ModularPipeline
from nodeflow_nodes.diffusion.guiders import guider
from nodeflow_nodes.diffusion.latent_edits import add_noise, seed_batch, upscale_latent
from nodeflow_nodes.diffusion.latents import decode, empty_latent, encode_image
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.parts import denoiser
from nodeflow_nodes.diffusion.samplers.noise import start_noise
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.sampling_advanced import noise_levels, sample_advanced
from nodeflow_nodes.diffusion.shift import shift_noise
from nodeflow_nodes.diffusion.text import encode_text

from nodeflow import (
    Cancelled,
    Device,
    Latent,
    ModelMemory,
    Precision,
)
from nodeflow.progress import working
from tests.nodes.diffusion.modular_walks import (
    DEVICE,
    NEGATIVE,
    PROMPT,
    SEED,
    SIDE,
    STEPS,
    drawn,
    levels,
    prompts,
    silent,
    unpatched,
    walked,
)


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_z_image_ends_where_diffusers_ends(made: Any, memory: ModelMemory, scale: float) -> None:
    folder, pipeline = made("z_image")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)
    noise = start_noise(latent.samples, (SEED,))
    reference = drawn(
        pipeline,
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        # It adds the difference of both prompts to the positive one.
        guidance_scale=scale - 1,
        latents=noise,
    )
    found = walked(model, latent, levels(pipeline), scale, memory)
    assert (found - reference).abs().max() <= 1e-4
    assert (found - noise).abs().max() > 0.1


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_wan_ends_where_diffusers_ends(made: Any, memory: ModelMemory, scale: float) -> None:
    folder, pipeline = made("wan")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, 2 * SIDE, frames=5)
    assert latent.samples.shape == (1, 16, 2, 16, 8)
    positive, negative = (p.states["prompt_embeds"] for p in prompts(model, memory))
    reference = drawn(
        pipeline,
        prompt_embeds=positive,
        negative_prompt_embeds=negative,
        height=2 * SIDE,
        num_frames=5,
        guidance_scale=scale,
        latents=start_noise(latent.samples, (SEED,)),
    )
    found = walked(model, latent, levels(pipeline), scale, memory)
    assert (found - reference).abs().max() <= 1e-4


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_qwen_image_ends_where_diffusers_ends(made: Any, memory: ModelMemory, scale: float) -> None:
    folder, pipeline = made("qwen_image")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, 2 * SIDE)
    assert latent.samples.shape == (1, 16, 16, 8)
    noise = start_noise(latent.samples, (SEED,))
    packed = pipeline._pack_latents(noise.unsqueeze(1), 1, 16, 16, 8)
    reference = drawn(
        pipeline,
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        height=2 * SIDE,
        true_cfg_scale=scale,
        latents=packed,
    )
    reference = pipeline._unpack_latents(reference, 2 * SIDE, SIDE, 8)[:, :, 0]
    found = walked(model, latent, levels(pipeline), scale, memory)
    assert (found - reference).abs().max() <= 1e-4


def test_flux_2_ends_where_diffusers_ends(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("flux_2")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, 2 * SIDE)
    assert (latent.samples.shape, latent.downscale) == ((1, 32, 8, 4), 16)
    reference = drawn(
        pipeline,
        prompt=PROMPT,
        height=2 * SIDE,
        guidance_scale=1.0,
        latents=start_noise(latent.samples, (SEED,)),
    )
    found = walked(model, latent, levels(pipeline), 1.0, memory)
    assert (unpatched(pipeline, found) - reference).abs().max() <= 1e-4


def test_ltx_ends_where_diffusers_ends(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("ltx")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, 2 * SIDE, frames=9)
    assert (latent.samples.shape, latent.downscale) == ((1, 8, 2, 4, 2), 32)
    reference = drawn(
        pipeline,
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        height=2 * SIDE,
        num_frames=9,
        guidance_scale=3.0,
        latents=pipeline._pack_latents(start_noise(latent.samples, (SEED,))),
    )
    found = walked(model, latent, levels(pipeline), 3.0, memory)
    assert (found - pipeline._unpack_latents(reference, 2, 4, 2)).abs().max() <= 1e-4


def test_a_walk_from_a_picture_ends_where_diffusers_ends(made: Any, memory: ModelMemory) -> None:
    folder, _ = made("z_image")
    pipeline = ModularPipeline.from_pretrained(str(folder))  # type: ignore[no-untyped-call]
    pipeline.load_components()
    pipeline.guider.enable()
    pipeline.guider.guidance_scale = 3.0
    model = load_model(folder)
    picture = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2))
    latent = encode_image(model.vae, picture, models=memory, device=DEVICE)
    reference = pipeline(
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        image_latents=latent.samples,
        strength=0.6,
        num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(SEED),
        output="latents",
    )
    sigmas = levels(pipeline)[-4:]
    assert (walked(model, latent, sigmas, 3.0, memory) - reference).abs().max() <= 1e-4


@pytest.mark.parametrize("kind", ["z_image", "wan", "qwen_image", "ltx"])
def test_half_precision_is_near(kind: str, made: Any, memory: ModelMemory) -> None:
    model = load_model(made(kind)[0])
    frames = {"wan": 5, "ltx": 9}.get(kind, 1)
    latent = empty_latent(model.model, SIDE, SIDE, frames=frames)
    found = []
    for device in (DEVICE, Device(precision=Precision.BF16)):
        positive = encode_text(model.text_encoder, PROMPT, models=memory, device=device)
        walk = sample(
            model.model,
            positive,
            positive,
            latent,
            seed=SEED,
            steps=3,
            guidance=1.0,
            progress=silent,  # type: ignore[arg-type]
            models=memory,
            device=device,
        )
        image = decode(model.vae, walk, models=memory, device=device)
        assert image.dtype == torch.float32
        found.append(image)
    assert 0 < (found[0] - found[1]).abs().mean() < 0.05


def test_a_batch_gives_each_picture_what_it_gets_alone(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("qwen_image")[0])
    sigmas = [1.0, 0.7, 0.3, 0.0]
    both = Latent(empty_latent(model.model, SIDE, SIDE, 2).samples, 8, seeds=(SEED, 3))
    alone = empty_latent(model.model, SIDE, SIDE)
    found = walked(model, both, sigmas, 3.0, memory)
    assert (found[:1] - walked(model, alone, sigmas, 3.0, memory)).abs().max() <= 1e-4


def test_videos_decode_to_their_frames(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("wan")
    model = load_model(folder)
    latent = torch.randn(2, 16, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    frames = decode(model.vae, Latent(latent, 8), models=memory, device=DEVICE)
    assert frames.shape == (2 * 5, SIDE, SIDE, 3)
    config = pipeline.vae.config
    mean, deviation = (
        torch.tensor(values).reshape(1, -1, 1, 1, 1)
        for values in (config["latents_mean"], config["latents_std"])
    )
    with torch.no_grad():
        reference = pipeline.vae.decode(latent[1:] * deviation + mean).sample[0].movedim(0, -1)
    assert (frames[5:] - (reference / 2 + 0.5).clamp(0, 1)).abs().max() <= 1e-4


@pytest.mark.parametrize("kind", ["z_image", "qwen_image"])
def test_a_picture_comes_back_as_its_latent(kind: str, made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made(kind)
    model = load_model(folder)
    picture = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2))
    picture = (picture * 255).round() / 255
    latent = encode_image(model.vae, picture, models=memory, device=DEVICE)
    pixels = picture.movedim(-1, 1) * 2 - 1
    with torch.no_grad():
        if kind == "z_image":
            mode = pipeline.vae.encode(pixels).latent_dist.mode()
            reference = (mode - pipeline.vae.config.shift_factor) * (
                pipeline.vae.config.scaling_factor
            )
        else:
            mode = pipeline.vae.encode(pixels.unsqueeze(2)).latent_dist.mode()[:, :, 0]
            config = pipeline.vae.config
            mean, deviation = (
                torch.tensor(values).reshape(1, -1, 1, 1)
                for values in (config.latents_mean, config.latents_std)
            )
            reference = (mode - mean) / deviation
    assert (latent.samples - reference).abs().max() <= 1e-4
    drawn = encode_image(model.vae, picture, sample=True, seed=4, models=memory, device=DEVICE)
    again = encode_image(model.vae, picture, sample=True, seed=4, models=memory, device=DEVICE)
    assert torch.equal(drawn.samples, again.samples)
    assert not torch.equal(drawn.samples, latent.samples)


def test_videos_are_edited_as_latents(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("wan")[0])
    latent = empty_latent(model.model, SIDE, SIDE, frames=5)
    large = upscale_latent(latent, 1.5)
    assert large.samples.shape == (1, 16, 2, 12, 12)
    assert seed_batch(latent, [1, 2]).samples.shape == (2, 16, 2, 8, 8)
    noisy = add_noise(model.model, latent, SEED, 0.5, models=memory, device=DEVICE)
    assert noisy.samples.shape == latent.samples.shape
    assert noisy.samples.std() > 0.1


def test_a_part_of_a_video_is_kept(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("wan")[0])
    start = torch.randn(1, 16, 2, 8, 8, generator=torch.Generator().manual_seed(3))
    mask = torch.zeros(1, 8, 8)
    mask[:, :, 4:] = 1
    found = walked(model, Latent(start, 8, mask), [1.0, 0.6, 0.0], 1.0, memory)
    assert torch.equal(found[..., :4], start[..., :4])
    assert not torch.equal(found[..., 4:], start[..., 4:])


def test_a_walk_is_cancelled_within_a_step(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("z_image")[0])
    told = guider(model.model, *prompts(model, memory), guidance=1.0)

    def walk() -> None:
        sample_advanced(
            told,
            empty_latent(model.model, SIDE, SIDE),
            [1.0, 0.0],
            progress=silent,  # type: ignore[arg-type]
            models=memory,
            device=DEVICE,
        )

    walk()
    with working(lambda: True), pytest.raises(Cancelled):
        walk()


def test_its_noise_levels_are_shifted_as_by_its_scheduler(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("z_image")[0])
    shifted = shift_noise(model.model, 3.0), shift_noise(model.model, 6.0)
    plain, same, higher = (
        noise_levels(recipe, 4, "simple", models=memory, device=DEVICE)
        for recipe in (model.model, *shifted)
    )
    assert plain == pytest.approx(same)
    assert higher[1] > plain[1]


def test_its_networks_are_compiled_for_those_who_ask(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(made("wan")[0])
    asked: list[str] = []
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda self, **options: asked.append(type(self).__name__)
    )
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/g++")
    blocks: list[str] = []

    def compile(forward: Any, **options: Any) -> Any:
        blocks.append(forward.__qualname__)
        return forward

    for compiled in (False, True):
        denoiser(model.model, ModelMemory(), Device(compiled=compiled))
    assert asked == ["WanTransformer3DModel"]
    monkeypatch.setattr(torch, "compile", compile)
    denoiser(model.model, ModelMemory(), Device(compiled="blocks"))
    assert (asked, blocks) == (["WanTransformer3DModel"], ["WanTransformerBlock.forward"])
