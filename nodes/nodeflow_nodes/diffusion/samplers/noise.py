"""Noise from seeds, always drawn on the CPU, so that a seed means the same on every device."""

from __future__ import annotations

import torch
import torchsde
from torch import Tensor

from nodeflow_nodes.diffusion.samplers.step import Noise, Sigmas


def start_noise(like: Tensor, seed: int) -> Tensor:
    """Standard normal noise for the whole batch, drawn on the CPU, on the device of `like`."""
    return _draw(like, torch.Generator().manual_seed(seed))


def step_noise(like: Tensor, sigmas: Sigmas, seed: int) -> Noise:
    """Fresh noise for each step; seeded `seed` + 1, since `seed` itself drew the start."""
    generator = torch.Generator().manual_seed(seed + 1)
    return lambda sigma, sigma_next: _draw(like, generator)


def brownian_noise(like: Tensor, sigmas: Sigmas, seed: int) -> Noise:
    """Increments of one Brownian motion over sigma, each divided to unit variance.

    However finely the levels are spaced, the motion is the same: more steps refine one picture.
    """
    low, high = min(sigma for sigma in sigmas if sigma > 0), max(sigmas)
    if low == high:  # A single step, to 0, draws no noise; the tree wants an interval.
        low = high / 2
    start = torch.zeros(like.shape, dtype=torch.float32)
    # torchsde rounds the edges like this and warns when asked for what then lies beyond them.
    low, high = round(low, 6), round(high, 6)
    tree = torchsde.BrownianTree(low, start, high, entropy=seed, tol=1e-6)

    def noise(sigma: float, sigma_next: float) -> Tensor:
        increment: Tensor = tree(max(sigma_next, low), min(sigma, high))
        unit: Tensor = -increment / abs(sigma - sigma_next) ** 0.5
        return unit.to(like.device)

    return noise


def _draw(like: Tensor, generator: torch.Generator) -> Tensor:
    noise: Tensor = torch.randn(like.shape, generator=generator, dtype=torch.float32)
    return noise.to(like.device)
