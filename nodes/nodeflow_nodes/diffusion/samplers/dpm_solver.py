"""DPM-Solver (Lu et al. 2022, arXiv 2206.00927) and DPM-Solver++ (arXiv 2211.01095).

In sigma space alpha is 1 and lambda = -ln sigma, so that e^(-h) is sigma_next / sigma.
"""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor

from nodeflow_nodes.diffusion.samplers.step import (
    Denoise,
    Noise,
    OnStep,
    Sigmas,
    ancestral_split,
    ddim_step,
    silent,
)

_ALL_NOISE = 1e5
"""From this level on nothing of the picture is left."""


def dpm_2(denoise: Denoise, x: Tensor, sigmas: Sigmas, on_step: OnStep = silent) -> Tensor:
    """DPM-Solver-2: the slope halfway in lambda carries the whole step."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        x = _midpoint(denoise, x, denoised, sigma, sigma_next)
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


def dpm_2_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Sigmas, noise: Noise, on_step: OnStep = silent
) -> Tensor:
    """DPM-Solver-2 to below the next level, then fresh noise up to it."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        down, up = ancestral_split(sigma, sigma_next)
        x = _midpoint(denoise, x, denoised, sigma, down)
        if sigma_next > 0:
            x = x + up * noise(sigma, sigma_next)
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


def _midpoint(
    denoise: Denoise, x: Tensor, denoised: Tensor, sigma: float, sigma_next: float
) -> Tensor:
    if sigma_next == 0:
        return denoised
    if sigma > _ALL_NOISE:
        # The step is endlessly long in lambda, and its middle tells nothing.
        return ddim_step(x, denoised, sigma, sigma_next)
    middle = math.sqrt(sigma * sigma_next)
    x_middle = ddim_step(x, denoised, sigma, middle)
    d_middle = (x_middle - denoise(x_middle, middle)) / middle
    return x + (sigma_next - sigma) * d_middle


def dpmpp_2m(denoise: Denoise, x: Tensor, sigmas: Sigmas, on_step: OnStep = silent) -> Tensor:
    """DPM-Solver++(2M), Algorithm 2: the last two estimates are extrapolated to mid-step."""
    history = _History()
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        x = ddim_step(x, history.extrapolate(denoised, sigma, sigma_next), sigma, sigma_next)
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


def dpmpp_2m_sde(
    denoise: Denoise, x: Tensor, sigmas: Sigmas, noise: Noise, on_step: OnStep = silent
) -> Tensor:
    """SDE-DPM-Solver++(2M), midpoint, eta 1: it walks further down, then adds noise."""
    history = _History()
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        D = history.extrapolate(denoised, sigma, sigma_next)  # noqa: N806 (the paper's symbol)
        q = (sigma_next / sigma) ** 2  # e^(-2h)
        x = q * x + (1 - q) * D
        if sigma_next > 0:
            x = x + sigma_next * math.sqrt(1 - q) * noise(sigma, sigma_next)
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


class _History:
    """The estimate and the length of the step before."""

    def __init__(self) -> None:
        self._denoised: Tensor | None = None
        self._h = 0.0

    def extrapolate(self, denoised: Tensor, sigma: float, sigma_next: float) -> Tensor:
        """D = (1 + 1 / 2r) x0_i - (1 / 2r) x0_(i-1), where r = h_(i-1) / h_i.

        The first step has no past, and the last, down to 0, is endlessly long in lambda: both take
        the estimate as it is.
        """
        before, h_before = self._denoised, self._h
        self._denoised = denoised
        if sigma_next == 0:
            return denoised
        self._h = math.log(sigma / sigma_next)
        if before is None:
            return denoised
        r = h_before / self._h
        return denoised + (denoised - before) / (2 * r)


def dpmpp_sde(
    denoise: Denoise, x: Tensor, sigmas: Sigmas, noise: Noise, on_step: OnStep = silent
) -> Tensor:
    """DPM-Solver++(S), Algorithm 1 with r = 1/2, each of its two steps made ancestral."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            middle = math.sqrt(sigma * sigma_next)
            down, up = ancestral_split(sigma, middle)
            u = ddim_step(x, denoised, sigma, down) + up * noise(sigma, middle)
            denoised_middle = denoise(u, middle)
            down, up = ancestral_split(sigma, sigma_next)
            x = ddim_step(x, denoised_middle, sigma, down) + up * noise(sigma, sigma_next)
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x
