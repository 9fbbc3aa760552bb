"""Adams-Bashforth methods: the slopes of earlier steps say where the next one leads.

All integrate dx = d(x, sigma) dsigma with d = (x - D(x, sigma)) / sigma, and differ only in the
polynomial they lay through the slopes known so far.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.polynomial import Polynomial, legendre
from torch import Tensor

from nodeflow_nodes.diffusion.samplers.step import Denoise, OnStep, Sigmas, silent

Weights = Callable[[Sequence[float], float], Sequence[float]]
"""(levels of the known slopes, newest first; next level) -> weight of each slope."""


def lms(
    denoise: Denoise, x: Tensor, sigmas: Sigmas, on_step: OnStep = silent, order: int = 4
) -> Tensor:
    """Linear multistep: a polynomial in sigma, integrated exactly."""
    return _adams_bashforth(denoise, x, sigmas, on_step, order, lms_weights)


def deis(
    denoise: Denoise, x: Tensor, sigmas: Sigmas, on_step: OnStep = silent, order: int = 3
) -> Tensor:
    """tAB-DEIS (Zhang and Chen 2022, arXiv 2204.13902, eq. 15): the polynomial is in time.

    Time is that of their variance-preserving process, on Karras's range of sigmas: `deis_time`.
    """
    return _adams_bashforth(denoise, x, sigmas, on_step, order, deis_weights)


def ipndm(
    denoise: Denoise, x: Tensor, sigmas: Sigmas, on_step: OnStep = silent, order: int = 4
) -> Tensor:
    """iPNDM (Zhang and Chen 2022, appendix): weights as if all steps were equally long."""
    return _adams_bashforth(denoise, x, sigmas, on_step, order, ipndm_weights)


def _adams_bashforth(
    denoise: Denoise,
    x: Tensor,
    sigmas: Sigmas,
    on_step: OnStep,
    order: int,
    weights: Weights,
) -> Tensor:
    slopes: deque[Tensor] = deque(maxlen=order)
    levels: deque[float] = deque(maxlen=order)
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        slopes.appendleft((x - denoised) / sigma)
        levels.appendleft(sigma)
        for weight, slope in zip(weights(list(levels), sigma_next), slopes, strict=True):
            x = x + weight * slope
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


def lms_weights(levels: Sequence[float], sigma_next: float) -> list[float]:
    """Integrals from levels[0] to sigma_next of the Lagrange polynomials over `levels`.

    The last step, to 0, is Euler's: it ends at the estimate.
    """
    if sigma_next == 0:
        return [-levels[0], *[0.0] * (len(levels) - 1)]
    # Counted from the current level, so that high powers of large sigmas do not cancel.
    integrals = [p.integ() for p in _lagrange([level - levels[0] for level in levels])]
    return [float(p(sigma_next - levels[0])) for p in integrals]


def deis_weights(levels: Sequence[float], sigma_next: float) -> list[float]:
    """The same with polynomials in `deis_time`; the first step, and the last, to 0, are Euler's."""
    step = sigma_next - levels[0]
    if sigma_next == 0 or len(levels) == 1:
        return [step, *[0.0] * (len(levels) - 1)]
    polynomials = _lagrange([deis_time(level) - deis_time(levels[0]) for level in levels])
    points, weights = legendre.leggauss(_QUADRATURE)
    times = [
        deis_time(levels[0] + step * (1 + point) / 2) - deis_time(levels[0])
        for point in points.tolist()
    ]
    return [float(step / 2 * weights @ p(np.array(times))) for p in polynomials]


def deis_time(sigma: float) -> float:
    """t where beta grows linearly in t, and sigma is 0.002 at t = 0.001 and 80 at t = 1.

    ln(1 + sigma^2) is the integral of beta from 0 to t (Song et al. 2021, eq. 33).
    """
    return (math.sqrt(_BETA**2 + 2 * _SLOPE * math.log1p(sigma**2)) - _BETA) / _SLOPE


def _linear_beta() -> tuple[float, float]:
    """beta(0), and how much it grows until t = 1."""
    first, low, high = 0.001, math.log1p(0.002**2), math.log1p(80.0**2)
    slope = 2 * (high - low / first) / (1 - first)
    return high - slope / 2, slope


_BETA, _SLOPE = _linear_beta()
_QUADRATURE = 64
"""Points of Gauss and Legendre; time is smooth between two levels."""

_EQUAL_STEPS = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)
"""Weights of Adams and Bashforth for equal steps, orders 1 to 4, newest slope first."""


def ipndm_weights(levels: Sequence[float], sigma_next: float) -> list[float]:
    """The weights for equal steps, times the step; the last step, to 0, is Euler's."""
    step = sigma_next - levels[0]
    if sigma_next == 0:
        return [step, *[0.0] * (len(levels) - 1)]
    return [step * weight for weight in _EQUAL_STEPS[len(levels) - 1]]


def _lagrange(nodes: Sequence[float]) -> list[Polynomial]:
    """For each node the polynomial that is 1 there and 0 at all others."""
    basis = []
    for node in nodes:
        others = [other for other in nodes if other != node]
        scale = math.prod(node - other for other in others)
        basis.append(Polynomial.fromroots(others) / scale if others else Polynomial([1.0]))
    return basis
