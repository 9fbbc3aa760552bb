"""Models that draw on a picture beside the prompt: the same latents as diffusers' own pipelines."""

from __future__ import annotations

from typing import Any

import PIL.Image
import pytest
import torch
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.samplers.noise import start_noise
from nodeflow_nodes.diffusion.text import distilled_guidance, encode_text
from nodeflow_nodes.diffusion.text_and_image import encode_text_and_image

from nodeflow import Conditioning, Image, InputError, Latent, ModelMemory
from tests.nodes.diffusion.modular_walks import (
    DEVICE,
    NEGATIVE,
    PROMPT,
    SEED,
    SIDE,
    drawn,
    levels,
    unpatched,
    walked,
)

PIXELS = torch.rand(SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2))
PICTURE = PIL.Image.fromarray((PIXELS * 255).round().to(torch.uint8).numpy())
IMAGE = Image((PIXELS * 255).round().unsqueeze(0) / 255)


def seen(model: LoadedModel, text: str, latent: Latent, memory: ModelMemory) -> Conditioning:
    return encode_text_and_image(
        model.text_encoder, model.vae, text, IMAGE, latent, models=memory, device=DEVICE
    )


def test_flux_2_draws_on_a_picture_as_in_diffusers(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("flux_2")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)
    prompt = seen(model, PROMPT, latent, memory)
    reference = drawn(
        pipeline,
        image=[PICTURE],
        prompt=PROMPT,
        guidance_scale=1.0,
        latents=start_noise(latent.samples, (SEED,)),
    )
    sigmas = levels(pipeline)
    found = walked(model, latent, sigmas, 1.0, memory, (prompt, prompt))
    assert (unpatched(pipeline, found) - reference).abs().max() <= 1e-4
    plain = encode_text(model.text_encoder, PROMPT, models=memory, device=DEVICE)
    without = walked(model, latent, sigmas, 1.0, memory, (plain, plain))
    assert (without - found).abs().max() > 1e-3


def test_flux_kontext_edits_a_picture_as_in_diffusers(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("flux_kontext")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)
    prompt = distilled_guidance(seen(model, PROMPT, latent, memory), 2.5)
    noise = start_noise(latent.samples, (SEED,))
    reference = drawn(
        pipeline,
        image=PICTURE,
        prompt=PROMPT,
        max_area=SIDE * SIDE,
        num_inference_steps=2,
        guidance_scale=2.5,
        latents=pipeline._pack_latents(noise, 1, 16, 8, 8),
    )
    found = walked(model, latent, levels(pipeline), 1.0, memory, (prompt, prompt))
    unpacked = pipeline._unpack_latents(reference, SIDE, SIDE, 8)
    assert (found - unpacked).abs().max() <= 1e-4


def test_wan_sets_a_picture_in_motion_as_in_diffusers(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("wan_of_pictures")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE, frames=5)
    positive = seen(model, PROMPT, latent, memory)
    negative = encode_text(model.text_encoder, NEGATIVE, models=memory, device=DEVICE)
    reference = drawn(
        pipeline,
        image=PICTURE,
        prompt_embeds=positive.states["prompt_embeds"],
        negative_prompt_embeds=negative.states["prompt_embeds"],
        num_frames=5,
        guidance_scale=4.0,
        latents=start_noise(latent.samples, (SEED,)),
    )
    found = walked(model, latent, levels(pipeline), 4.0, memory, (positive, negative))
    assert (found - reference).abs().max() <= 1e-4


def test_qwen_image_edits_a_picture_as_in_diffusers(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("qwen_image_edit")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)
    positive, negative = (seen(model, text, latent, memory) for text in (PROMPT, NEGATIVE))
    noise = start_noise(latent.samples, (SEED,))
    reference = drawn(
        pipeline,
        image=PICTURE,
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        # It brings the picture to a megapixel, which is slow.
        num_inference_steps=2,
        true_cfg_scale=4.0,
        latents=pipeline._pack_latents(noise.unsqueeze(1), 1, 16, 8, 8),
    )
    reference = pipeline._unpack_latents(reference, SIDE, SIDE, 8)[:, :, 0]
    found = walked(model, latent, levels(pipeline), 4.0, memory, (positive, negative))
    assert (found - reference).abs().max() <= 1e-4


def test_a_prompt_without_the_picture_that_is_needed_is_said(
    made: Any, memory: ModelMemory
) -> None:
    model = load_model(made("qwen_image_edit")[0])
    with pytest.raises(InputError, match="use encode_text_and_image"):
        encode_text(model.text_encoder, PROMPT, models=memory, device=DEVICE)


def test_models_that_draw_on_no_picture_are_said(
    made: Any, loaded: LoadedModel, memory: ModelMemory
) -> None:
    for model, says in (
        (load_model(made("z_image")[0]), "ZImageModularPipeline, a pipeline of diffusers', draws"),
        (load_model(made("wan")[0]), "WanModularPipeline, a pipeline of diffusers', draws"),
        (loaded, "this model draws on no picture"),
    ):
        latent = empty_latent(model.model, SIDE, SIDE)
        with pytest.raises(InputError, match=says):
            seen(model, PROMPT, latent, memory)
