"""UniPC (Zhao et al. 2023, arXiv 2302.04867): a predictor and a corrector of any order.

Data prediction in sigma space: alpha is 1, lambda = -ln sigma, and the paper's h enters as -h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from torch import Tensor

from nodeflow_nodes.diffusion.samplers.step import Denoise, OnStep, Sigmas, ddim_step, silent

Variant = Literal["bh1", "bh2"]


@dataclass(frozen=True)
class _Known:
    """An estimate of x0, and the level at which it was made."""

    sigma: float
    denoised: Tensor


def unipc(
    denoise: Denoise,
    x: Tensor,
    sigmas: Sigmas,
    on_step: OnStep = silent,
    *,
    order: int = 2,
    variant: Variant = "bh2",
) -> Tensor:
    """UniPC-`order`, Algorithms 1 and 2; one evaluation a step serves corrector and predictor.

    Orders grow from 1 at the start and shrink to 1 at the end. The paper advises order 2 and B2
    where guidance is used.

    Args:
        denoise: The denoised estimate.
        x: Noisy latent at sigmas[0].
        sigmas: Descending levels.
        on_step: Called after each step.
        order: Order of the predictor, 1 to 3; the corrector has one more.
        variant: B(h) = h for `bh1`, e^h - 1 for `bh2`.
    """
    past: list[_Known] = []
    total = len(sigmas) - 1
    x_before, p = x, 0
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        now = _Known(sigma, denoise(x, sigma))
        if past:
            x = _correct(x_before, now, past[:p], variant)
        past = [now, *past][:order]
        p = min(order, i + 1, total - i)
        x_before = x
        x = _predict(x, past[:p], sigma_next, variant)
        on_step(i + 1, total, now.denoised)
    return x


def _predict(x: Tensor, past: list[_Known], sigma: float, variant: Variant) -> Tensor:
    """UniP-p: from x at the newest of the p known estimates to `sigma`."""
    newest, *older = past
    x_next = ddim_step(x, newest.denoised, newest.sigma, sigma)
    if not older:
        return x_next
    h, ratios = _spacing(newest, older, sigma)
    # For p = 2 the paper takes 1/2 (its degenerate case), which needs no system.
    rho = [0.5] if len(older) == 1 else _solve(ratios, h, variant)
    for weight, ratio, known in zip(rho, ratios, older, strict=True):
        x_next = x_next - _b(h, variant) * weight * (known.denoised - newest.denoised) / ratio
    return x_next


def _correct(x: Tensor, now: _Known, past: list[_Known], variant: Variant) -> Tensor:
    """UniC-p: the last step again from its beginning, now that the estimate at its end is known."""
    newest, *older = past
    x_now = ddim_step(x, newest.denoised, newest.sigma, now.sigma)
    h, ratios = _spacing(newest, older, now.sigma)
    rho = _solve([*ratios, 1.0], h, variant) if older else [0.5]
    for weight, ratio, known in zip(rho, [*ratios, 1.0], [*older, now], strict=True):
        x_now = x_now - _b(h, variant) * weight * (known.denoised - newest.denoised) / ratio
    return x_now


def _spacing(newest: _Known, older: list[_Known], sigma: float) -> tuple[float, list[float]]:
    """-h of the step from `newest` to `sigma`, and r_k of the older estimates."""
    h = math.log(newest.sigma / sigma)
    return -h, [math.log(newest.sigma / known.sigma) / h for known in older]


def _b(h: float, variant: Variant) -> float:
    return h if variant == "bh1" else math.expm1(h)


def _solve(ratios: list[float], h: float, variant: Variant) -> list[float]:
    """rho of R(r) rho = b, where row k is r^(k-1) and b_k = k! h phi_(k+1)(h) / B(h)."""
    size = len(ratios)
    rows = np.vander(ratios, size, increasing=True).T
    h_phi = math.expm1(h)
    b = []
    for k in range(1, size + 1):
        h_phi = h_phi / h - 1 / math.factorial(k)
        b.append(math.factorial(k) * h_phi / _b(h, variant))
    solution: list[float] = np.linalg.solve(rows, np.array(b)).tolist()
    return solution
