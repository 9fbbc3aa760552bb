"""Noise levels a network was trained on: their table, and the way between sigma and time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

# ComfyUI's in place of an alpha-bar of zero, at which sigma would be infinite; it becomes 4518.77.
# Schedules that begin at the highest level go by it.
_SMALLEST_ALPHA_BAR = 4.8973451890853435e-08


class NoiseLevels(Protocol):
    """What schedules and samplers must know of a family.

    Attributes:
        table: float64 tensor [T]: the trained sigmas, ascending.
        fades: The picture fades as the noise comes: x = (1 - sigma) x0 + sigma noise. Otherwise
            noise is added to the whole of it.
    """

    @property
    def table(self) -> Tensor: ...

    @property
    def fades(self) -> bool: ...

    def t(self, sigma: float) -> float:
        """The time at which the network is asked for noise level `sigma`."""
        ...

    def sigma(self, t: float) -> float:
        """The noise level at time `t`, which may lie between two trained times."""
        ...

    def start(self, latent: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """The scaled latent with noise of level `sigma`, where a walk begins."""
        ...

    def mixed(self, latent: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """The scaled latent with noise of level `sigma`, as in the middle of a walk."""
        ...

    def velocity(self, x: Tensor, denoised: Tensor, sigma: float) -> Tensor:
        """The estimate `denoised` as a velocity: how x changes along the way that was trained."""
        ...

    def estimate(self, x: Tensor, velocity: Tensor, sigma: float) -> Tensor:
        """The way back from `velocity`."""
        ...

    def finish(self, x: Tensor, sigma: float) -> Tensor:
        """What a walk that ends at `sigma` hands out: x, such that `start` without noise gives x
        back."""
        ...


class DiscreteLevels:
    """Levels of a network that was trained at the times 0 .. T - 1, such as all of DDPM's kind.

    Attributes:
        table: As in `NoiseLevels`.
    """

    fades = False

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

    def start(self, latent: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """At the highest level the noise is a little stronger, so that x has the variance that the
        network has seen there even if the latent is empty."""
        highest = float(self.table[-1])
        at_highest = sigma > highest or math.isclose(sigma, highest, rel_tol=1e-5)
        return latent + noise * (math.sqrt(1 + sigma**2) if at_highest else sigma)

    def mixed(self, latent: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """The latent, and noise added to it."""
        return latent + sigma * noise

    def velocity(self, x: Tensor, denoised: Tensor, sigma: float) -> Tensor:
        """Salimans and Ho 2022, appendix D, for x0 + sigma noise."""
        return (x / (sigma**2 + 1) - denoised) * (math.sqrt(sigma**2 + 1) / sigma)

    def estimate(self, x: Tensor, velocity: Tensor, sigma: float) -> Tensor:
        """The way back from `velocity`."""
        return x / (sigma**2 + 1) - velocity * (sigma / math.sqrt(sigma**2 + 1))

    def finish(self, x: Tensor, sigma: float) -> Tensor:
        """x as it is, since `start` adds to it."""
        return x


class FlowLevels:
    """Levels of a network trained on x = (1 - sigma) x0 + sigma noise (rectified flow).

    Attributes:
        table: As in `NoiseLevels`: s(1/T) .. s(1).
    """

    fades = True

    def __init__(
        self, shifted: Callable[[float], float], count: int, time_scale: float = 1.0
    ) -> None:
        """Levels by a family's shift.

        Args:
            shifted: s(t), from a time in 0..1 to a noise level in 0..1.
            count: T, the number of trained levels.
            time_scale: The network's time for sigma 1; its time is in proportion to sigma.
        """
        self._shifted = shifted
        self._count = count
        self._time_scale = time_scale
        self.table = torch.tensor(
            [shifted(i / count) for i in range(1, count + 1)], dtype=torch.float64
        )

    def with_shift(self, shifted: Callable[[float], float]) -> FlowLevels:
        """As many levels for the same network, by another shift."""
        return FlowLevels(shifted, self._count, self._time_scale)

    def t(self, sigma: float) -> float:
        """The network's time, which is not the inverse of the shift."""
        return sigma * self._time_scale

    def sigma(self, t: float) -> float:
        """s(t), after the time is brought back to 0..1."""
        return self._shifted(t / self._time_scale)

    def start(self, latent: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """`mixed`: the highest level leaves nothing of the latent anyway."""
        return self.mixed(latent, noise, sigma)

    def mixed(self, latent: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """On the line from the latent to the noise."""
        return sigma * noise + (1 - sigma) * latent

    def velocity(self, x: Tensor, denoised: Tensor, sigma: float) -> Tensor:
        """Noise minus x0."""
        return (x - denoised) / sigma

    def estimate(self, x: Tensor, velocity: Tensor, sigma: float) -> Tensor:
        """The way back from `velocity`."""
        return x - sigma * velocity

    def finish(self, x: Tensor, sigma: float) -> Tensor:
        """Where noise is left over, x is taken back to the picture's full strength."""
        return x / (1 - sigma)


def rational_shift(shift: float) -> Callable[[float], float]:
    """s(t) = shift t / (1 + (shift - 1) t) (Esser et al. 2024, arXiv 2403.03206, eq. 23)."""
    return lambda t: shift * t / (1 + (shift - 1) * t)


def exponential_shift(mu: float) -> Callable[[float], float]:
    """s(t) = e^mu / (e^mu + 1/t - 1): the rational shift by e^mu."""
    return rational_shift(math.exp(mu))


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
