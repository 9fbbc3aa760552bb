"""What all samplers share: their types, and the step that most of them are built from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from torch import Tensor

Denoise = Callable[[Tensor, float], Tensor]
"""D(x, sigma): the estimate of x0, given x at noise level sigma."""

Sigmas = Sequence[float]
"""Descending noise levels, N + 1 of them; the last is where the walk ends, mostly 0."""

OnStep = Callable[[int, int, Tensor], None]
"""Called after each step: steps done, steps in all, the latest estimate of x0."""

Noise = Callable[[float, float], Tensor]
"""Standard normal noise, of x's shape, for the step from one sigma down to another."""


def silent(step: int, total: int, denoised: Tensor) -> None:
    """The `OnStep` of those who do not watch."""


def ddim_step(x: Tensor, denoised: Tensor, sigma: float, sigma_next: float) -> Tensor:
    """Shrink the noise that `denoised` finds in x from `sigma` to `sigma_next`.

    In sigma space Euler's step, DDIM with eta 0 and DPM-Solver++ of first order are all this.
    """
    return denoised + (sigma_next / sigma) * (x - denoised)


def ancestral_split(sigma: float, sigma_next: float, eta: float = 1.0) -> tuple[float, float]:
    """The level to step down to, and the noise to add there, so that `sigma_next` is reached.

    With eta 1 this is the posterior of DDPM; with eta 0 nothing is added.
    """
    up = eta * sigma_next * math.sqrt(max(1 - (sigma_next / sigma) ** 2, 0.0))
    up = min(up, sigma_next)
    return math.sqrt(sigma_next**2 - up**2), up
