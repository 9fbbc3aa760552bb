"""Each schedule against its formula in SAMPLING.md, computed here with numpy and scipy alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import scipy.stats
import torch
from nodeflow_nodes.diffusion.noise_levels import discrete_levels, scaled_linear_betas
from nodeflow_nodes.diffusion.schedules import SCHEDULES, ScheduleName, noise_schedule
from torch import Tensor

LEVELS = discrete_levels(scaled_linear_betas(0.00085, 0.012, 1000))
T = 1000
TABLE = LEVELS.table.numpy()
LOW, HIGH = TABLE[0], TABLE[-1]


def at(times: np.ndarray) -> np.ndarray:
    return np.exp(np.interp(times, np.arange(T), np.log(TABLE)))


def karras(n: int) -> np.ndarray:
    k = np.linspace(0, 1, n)
    return (HIGH ** (1 / 7) + k * (LOW ** (1 / 7) - HIGH ** (1 / 7))) ** 7


def beta(n: int) -> np.ndarray:
    found: list[float] = []
    for k in range(n):
        index = round(scipy.stats.beta.ppf(1 - k / n, 0.6, 0.6) * (T - 1))
        if TABLE[index] not in found:
            found.append(TABLE[index])
    return np.array(found)


def linear_quadratic(n: int) -> np.ndarray:
    """The coefficients written out: a line to 0.025, then a i^2 + b i + c, flipped."""
    half, rest, end = n // 2, n - n // 2, 0.025
    gap = half - end * n
    a, b = gap / (half * rest**2), end / half - 2 * gap / rest**2
    line = [i * end / half for i in range(half)]
    curve = [a * i**2 + b * i + a * half**2 for i in range(half, n)]
    return HIGH * (1 - np.array(line + curve))


FORMULAS: dict[str, Callable[[int], np.ndarray]] = {
    "normal": lambda n: at(np.linspace(T - 1, 0, n)),
    "sgm_uniform": lambda n: at(np.linspace(T - 1, 0, n + 1))[:-1],
    "simple": lambda n: np.array([TABLE[T - 1 - math.floor(k * (T / n))] for k in range(n)]),
    "ddim_uniform": lambda n: np.array([TABLE[i] for i in range(1, T, max(T // n, 1))][::-1]),
    "karras": karras,
    "exponential": lambda n: np.exp(np.linspace(np.log(HIGH), np.log(LOW), n)),
    "beta": beta,
    "kl_optimal": lambda n: np.array(
        [
            math.tan(k / (n - 1) * math.atan(LOW) + (1 - k / (n - 1)) * math.atan(HIGH))
            for k in range(n)
        ]
    ),
    "linear_quadratic": linear_quadratic,
}
NAMES = get_args(ScheduleName)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("steps", [2, 7, 20, 30, 38, 100])
def test_a_schedule_is_its_formula_and_then_zero(name: ScheduleName, steps: int) -> None:
    sigmas = noise_schedule(name, LEVELS, steps)
    np.testing.assert_allclose(sigmas[:-1], FORMULAS[name](steps), rtol=1e-9)
    assert sigmas[-1] == 0


def test_every_schedule_of_the_node_is_there() -> None:
    assert set(SCHEDULES) == set(NAMES) == set(FORMULAS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("steps", [1, 2, 3, 20, 1000, 3000])
@pytest.mark.parametrize("drop", [False, True])
def test_a_schedule_falls_strictly(name: ScheduleName, steps: int, drop: bool) -> None:
    sigmas = noise_schedule(name, LEVELS, steps, drop_last_but_one=drop)
    assert len(sigmas) >= 2
    assert all(a > b for a, b in pairwise(sigmas))
    assert all(math.isfinite(sigma) for sigma in sigmas)


@pytest.mark.parametrize("name", ["normal", "karras", "simple"])
def test_second_order_methods_skip_the_last_but_one_level(name: ScheduleName) -> None:
    longer = noise_schedule(name, LEVELS, 11)
    assert noise_schedule(name, LEVELS, 10, drop_last_but_one=True) == [*longer[:-2], 0.0]


@pytest.mark.parametrize(
    ("steps", "denoise", "total"), [(10, 0.5, 20), (20, 0.6, 33), (7, 0.3, 23)]
)
def test_denoise_takes_the_end_of_a_longer_schedule(steps: int, denoise: float, total: int) -> None:
    whole = noise_schedule("karras", LEVELS, total)
    assert noise_schedule("karras", LEVELS, steps, denoise=denoise) == whole[-(steps + 1) :]


def test_ddim_uniform_may_give_one_more() -> None:
    assert len(noise_schedule("ddim_uniform", LEVELS, 30)) == 32


@dataclass(frozen=True)
class FlowLevels:
    """Levels that reach 0, as those of flow models with a long table do."""

    table: Tensor

    def t(self, sigma: float) -> float:
        return sigma * 1000

    def sigma(self, t: float) -> float:
        return t / 1000


def test_normal_ends_at_the_lowest_level_where_that_is_zero() -> None:
    levels = FlowLevels(torch.linspace(1e-7, 1, 10_000, dtype=torch.float64))
    sigmas = noise_schedule("normal", levels, 4)
    np.testing.assert_allclose(sigmas, [1, 0.75, 0.5, 0.25, 0], atol=1e-6)
