"""Samplers where the picture fades as the noise comes (rectified flow), against diffusers'."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchHeunDiscreteScheduler,
    FlowMatchLCMScheduler,
    UniPCMultistepScheduler,
)
from nodeflow_nodes.diffusion.noise_levels import rational_shift
from nodeflow_nodes.diffusion.samplers.methods import METHODS, MethodName
from torch import Tensor

from tests.nodes.diffusion.samplers.conftest import forgiving_numpy

SHIFT, STEPS = 3.0, 8
FLOW = {"use_flow_sigmas": True, "flow_shift": SHIFT, "prediction_type": "flow_prediction"}
SDE = {"algorithm_type": "sde-dpmsolver++", "solver_type": "midpoint"}
NOISE = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
# Euler and its like are of first order and do not reach the last few percent in 60 steps.
SPREADS = {"euler": 0.05, "ddim": 0.05, "euler_ancestral": 0.08}


def picture(x: Tensor, sigma: float) -> Tensor:
    """An estimate that is not linear in x, so that no step is exact."""
    return torch.tanh(x) * (1 - sigma) + 0.3 * torch.sin(3 * x)


def normal(x: Tensor, sigma: float) -> Tensor:
    """The exact estimate if pictures are standard normal."""
    return (1 - sigma) * x / ((1 - sigma) ** 2 + sigma**2)


def in_turn(x: Tensor, sigmas: Any, seeds: Any) -> Any:
    generator = torch.Generator().manual_seed(11)
    return lambda sigma, sigma_next: torch.randn(x.shape, generator=generator)


def theirs(scheduler: Any, extra: Iterator[dict[str, Any]]) -> Tensor:
    x = NOISE
    scheduler.set_timesteps(STEPS)
    for time in scheduler.timesteps:
        sigma = float(scheduler.sigmas[scheduler.step_index or 0])
        velocity = (x - picture(x, sigma)) / sigma
        x = scheduler.step(velocity, time, x, **next(extra)).prev_sample
    return x


def nothing() -> Iterator[dict[str, Any]]:
    while True:
        yield {}


def noises(name: str) -> Iterator[dict[str, Any]]:
    generator = torch.Generator().manual_seed(11)
    while True:
        yield {name: torch.randn(NOISE.shape, generator=generator)}


def generators() -> Iterator[dict[str, Any]]:
    generator = torch.Generator().manual_seed(11)
    while True:
        yield {"generator": generator}


@pytest.mark.parametrize(
    ("method", "scheduler", "extra"),
    [
        ("euler", FlowMatchEulerDiscreteScheduler(shift=SHIFT), nothing()),
        ("ddim", FlowMatchEulerDiscreteScheduler(shift=SHIFT), nothing()),
        ("heun", FlowMatchHeunDiscreteScheduler(shift=SHIFT), nothing()),
        ("lcm", FlowMatchLCMScheduler(shift=SHIFT), generators()),
        ("dpmpp_2m", DPMSolverMultistepScheduler(**FLOW), nothing()),
        ("dpmpp_2m_sde", DPMSolverMultistepScheduler(**FLOW, **SDE), noises("variance_noise")),
        ("unipc_bh2", UniPCMultistepScheduler(**FLOW, solver_order=3), nothing()),
    ],
)
def test_flow_samplers_equal_diffusers(
    method: MethodName, scheduler: Any, extra: Iterator[dict[str, Any]]
) -> None:
    with forgiving_numpy():
        expected = theirs(scheduler, extra)
    sigmas = list(dict.fromkeys(scheduler.sigmas.tolist()))
    chosen = METHODS[method]
    if chosen.noise is not None:
        chosen = replace(chosen, noise=in_turn)
    found = chosen.walk(picture, NOISE, sigmas, (0,), fades=True)
    assert expected.std() > 0.1
    assert float((found - expected).abs().max()) <= 1e-4


@pytest.mark.parametrize("method", sorted({*get_args(MethodName)} - {"lcm"}))
def test_pictures_come_out_as_strong_as_they_are(method: MethodName) -> None:
    """From noise alone, as walks begin: the ratio of noise to picture is infinite there."""
    sigmas = [rational_shift(SHIFT)(1 - i / 60) for i in range(60)] + [0.0]
    noise = torch.randn(1, 4, 96, 96, generator=torch.Generator().manual_seed(5))
    found = METHODS[method].walk(normal, noise, sigmas, (5,), fades=True)
    assert float(found.std()) == pytest.approx(1, abs=SPREADS.get(method, 0.03))


@pytest.mark.parametrize("method", get_args(MethodName))
def test_a_walk_may_end_with_noise_left(method: MethodName) -> None:
    """What is left at a level has the strength that a picture with its noise has there."""
    last = 0.5
    sigmas = torch.linspace(1.0, last, 60).tolist()
    noise = torch.randn(1, 4, 96, 96, generator=torch.Generator().manual_seed(5))
    found = METHODS[method].walk(normal, noise, sigmas, (5,), fades=True)
    expected = math.sqrt((1 - last) ** 2 + last**2)
    assert float(found.std()) == pytest.approx(expected, rel=0.35 if method == "lcm" else 0.05)


@pytest.mark.parametrize("method", get_args(MethodName))
def test_each_step_tells_an_estimate_and_asks_at_levels_of_the_network(method: MethodName) -> None:
    asked: list[float] = []
    told: list[Tensor] = []

    def watched(x: Tensor, sigma: float) -> Tensor:
        asked.append(sigma)
        return normal(x, sigma)

    sigmas = [1.0, 0.75, 0.4, 0.0]
    METHODS[method].walk(
        watched, NOISE, sigmas, (0,), lambda i, total, x: told.append(x), fades=True
    )
    assert len(told) == 3
    assert all(x.abs().max() < 100 for x in told)
    assert {1.0, 0.75, 0.4} <= {*asked}
    assert all(0 < sigma <= 1 for sigma in asked)
