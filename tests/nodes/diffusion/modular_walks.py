"""Walks of models that run by diffusers' own pipelines, for several tests."""

from __future__ import annotations

from typing import Any

import torch
from nodeflow_nodes.diffusion.guiders import guider
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.sampling_advanced import sample_advanced
from nodeflow_nodes.diffusion.text import encode_text

from nodeflow import (
    Conditioning,
    Device,
    Latent,
    ModelMemory,
)

PROMPT, NEGATIVE = "a red apple on a table", "pale"
SIDE, STEPS, SEED, DEVICE = 64, 5, 11, Device()


def silent(*args: object, **kwargs: object) -> None:
    """In place of progress."""


def prompts(model: LoadedModel, memory: ModelMemory) -> tuple[Conditioning, Conditioning]:
    positive, negative = (
        encode_text(model.text_encoder, text, models=memory, device=DEVICE)
        for text in (PROMPT, NEGATIVE)
    )
    return positive, negative


def walked(
    model: LoadedModel,
    latent: Latent,
    sigmas: list[float],
    scale: float,
    memory: ModelMemory,
    given: tuple[Conditioning, Conditioning] | None = None,
) -> torch.Tensor:
    """Where our Euler ends along the reference's levels, told the prompts or those given."""
    positive, negative = given or prompts(model, memory)
    found = sample_advanced(
        guider(model.model, positive, negative, guidance=scale),
        latent,
        sigmas,
        seed=SEED,
        progress=silent,  # type: ignore[arg-type]
        models=memory,
        device=DEVICE,
    )
    return found.latent.samples


def drawn(pipeline: Any, **told: Any) -> torch.Tensor:
    """Where diffusers' pipeline ends: a square latent after the usual steps, if not told else."""
    usual = {"height": SIDE, "width": SIDE, "num_inference_steps": STEPS, "output_type": "latent"}
    ended = pipeline(**usual | told)
    found: torch.Tensor = ended.frames if "frames" in ended else ended.images
    return found


def unpatched(pipeline: Any, latent: torch.Tensor) -> torch.Tensor:
    """A latent of Flux 2 as its pipeline gives it: not normalized, and in whole pixels."""
    bn = pipeline.vae.bn
    mean, variance = (row.view(1, -1, 1, 1) for row in (bn.running_mean, bn.running_var))
    deviation = (variance + pipeline.vae.config.batch_norm_eps).sqrt()
    found: torch.Tensor = pipeline._unpatchify_latents(latent * deviation + mean)
    return found


def levels(pipeline: Any) -> list[float]:
    sigmas: list[float] = pipeline.scheduler.sigmas.tolist()
    return sigmas
