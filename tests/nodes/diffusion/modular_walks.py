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
    model: LoadedModel, latent: Latent, sigmas: list[float], scale: float, memory: ModelMemory
) -> torch.Tensor:
    """Where our Euler ends along the reference's levels."""
    told = guider(model.model, *prompts(model, memory), guidance=scale)
    found = sample_advanced(
        told,
        latent,
        sigmas,
        seed=SEED,
        progress=silent,  # type: ignore[arg-type]
        models=memory,
        device=DEVICE,
    )
    return found.latent.samples


def levels(pipeline: Any) -> list[float]:
    sigmas: list[float] = pipeline.scheduler.sigmas.tolist()
    return sigmas
