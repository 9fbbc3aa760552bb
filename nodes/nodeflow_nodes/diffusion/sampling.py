"""`sample`: the walk from noise to a latent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nodeflow import (
    Conditioning,
    Device,
    Latent,
    Model,
    ModelFolders,
    ModelMemory,
    Progress,
    Seed,
    node,
)
from nodeflow_nodes.diffusion.guidance import Guidance
from nodeflow_nodes.diffusion.hooks import NATIVE, check_sample, sampled_facts
from nodeflow_nodes.diffusion.samplers.methods import METHODS, MethodName
from nodeflow_nodes.diffusion.schedules import ScheduleName, noise_schedule
from nodeflow_nodes.diffusion.walk import NO_FOLDERS, Plan, Services, network_of, walked
from nodeflow_nodes.diffusion.walk_native import walked_natively


@node(category="sampling", on="device", check=check_sample, facts=sampled_facts)
def sample(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent: Latent,
    seed: Seed = 0,
    steps: Annotated[int, Field(ge=1, le=1000)] = 20,
    guidance: Annotated[float, Field(ge=0, le=100)] = 7.0,
    method: Literal[MethodName, "native"] = "euler",
    schedule: ScheduleName = "normal",
    denoise: Annotated[float, Field(ge=0.01, le=1)] = 1.0,
    *,
    progress: Progress,
    models: ModelMemory,
    device: Device,
    folders: ModelFolders = NO_FOLDERS,
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
        method: The sampler; native leaves the walk to the scheduler of diffusers' pipeline, for
            models that run by one.
        schedule: How the noise levels are spaced.
        denoise: How much of the way is walked: 1 begins with pure noise, 0.5 keeps what is coarse
            in the latent.
    """
    services = Services(progress, models, device, folders)
    network = network_of(model, latent, services)
    if method == NATIVE:
        told = (seed, steps, guidance, denoise)
        return walked_natively(network, (positive, negative), latent, told, services)
    sigmas = noise_schedule(
        schedule,
        network.levels,
        steps,
        denoise=denoise,
        drop_last_but_one=METHODS[method].drops_last_but_one,
    )
    return walked(
        model,
        network,
        (positive, negative),
        Guidance(guidance),
        latent,
        Plan(method, sigmas, seed),
        services,
    )
