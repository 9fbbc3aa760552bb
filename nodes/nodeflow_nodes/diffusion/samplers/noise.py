"""Noise from seeds, always drawn on the CPU, so that a seed means the same on every device."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torchsde
from torch import Tensor

from nodeflow_nodes.diffusion.samplers.step import Noise, Sigmas

Seeds = tuple[int, ...]
"""One seed for a whole batch, or one for each of its pictures."""


def start_noise(like: Tensor, seeds: Seeds) -> Tensor:
    """Standard normal noise for the whole batch, drawn on the CPU, on the device of `like`.

    With a seed for each picture, each gets what it would get alone.
    """
    return _drawer(like, seeds)()


def other_noise(like: Tensor, seeds: Seeds) -> Tensor:
    """As `start_noise`, from the seeds + 1."""
    return start_noise(like, tuple(seed + 1 for seed in seeds))


def step_noise(like: Tensor, sigmas: Sigmas, seeds: Seeds) -> Noise:
    """Fresh noise for each step; seeded with seeds + 1, since the seeds themselves drew the
    start."""
    draw = _drawer(like, tuple(seed + 1 for seed in seeds))
    return lambda sigma, sigma_next: draw()


def brownian_noise(like: Tensor, sigmas: Sigmas, seeds: Seeds) -> Noise:
    """Increments of one Brownian motion over sigma, each divided to unit variance.

    However finely the levels are spaced, the motion is the same: more steps refine one picture.
    """
    low, high = min(sigma for sigma in sigmas if sigma > 0), max(sigmas)
    if low == high:  # A single step, to 0, draws no noise; the tree wants an interval.
        low = high / 2
    # torchsde rounds the edges like this and warns when asked for what then lies beyond them.
    low, high = round(low, 6), round(high, 6)
    trees = [
        torchsde.BrownianTree(low, torch.zeros(shape), high, entropy=seed, tol=1e-6)
        for shape, seed in _shares(like, seeds)
    ]

    def noise(sigma: float, sigma_next: float) -> Tensor:
        above, below = min(sigma, high), max(sigma_next, low)
        increment: Tensor = torch.cat([tree(below, above) for tree in trees])
        unit: Tensor = -increment / abs(sigma - sigma_next) ** 0.5
        return unit.to(like.device)

    return noise


def _drawer(like: Tensor, seeds: Seeds) -> Callable[[], Tensor]:
    generators = [
        (shape, torch.Generator().manual_seed(seed)) for shape, seed in _shares(like, seeds)
    ]

    def draw() -> Tensor:
        drawn = [torch.randn(shape, generator=generator) for shape, generator in generators]
        return torch.cat(drawn).to(like.device)

    return draw


def _shares(like: Tensor, seeds: Seeds) -> list[tuple[tuple[int, ...], int]]:
    """The part of the batch that each seed is for."""
    shape = tuple(like.shape)
    return [(shape if len(seeds) == 1 else (1, *shape[1:]), seed) for seed in seeds]
