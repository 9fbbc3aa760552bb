"""Our samplers side by side with diffusers' pipelines, over the same folder."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverSDEScheduler,
    LCMScheduler,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
)
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.noise_levels import FlowLevels
from nodeflow_nodes.diffusion.text import encode_text
from torch import Tensor

from nodeflow import Device, ModelMemory
from tests.nodes.diffusion.hearing import guided_by

STEPS = 8
SHAPE = (2, 4, 8, 8)
PROMPT, NEGATIVE = "a red apple", "pale"


@contextmanager
def forgiving_numpy() -> Iterator[None]:
    """diffusers' schedulers pass tensors to numpy in ways that numpy 2 frowns upon."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array", DeprecationWarning)
        yield


@dataclass(frozen=True)
class ReferenceLevels:
    """The reference scheduler's own times for its own sigmas."""

    table: Tensor
    times: dict[float, float]

    def t(self, sigma: float) -> float:
        nearest = min(self.times, key=lambda known: abs(math.log(known / sigma)))
        assert math.isclose(nearest, sigma, rel_tol=1e-5), f"the reference never asks at {sigma}"
        return self.times[nearest]

    def sigma(self, t: float) -> float:
        raise NotImplementedError("the reference's schedule is handed over whole")


@dataclass(frozen=True)
class AskedAt:
    """A flow family's own levels, whose network is asked at the reference scheduler's times."""

    levels: FlowLevels
    times: dict[float, float]
    scale: float

    @classmethod
    def of(cls, levels: Any, scheduler: Any, scale: float) -> AskedAt:
        """From a scheduler that has run, whose times are `scale` of the network's."""
        return cls(
            levels,
            dict(zip(scheduler.sigmas.tolist(), scheduler.timesteps.tolist(), strict=False)),
            scale,
        )

    def t(self, sigma: float) -> float:
        nearest = min(self.times, key=lambda known: abs(known - sigma))
        assert math.isclose(nearest, sigma, rel_tol=1e-5), f"the reference never asks at {sigma}"
        return self.times[nearest] * self.scale

    def __getattr__(self, name: str) -> Any:
        return getattr(self.levels, name)


@dataclass(frozen=True)
class Grid:
    """What a reference scheduler walks along: levels, all that it asks at, and its own space."""

    sigmas: list[float]
    times: dict[float, float]
    preserves_variance: bool
    start: float


def grid_of(scheduler: Any, first: int) -> Grid:
    """Read from a scheduler that has run: its levels from evaluation number `first` on."""
    times = scheduler.timesteps.tolist()
    if isinstance(scheduler, (DDIMScheduler, LCMScheduler)):
        bars = scheduler.alphas_cumprod[[int(t) for t in times]]
        ends = torch.cat([bars, scheduler.final_alpha_cumprod.reshape(1)]).double()
        sigmas: list[float] = ((1 - ends) / ends).sqrt().tolist()
    else:
        sigmas = scheduler.sigmas.double().tolist()
    asked = dict(zip(evaluated_at(scheduler, sigmas), times, strict=False))
    asked.pop(0.0, None)
    levels = list(dict.fromkeys(sigmas[first:]))
    preserves_variance = scheduler.init_noise_sigma == 1
    start = math.sqrt(1 + levels[0] ** 2) if preserves_variance else scheduler.init_noise_sigma
    return Grid(levels, asked, preserves_variance, float(start))


def evaluated_at(scheduler: Any, sigmas: list[float]) -> list[float]:
    """The level of each evaluation; dpm_2's kind makes every second one between two levels."""
    if hasattr(scheduler, "sigmas_interpol"):
        middles = scheduler.sigmas_interpol.tolist()
    elif isinstance(scheduler, DPMSolverSDEScheduler):
        middles = [0.0, *(math.sqrt(a * b) for a, b in pairwise(sigmas))]
    else:
        return sigmas
    return [middles[i] if i % 2 else sigmas[i] for i in range(len(scheduler.timesteps))]


@dataclass(frozen=True)
class SideBySide:
    """Both results, as latents scaled for the network."""

    ours: Tensor
    theirs: Tensor

    @property
    def difference(self) -> float:
        return float((self.ours - self.theirs).abs().max())


