"""Diffusers' pipelines along noise levels that they are given: what a whole workflow is to draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import DPMSolverMultistepScheduler
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.load import load_denoiser
from nodeflow_nodes.diffusion.schedules import ScheduleName, noise_schedule
from torch import Tensor

from nodeflow import Device, ModelMemory
from tests.nodes.diffusion.samplers.conftest import forgiving_numpy
from tests.nodes.diffusion.side_by_side import options

Levels = tuple[Sequence[float], Sequence[float]]
"""Sigmas, the last of them where the walk ends, and the network's time at each of the others."""


def levels_of(file: Path, schedule: ScheduleName, steps: int) -> Levels:
    """The levels that `sample` takes for the network in a file."""
    levels = parts.denoiser(load_denoiser(file), ModelMemory(), Device()).levels
    sigmas = noise_schedule(schedule, levels, steps)
    return sigmas, [levels.t(sigma) for sigma in sigmas[:-1]]


def multistep(pipe: Any, **config: Any) -> Any:
    """DPM-Solver++ (2M), for what the pipeline's network predicts, to where there is no noise."""
    told = {"final_sigmas_type": "zero", **config}
    return DPMSolverMultistepScheduler.from_config(pipe.scheduler.config, **told)


def along(scheduler: Any, levels: Levels) -> Any:
    """The scheduler, which walks along these levels whatever it is told."""

    class Along(type(scheduler)):  # type: ignore[misc]
        def set_timesteps(
            self, steps: int = 0, device: Any = None, sigmas: Any = None, mu: float = 0.0
        ) -> None:
            super().set_timesteps(len(levels[1]))
            self.sigmas = torch.tensor(levels[0], dtype=torch.float64)
            self.timesteps = torch.tensor(levels[1])

    return Along.from_config(scheduler.config)


def ended(pipe: Any, scheduler: Any, seed: int, steps: int, **told: Any) -> Tensor:
    """Where a pipeline ends, as its network sees latents.

    Args:
        pipe: The pipeline.
        scheduler: In place of its own.
        seed: Of its noise.
        steps: How many the scheduler takes.
        told: What else it is told.
    """
    pipe = type(pipe)(**(pipe.components | {"scheduler": scheduler}), **options(pipe))
    pipe.set_progress_bar_config(disable=True)
    with forgiving_numpy():
        found: Tensor = pipe(
            num_inference_steps=steps,
            generator=torch.Generator().manual_seed(seed),
            output_type="latent",
            **told,
        ).images
    return found


@torch.no_grad()
def picture(vae: Any, latent: Tensor) -> Tensor:
    """The picture [1, height, width, 3] in 0..1 of a latent as the network sees it."""
    shift = vae.config.shift_factor or 0.0
    pixels: Tensor = vae.decode(latent / vae.config.scaling_factor + shift).sample
    return (pixels / 2 + 0.5).clamp(0, 1).movedim(1, -1)
