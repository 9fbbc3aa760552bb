"""Walks that pipelines of diffusers' make by themselves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.conditioning import combine_conditioning
from nodeflow_nodes.diffusion.latents import decode, empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.sampling import sample

from nodeflow import (
    InputError,
    Latent,
    ModelMemory,
)
from tests.nodes.diffusion.modular_walks import (
    DEVICE,
    NEGATIVE,
    PROMPT,
    SEED,
    SIDE,
    STEPS,
    drawn,
    prompts,
    silent,
)


def natively(
    model: LoadedModel, latent: Latent, memory: ModelMemory, guidance: float, **more: Any
) -> Latent:
    return sample(
        model.model,
        *prompts(model, memory),
        latent,
        **{
            "seed": SEED,
            "steps": STEPS,
            "guidance": guidance,
            "method": "native",
            "progress": silent,
            **more,
        },
        models=memory,
        device=DEVICE,
    )


def test_the_own_walk_of_a_pipeline_is_that_of_diffusers(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("z_image")
    model = load_model(folder)
    reference = drawn(
        pipeline,
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        guidance_scale=2.0,
        generator=torch.Generator().manual_seed(SEED),
    )
    found = natively(model, empty_latent(model.model, SIDE, SIDE), memory, 3.0)
    assert (found.samples - reference).abs().max() <= 1e-4


def test_a_pipeline_that_steps_by_itself_walks_natively(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("ideogram")
    model = load_model(folder)
    latent = empty_latent(model.model, 2 * SIDE, SIDE)
    reference = drawn(
        pipeline,
        prompt=PROMPT,
        width=2 * SIDE,
        guidance_scale=5.0,
        guidance_schedule=None,
        generator=torch.Generator().manual_seed(SEED),
        output_type="pt",
    )
    found = natively(model, latent, memory, 5.0)
    assert found.samples.shape == latent.samples.shape
    image = decode(model.vae, found, models=memory, device=DEVICE)
    assert (image.movedim(-1, 1) - reference).abs().max() <= 1e-4


def test_a_method_that_cannot_be_used_is_said(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("ideogram")[0])
    latent = empty_latent(model.model, SIDE, SIDE)
    with pytest.raises(InputError, match=r"Ideogram4ModularPipeline.* steps by itself.* native"):
        natively(model, latent, memory, 5.0, method="euler")


def test_each_step_of_an_own_walk_is_told(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("ideogram")[0])
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))

    natively(model, empty_latent(model.model, SIDE, SIDE), memory, 5.0, progress=progress)
    assert told == [(done, STEPS) for done in range(STEPS + 1)]


@pytest.mark.parametrize("change", ["half", "mask", "combined"])
def test_what_an_own_walk_cannot_do_is_said(change: str, made: Any, memory: ModelMemory) -> None:
    model = load_model(made("z_image")[0])
    latent = empty_latent(model.model, SIDE, SIDE)
    positive, negative = prompts(model, memory)
    if change == "mask":
        latent = Latent(latent.samples, 8, mask=torch.ones(1, 8, 8))
    if change == "combined":
        positive = combine_conditioning(positive, negative)
    with pytest.raises(InputError, match=r"the method native .* choose another method"):
        sample(
            model.model,
            positive,
            negative,
            latent,
            denoise=0.5 if change == "half" else 1.0,
            method="native",
            progress=silent,  # type: ignore[arg-type]
            models=memory,
            device=DEVICE,
        )


def test_other_models_have_no_walk_of_their_own(loaded: LoadedModel, memory: ModelMemory) -> None:
    with pytest.raises(InputError, match="this one has none; choose another method"):
        natively(loaded, empty_latent(loaded.model, SIDE, SIDE), memory, 3.0)