Compare = Callable[..., SideBySide]


@dataclass(frozen=True)
class Trial:
    """One comparison: what is asked for, along which scheduler."""

    folder: Path
    scheduler: Any
    guidance: float
    strength: float | None
    steps: int

    @property
    def first(self) -> int:
        """Number of the first evaluation: image to image leaves the beginning out."""
        kept = self.steps if self.strength is None else int(self.steps * self.strength)
        return (self.steps - kept) * int(self.scheduler.order)

    @property
    def latent(self) -> Tensor:
        return torch.randn(SHAPE, generator=torch.Generator().manual_seed(5))

    def theirs(self, pipeline: StableDiffusionPipeline) -> Tensor:
        """What diffusers draws. Afterwards the scheduler holds the grid that it walked along."""
        request: dict[str, Any] = {
            "prompt": [PROMPT] * SHAPE[0],
            "negative_prompt": [NEGATIVE] * SHAPE[0],
            "guidance_scale": self.guidance,
            "num_inference_steps": self.steps,
            "generator": torch.Generator().manual_seed(7),
            "output_type": "latent",
        }
        kind: Any = StableDiffusionPipeline
        if self.strength is not None:
            kind = StableDiffusionImg2ImgPipeline
            request |= {"image": self.latent, "strength": self.strength}
        components = {**pipeline.components, "scheduler": self.scheduler}
        pipe = kind(**components, requires_safety_checker=False)
        pipe.set_progress_bar_config(disable=True)
        with forgiving_numpy():
            images: Tensor = pipe(**request).images
        return images

    def ours(self, sampler: Callable[..., Tensor], noise: Any, models: ModelMemory) -> Tensor:
        """What our sampler draws through our nodes, along the scheduler's grid."""
        grid, device = grid_of(self.scheduler, self.first), Device()
        generator = torch.Generator().manual_seed(7)
        start = torch.randn(SHAPE, generator=generator)
        whole = self.strength is None
        x = start * grid.start if whole else self.latent + start * grid.sigmas[0]
        recipes = load_model(self.folder)
        network: Any = replace(
            cast("Any", parts.denoiser(recipes.model, models, device)),
            levels=ReferenceLevels(torch.tensor(sorted(grid.sigmas)), grid.times),
        )
        positive = encode_text(recipes.text_encoder, PROMPT, models=models, device=device)
        negative = encode_text(recipes.text_encoder, NEGATIVE, models=models, device=device)
        estimate = guided_by(network, positive, negative, self.guidance, x)
        extra = () if noise is None else (noise(x, generator, grid.sigmas),)
        x = sampler(estimate, x, grid.sigmas, *extra)
        return x / math.sqrt(1 + grid.sigmas[-1] ** 2) if grid.preserves_variance else x


@pytest.fixture
def compare(
    folders: dict[str, Path], pipeline: StableDiffusionPipeline, models: ModelMemory
) -> Compare:
    """Run a scheduler class through its pipeline and one of our samplers along its levels."""

    def run(
        sampler: Callable[..., Tensor],
        scheduler: type[Any],
        *,
        guidance: float = 1.0,
        prediction: str = "epsilon",
        strength: float | None = None,
        steps: int = STEPS,
        noise: Callable[[Tensor, torch.Generator, list[float]], Any] | None = None,
        **config: Any,
    ) -> SideBySide:
        folder = folders[prediction]
        with forgiving_numpy():
            reference = scheduler.from_pretrained(folder / "scheduler", **config)
        assert reference.config.prediction_type == prediction
        trial = Trial(folder, reference, guidance, strength, steps)
        theirs = trial.theirs(pipeline)
        return SideBySide(trial.ours(sampler, noise, models), theirs)

    return run


@pytest.fixture
def drawn_in_turn() -> Callable[..., Any]:
    """Noise for each step from the generator that drew the start, as diffusers takes it."""
    return lambda x, generator, sigmas: (
        lambda sigma, sigma_next: torch.randn(x.shape, generator=generator)
    )
