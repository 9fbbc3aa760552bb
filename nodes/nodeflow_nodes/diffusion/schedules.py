"""Schedules: which noise levels a sampler visits on its way from noise to picture.

Every schedule gives N descending sigmas, float64; `noise_schedule` appends the final 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

from nodeflow_nodes.diffusion.noise_levels import NoiseLevels

ScheduleName = Literal[
    "normal",
    "sgm_uniform",
    "simple",
    "ddim_uniform",
    "karras",
    "exponential",
    "beta",
    "kl_optimal",
    "linear_quadratic",
]
Schedule = Callable[[NoiseLevels, int], Tensor]


def noise_schedule(
    name: ScheduleName,
    levels: NoiseLevels,
    steps: int,
    *,
    denoise: float = 1.0,
    drop_last_but_one: bool = False,
) -> list[float]:
    """The sigmas of `steps` steps, descending, the last of them 0.

    Args:
        name: Which schedule.
        levels: The family's noise levels.
        steps: N. `ddim_uniform` may give one more, `beta` fewer.
        denoise: Below 1, the schedule is made for int(N / denoise) steps, and its last N are taken.
        drop_last_but_one: Take the schedule for one step more, and drop its last but one sigma.
    """
    total = steps if denoise >= 1 else int(steps / denoise)
    sigmas: list[float] = SCHEDULES[name](levels, total + drop_last_but_one).tolist()
    # A step between equal levels does nothing, and multistep methods would divide by its length.
    sigmas = [*dict.fromkeys(sigma for sigma in sigmas if sigma > 0), 0.0]
    if drop_last_but_one:
        del sigmas[-2]
    return sigmas if denoise >= 1 else sigmas[-(steps + 1) :]


def normal(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced in time, from the highest trained level to the lowest."""
    low, high = _ends(levels)
    # Where the lowest level is already 0, it is the end itself and not one of the N.
    reaches_zero = math.isclose(levels.sigma(levels.t(low)), 0, abs_tol=1e-5)
    points = steps + 1 if reaches_zero else steps
    sigmas = _at_times(
        levels, torch.linspace(levels.t(high), levels.t(low), points, dtype=torch.float64)
    )
    return sigmas[:-1] if reaches_zero else sigmas


def sgm_uniform(levels: NoiseLevels, steps: int) -> Tensor:
    """`normal` for one step more, without its last level."""
    low, high = _ends(levels)
    return _at_times(
        levels, torch.linspace(levels.t(high), levels.t(low), steps + 1, dtype=torch.float64)[:-1]
    )


def simple(levels: NoiseLevels, steps: int) -> Tensor:
    """Every (T / N)-th trained level, counted down from the highest."""
    count = len(levels.table)
    # In ComfyUI's order: the quotient is rounded first, which at 38 steps and some others makes a
    # whole k T / N a little smaller.
    return levels.table[[count - 1 - int(k * (count / steps)) for k in range(steps)]]


def ddim_uniform(levels: NoiseLevels, steps: int) -> Tensor:
    """Every floor(T / N)-th trained level, counted up from the second (Song et al. 2020)."""
    stride = max(len(levels.table) // steps, 1)
    return levels.table[1::stride].flip(0)


def karras(levels: NoiseLevels, steps: int, rho: float = 7.0) -> Tensor:
    """Karras et al. 2022, eq. 5."""
    low, high = _ends(levels)
    root_high, root_low = high ** (1 / rho), low ** (1 / rho)
    roots: Tensor = root_high + _ramp(steps) * (root_low - root_high)
    return roots.pow(rho)


def exponential(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced in ln sigma."""
    low, high = _ends(levels)
    return torch.linspace(math.log(high), math.log(low), steps, dtype=torch.float64).exp()


def beta(levels: NoiseLevels, steps: int, a: float = 0.6, b: float = 0.6) -> Tensor:
    """Times spaced by the quantiles of Beta(a, b): dense at both ends (arXiv 2407.12173)."""
    last = len(levels.table) - 1
    quantiles = betaincinv(a, b, 1 - np.arange(steps) / steps)
    indices = np.rint(quantiles * last).astype(int).tolist()
    return levels.table[list(dict.fromkeys(indices))]


def kl_optimal(levels: NoiseLevels, steps: int) -> Tensor:
    """Evenly spaced in arctan sigma (Align Your Steps, arXiv 2404.14507, theorem 3.1)."""
    low, high = _ends(levels)
    ramp = _ramp(steps)
    return (ramp * math.atan(low) + (1 - ramp) * math.atan(high)).tan()


def linear_quadratic(levels: NoiseLevels, steps: int, bend: float = 0.025) -> Tensor:
    """Half the steps fall along a line from 1 to 1 - `bend`, the rest along a parabola to 0.

    At the bend the parabola takes over the slope of the line; all is in parts of the highest level
    (Polyak et al. 2024, arXiv 2410.13720).
    """
    _, high = _ends(levels)
    straight = max(steps // 2, 1)
    curved = max(steps - straight, 1)
    slope = bend / straight
    curvature = (1 - bend - slope * curved) / curved**2
    k = torch.arange(steps, dtype=torch.float64)
    beyond = (k - straight).clamp(min=0)
    return high * (1 - slope * k - curvature * beyond**2)


SCHEDULES: Mapping[ScheduleName, Schedule] = {
    "normal": normal,
    "sgm_uniform": sgm_uniform,
    "simple": simple,
    "ddim_uniform": ddim_uniform,
    "karras": karras,
    "exponential": exponential,
    "beta": beta,
    "kl_optimal": kl_optimal,
    "linear_quadratic": linear_quadratic,
}


def _ends(levels: NoiseLevels) -> tuple[float, float]:
    return float(levels.table[0]), float(levels.table[-1])


def _ramp(steps: int) -> Tensor:
    return torch.linspace(0, 1, steps, dtype=torch.float64)


def _at_times(levels: NoiseLevels, times: Tensor) -> Tensor:
    sigmas = [levels.sigma(time) for time in times.tolist()]
    return torch.tensor(sigmas, dtype=torch.float64)
