"""Noise levels a network was trained on: their table, and the way between sigma and time."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

# In place of an alpha-bar of zero, at which sigma would be infinite; sigma becomes 4096.
_SMALLEST_ALPHA_BAR = 2.0**-24


class NoiseLevels(Protocol):
    """What a schedule must know of a family.

    Attributes:
        table: float64 tensor [T]: the trained sigmas, ascending.
    """

    @property
    def table(self) -> Tensor: ...

    def t(self, sigma: float) -> float:
        """The time at which the network is asked for noise level `sigma`."""
        ...

    def sigma(self, t: float) -> float:
        """The noise level at time `t`, which may lie between two trained times."""
        ...


class DiscreteLevels:
    """Levels of a network that was trained at the times 0 .. T - 1, such as all of DDPM's kind.

    Attributes:
        table: As in `NoiseLevels`.
    """

    def __init__(self, table: Tensor) -> None:
        self.table = table.double()
        self._logs = self.table.log()

    def t(self, sigma: float) -> float:
        """The index of the nearest ln sigma, a whole number."""
        return float((self._logs - math.log(sigma)).abs().argmin())

    def sigma(self, t: float) -> float:
        """Between two indices ln sigma is interpolated linearly."""
        low, high, part = math.floor(t), math.ceil(t), t - math.floor(t)
        return math.exp((1 - part) * float(self._logs[low]) + part * float(self._logs[high]))


def scaled_linear_betas(start: float, end: float, count: int) -> Tensor:
    """Betas whose square roots are evenly spaced (Stable Diffusion), float64 [count]."""
    return torch.linspace(start**0.5, end**0.5, count, dtype=torch.float64) ** 2


def linear_betas(start: float, end: float, count: int) -> Tensor:
    """Evenly spaced betas (Ho et al. 2020), float64 [count]."""
    return torch.linspace(start, end, count, dtype=torch.float64)


def discrete_levels(betas: Tensor, *, zero_terminal_snr: bool = False) -> DiscreteLevels:
    """The levels sigma_i = sqrt((1 - abar_i) / abar_i) that a beta schedule gives.

    Args:
        betas: Variances of the training noise, float64 [T].
        zero_terminal_snr: The network was trained until nothing of the picture is left
            (Lin et al. 2024, arXiv 2305.08891, Algorithm 1).
    """
    alpha_bar = (1 - betas).cumprod(0)
    if zero_terminal_snr:
        root = alpha_bar.sqrt()
        alpha_bar = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
        alpha_bar[-1] = _SMALLEST_ALPHA_BAR
    return DiscreteLevels(((1 - alpha_bar) / alpha_bar).sqrt())
