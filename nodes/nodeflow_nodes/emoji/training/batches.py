"""The latents of the pictures and random training batches of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nodeflow_nodes.emoji.training import captions, diffusion
from nodeflow_nodes.emoji.training.autoencoder import encode_all, load_autoencoder
from nodeflow_nodes.emoji.training.data import Picture, load_pictures, load_pixels
from nodeflow_nodes.emoji.training.recolour import recoloured_copies
from nodeflow_nodes.emoji.training.work import replace_atomically

COPIES_PER_PICTURE = 3


@dataclass(frozen=True)
class LatentSet:
    """Pictures and their latents (N, 16, 8, 8), of about unit variance."""

    pictures: list[Picture]
    latents: Tensor


@dataclass(frozen=True)
class TrainingSet:
    """The pictures as they are, and copies in other colours; `scaling_factor` is the VAE's."""

    originals: LatentSet
    copies: LatentSet
    scaling_factor: float


@dataclass(frozen=True)
class Batch:
    """Captions as tokens (N, 24), noisy latents, their steps (N,), velocities and weights (N,)."""

    tokens: Tensor
    noisy: Tensor
    steps: Tensor
    target: Tensor
    weights: Tensor


def load_training_set(work: Path) -> TrainingSet:
    """Latents of the finished autoencoder; the copies' are kept in `copies.pt`."""
    pixels = load_pixels(work, 64)
    pictures = load_pictures(work)
    model = load_autoencoder(work)
    latents = encode_all(model, torch.from_numpy(pixels))
    scaling_factor = float(1 / latents.std())
    copies = list(recoloured_copies(pictures, pixels, COPIES_PER_PICTURE))
    stored = work / "copies.pt"
    if not stored.exists():
        stacked = torch.from_numpy(np.stack([copy for _, copy in copies]))
        encoded = encode_all(model, stacked)
        replace_atomically(stored, lambda part: torch.save(encoded, part))
    recoloured: Tensor = torch.load(stored, weights_only=True)
    return TrainingSet(
        LatentSet(pictures, latents * scaling_factor),
        LatentSet([picture for picture, _ in copies], recoloured * scaling_factor),
        scaling_factor,
    )


class Shuffled:
    """Endless shuffled passes through `total` rows, so that all come equally often."""

    def __init__(self, total: int, generator: torch.Generator) -> None:
        self._total, self._generator = total, generator
        self._order: list[int] = []

    def take(self, count: int) -> list[int]:
        while len(self._order) < count:
            self._order += torch.randperm(self._total, generator=self._generator).tolist()
        rows = self._order[:count]
        del self._order[:count]
        return rows


class Batches:
    """Endless random batches, `copies` of each `size` rows being recoloured ones."""

    def __init__(
        self,
        data: TrainingSet,
        tokenize: Callable[[list[str]], Tensor],
        size: int,
        copies: int,
        seed: int,
    ) -> None:
        self._parts = ((data.originals, size - copies), (data.copies, copies))
        self._tokenize = tokenize
        self._chance = random.Random(seed)
        self._generator = torch.Generator().manual_seed(seed)
        self._rows = [Shuffled(len(part.pictures), self._generator) for part, _ in self._parts]
        self._alphas = diffusion.build_scheduler().alphas_cumprod
        self._weights = diffusion.loss_weights(self._alphas)

    def draw(self, high_part: float) -> Batch:
        """The next batch; `high_part` of it as `diffusion.sample_timesteps` explains."""
        texts: list[str] = []
        chosen: list[Tensor] = []
        for (part, count), rows in zip(self._parts, self._rows, strict=True):
            taken = rows.take(count)
            texts += [captions.draw_caption(part.pictures[row], self._chance) for row in taken]
            chosen.append(part.latents[taken])
        latents = torch.cat(chosen)
        steps = diffusion.sample_timesteps(len(texts), high_part, self._generator)
        noise = torch.randn(latents.shape, generator=self._generator)
        noisy, target = diffusion.noised(latents, noise, self._alphas[steps])
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        return Batch(self._tokenize(texts), noisy, steps, target, self._weights[steps])
