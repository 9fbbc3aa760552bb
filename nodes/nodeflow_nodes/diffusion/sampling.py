"""`sample`: the walk from noise to a latent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from nodeflow import (
    Conditioning,
    Device,
    Latent,
    Model,
    ModelMemory,
    NodeflowError,
    Progress,
    Seed,
    node,
)
from nodeflow_nodes.diffusion.families.family import Denoiser
from nodeflow_nodes.diffusion.guidance import guided
from nodeflow_nodes.diffusion.hooks import check_sample, sampled_facts
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.parts import denoiser as load_denoiser
from nodeflow_nodes.diffusion.preview import preview
from nodeflow_nodes.diffusion.samplers.methods import METHODS, MethodName
from nodeflow_nodes.diffusion.samplers.noise import start_noise
from nodeflow_nodes.diffusion.schedules import ScheduleName, noise_schedule


@node(category="sampling", on="device", check=check_sample, facts=sampled_facts)
def sample(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent: Latent,
    seed: Seed = 0,
    steps: Annotated[int, Field(ge=1, le=1000)] = 20,
    guidance: Annotated[float, Field(ge=0, le=100)] = 7.0,
    method: MethodName = "euler",
    schedule: ScheduleName = "normal",
    denoise: Annotated[float, Field(ge=0.01, le=1)] = 1.0,
    *,
    progress: Progress,
    models: ModelMemory,
    device: Device,
) -> Latent:
    """Walk from seeded noise to a latent that fits the positive prompt.

    Args:
        model: The network.
        positive: What the picture is to show.
        negative: What it is not to show.
        latent: Where to begin: an empty latent, or that of a picture with `denoise` below 1.
        seed: Seed of the noise; the same seed gives the same picture.
        steps: How many steps the walk takes.
        guidance: Classifier-free guidance scale; 1 turns it off (Ho & Salimans, 2022).
        method: The sampler.
        schedule: How the noise levels are spaced.
        denoise: How much of the way is walked: 1 begins with pure noise, 0.5 keeps what is coarse
            in the latent.
    """
    network = load_denoiser(model, models, device)
    _check_latent(latent, network)
    samples = latent.samples.to(device.name, torch.float32)
    chosen = METHODS[method]
    sigmas = noise_schedule(
        schedule,
        network.levels,
        steps,
        denoise=denoise,
        drop_last_but_one=chosen.drops_last_but_one,
    )

    shown = "vae" in inspect_model(Path(model.path)).parts

    def on_step(step: int, total: int, denoised: Tensor) -> None:
        _check_finite(denoised, step, total)
        latest = network.unscaled(denoised)
        # A network that came alone has no autoencoder to make pictures with.
        picture = (lambda: preview(latest, model, models, device)) if shown else None
        progress(step, total, preview=picture)

    estimate = guided(network, positive, negative, guidance, samples.shape[0])
    x = network.levels.start(network.scaled(samples), start_noise(samples, seed), sigmas[0])
    progress(0, len(sigmas) - 1)
    x = chosen.walk(estimate, x, sigmas, seed, on_step)
    _check_finite(x, len(sigmas) - 1, len(sigmas) - 1)
    x = network.levels.finish(x, sigmas[-1])
    return Latent(network.unscaled(x), latent.downscale)


def _check_latent(latent: Latent, network: Denoiser) -> None:
    """What the check before the run could not know."""
    check_sample(
        {"channels": network.channels, "downscale": network.downscale},
        None,
        None,
        {"channels": latent.samples.shape[1], "downscale": latent.downscale},
    )


def _check_finite(tensor: Tensor, step: int, total: int) -> None:
    if not bool(tensor.isfinite().all()):
        raise NodeflowError(
            f"step {step} of {total} gave numbers that are not finite (NaN or infinity). The "
            "precision may be too small for this model: run with --precision fp32, or try another "
            "method or a lower guidance"
        )
