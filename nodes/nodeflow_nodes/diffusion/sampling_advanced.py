"""The walk taken apart: noise levels, guider and steps each on their own."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field
from torch import Tensor

from nodeflow import (
    Device,
    InputError,
    Latent,
    Model,
    ModelFolders,
    ModelMemory,
    Progress,
    Seed,
    node,
)
from nodeflow_nodes.diffusion.guiders import Guider
from nodeflow_nodes.diffusion.hooks import advanced_facts, check_advanced
from nodeflow_nodes.diffusion.parts import noise_levels_of
from nodeflow_nodes.diffusion.samplers.methods import METHODS, MethodName
from nodeflow_nodes.diffusion.schedules import ScheduleName, noise_schedule
from nodeflow_nodes.diffusion.walk import NO_FOLDERS, Plan, Services, network_of, walked

Step = Annotated[int, Field(ge=0, le=1000)]


class Walked(NamedTuple):
    """What a walk gives.

    Attributes:
        latent: Where it ended.
        estimates: The estimates of the finished picture on the way, if they were asked for.
    """

    latent: Latent
    estimates: list[Latent]


@node(category="sampling/advanced", on="device", output="sigmas")
def noise_levels(
    model: Model,
    steps: Annotated[int, Field(ge=1, le=1000)] = 20,
    schedule: ScheduleName = "normal",
    denoise: Annotated[float, Field(ge=0.01, le=1)] = 1.0,
    method: MethodName = "euler",
    *,
    models: ModelMemory,
    device: Device,
    folders: ModelFolders = NO_FOLDERS,
) -> list[float]:
    """The noise levels (sigmas) that a walk visits, from the highest down to 0.

    Args:
        model: The network; it says which levels there are.
        steps: How many steps the walk takes.
        schedule: How the levels are spaced.
        denoise: How much of the way is walked; below 1 the last of a longer schedule are taken.
        method: The sampler that they are for: some leave one level out.
    """
    return noise_schedule(
        schedule,
        noise_levels_of(model, models, device),
        steps,
        denoise=denoise,
        drop_last_but_one=METHODS[method].drops_last_but_one,
    )


@node(category="sampling/advanced", on="device", check=check_advanced, facts=advanced_facts)
def sample_advanced(
    guider: Guider,
    latent: Latent,
    sigmas: list[float],
    seed: Seed = 0,
    method: MethodName = "euler",
    start_step: Step = 0,
    end_step: Step = 1000,
    add_noise: bool = True,
    keep_noise: bool = False,
    keep_every: Step = 0,
    *,
    progress: Progress,
    models: ModelMemory,
    device: Device,
    folders: ModelFolders = NO_FOLDERS,
) -> Walked:
    """Walk along given noise levels, or a part of them.

    For two models one after the other: the first ends at a step and keeps its noise, the second
    starts at that step and adds none.

    Args:
        guider: The network and what it is told.
        latent: Where to begin.
        sigmas: Descending noise levels; from `noise_levels`, or your own.
        seed: Seed of the noise; the same seed gives the same picture.
        method: The sampler.
        start_step: How many of the steps are left out at the beginning.
        end_step: The step after which to stop.
        add_noise: Begin with fresh noise; turn it off if the latent has noise left.
        keep_noise: When stopping early, leave the noise in the latent; otherwise the last step goes
            all the way.
        keep_every: Give the estimates of every so many steps out too; 0 for none.
    """
    check_advanced(None, None, sigmas)
    levels = _part(sigmas, start_step, end_step, keep_noise)
    services = Services(progress, models, device, folders)
    network = network_of(guider.model, latent, services)
    kept: list[Latent] = []

    def keep(step: int, denoised: Tensor) -> None:
        if keep_every and step % keep_every == 0:
            kept.append(Latent(denoised, latent.downscale))

    ended = walked(
        guider.model,
        network,
        (guider.positive, guider.negative),
        guider.guidance(network.levels),
        latent,
        Plan(method, levels, seed, add_noise, keep),
        services,
    )
    return Walked(ended, kept)


def _part(sigmas: list[float], start: int, end: int, keep_noise: bool) -> list[float]:
    """The levels of the steps from `start` to `end`."""
    steps = len(sigmas) - 1
    if start >= min(end, steps):
        raise InputError(
            f"the walk has {steps} steps, and none lies between start_step {start} and end_step "
            f"{end}; take a smaller start_step or a larger end_step"
        )
    levels = sigmas[start : end + 1]
    return levels if keep_noise else [*levels[:-1], 0.0]
