from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from nodeflow_nodes.diffusion.samplers.methods import METHODS, MethodName
from torch import Tensor

SPREAD = 0.7
STEADY = [
    "euler",
    "heun",
    "dpm_2",
    "dpmpp_2m",
    "ddim",
    "lms",
    "unipc",
    "unipc_bh2",
    "deis",
    "ipndm",
]
# lcm is left out: it is for distilled networks, whose estimate is a picture at any level.
NOISY = ["euler_ancestral", "dpm_2_ancestral", "dpmpp_2m_sde", "dpmpp_sde"]


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """The exact estimate if pictures are normal with standard deviation SPREAD."""
    return x * SPREAD**2 / (SPREAD**2 + sigma**2)


def levels(steps: int, last: float = 0.0) -> list[float]:
    ramp = torch.linspace(math.log(14.0), math.log(0.02), steps).exp().tolist()
    return [*ramp, last]


def watched(name: MethodName, x: Tensor, sigmas: list[float], seed: int = 3) -> Tensor:
    return METHODS[name].walk(gaussian, x, sigmas, (seed,), lambda step, total, denoised: None)


def test_every_method_of_the_node_has_a_sampler() -> None:
    assert set(METHODS) == set(get_args(MethodName)) == {*STEADY, *NOISY, "lcm"}


@pytest.mark.parametrize("name", STEADY)
def test_deterministic_samplers_follow_the_exact_solution(name: MethodName) -> None:
    x = torch.full((1, 1, 1, 1), 14.0)
    sigmas = levels(300)
    exact = 14.0 * SPREAD / math.sqrt(SPREAD**2 + sigmas[0] ** 2)
    tolerance = 0.03 if name in ("euler", "ddim") else 2e-3
    assert watched(name, x, sigmas).item() == pytest.approx(exact, rel=tolerance)


@pytest.mark.parametrize("name", ["heun", "dpm_2", "dpmpp_2m", "lms", "unipc", "unipc_bh2", "deis"])
def test_higher_orders_beat_euler_in_few_steps(name: MethodName) -> None:
    x, sigmas = torch.full((1, 1, 1, 1), 14.0), levels(12, 0.01)
    exact = 14.0 * math.sqrt((SPREAD**2 + sigmas[-1] ** 2) / (SPREAD**2 + sigmas[0] ** 2))
    error, euler_error = (abs(watched(n, x, sigmas).item() - exact) for n in (name, "euler"))
    assert error < euler_error / 2


@pytest.mark.parametrize("name", NOISY)
def test_stochastic_samplers_reach_the_distribution(name: MethodName) -> None:
    noise = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    result = watched(name, noise * math.sqrt(SPREAD**2 + 14.0**2), levels(200))
    assert result.std().item() == pytest.approx(SPREAD, rel=0.05)


@pytest.mark.parametrize("name", [*NOISY, "lcm"])
def test_the_seed_decides_the_noise(name: MethodName) -> None:
    x, sigmas = torch.ones(1, 2, 4, 4), levels(6)
    first, again, other = (watched(name, x, sigmas, seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


@pytest.mark.parametrize("name", get_args(MethodName))
def test_each_step_is_told_once_and_x_is_left_alone(name: MethodName) -> None:
    x = torch.ones(1, 2, 4, 4)
    told: list[tuple[int, int, tuple[int, ...]]] = []
    METHODS[name].walk(
        gaussian, x, levels(5), (0,), lambda i, total, d: told.append((i, total, tuple(d.shape)))
    )
    assert told == [(i, 5, (1, 2, 4, 4)) for i in range(1, 6)]
    assert torch.equal(x, torch.ones(1, 2, 4, 4))


@pytest.mark.parametrize("name", get_args(MethodName))
def test_one_step_down_to_zero_is_the_estimate(name: MethodName) -> None:
    x = torch.ones(1, 2, 4, 4)
    assert torch.allclose(watched(name, x, [5.0, 0.0]), gaussian(x, 5.0))
