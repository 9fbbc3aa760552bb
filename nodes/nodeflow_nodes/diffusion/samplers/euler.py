"""First-order walks along the probability flow, and Heun's correction of them."""

from __future__ import annotations

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


def euler(denoise: Denoise, x: Tensor, sigmas: Sigmas, on_step: OnStep = silent) -> Tensor:
    """Euler's method for dx/dsigma = (x - D(x, sigma)) / sigma (Karras et al. 2022)."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        d = (x - denoised) / sigma
        x = x + (sigma_next - sigma) * d
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


def ddim(denoise: Denoise, x: Tensor, sigmas: Sigmas, on_step: OnStep = silent) -> Tensor:
    """Song et al. 2020, eq. 12 with eta 0, divided by sqrt(alpha bar)."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        x = ddim_step(x, denoised, sigma, sigma_next)
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


def euler_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Sigmas, noise: Noise, on_step: OnStep = silent
) -> Tensor:
    """Euler's step to below the next level, then fresh noise up to it."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        down, up = ancestral_split(sigma, sigma_next)
        x = ddim_step(x, denoised, sigma, down)
        if sigma_next > 0:
            x = x + up * noise(sigma, sigma_next)
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


def heun(denoise: Denoise, x: Tensor, sigmas: Sigmas, on_step: OnStep = silent) -> Tensor:
    """Karras et al. 2022, Algorithm 1: two evaluations a step, one for the last."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        d = (x - denoised) / sigma
        x_next = x + (sigma_next - sigma) * d
        if sigma_next > 0:
            d_next = (x_next - denoise(x_next, sigma_next)) / sigma_next
            x_next = x + (sigma_next - sigma) * (d + d_next) / 2
        x = x_next
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x


def lcm(
    denoise: Denoise, x: Tensor, sigmas: Sigmas, noise: Noise, on_step: OnStep = silent
) -> Tensor:
    """Multistep consistency sampling (Luo et al. 2023, Algorithm 3): jump to x0, add noise again.

    For networks distilled to it: their estimate at any level is the picture itself.
    """
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        x = denoised
        if sigma_next > 0:
            x = x + sigma_next * noise(sigma, sigma_next)
        on_step(i + 1, len(sigmas) - 1, denoised)
    return x
