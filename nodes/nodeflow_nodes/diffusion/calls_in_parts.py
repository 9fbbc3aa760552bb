"""A network that is asked for fewer estimates in a call when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

import torch
from torch import Tensor

from nodeflow import ModelMemory, OutOfMemoryError
from nodeflow_nodes.diffusion.families.family import (
    Change,
    Denoiser,
    Guiding,
    PromptBatch,
    Weakening,
)
from nodeflow_nodes.diffusion.families.hints import Hint
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels
from nodeflow_nodes.diffusion.room import SMALLER_MODEL, say_less, tried


class InParts:
    """A denoiser for one walk. When memory runs out, models that nobody uses are let go of; then
    calls are cut into halves, and stay so: first the prompts of guidance are heard one after the
    other, then pictures are drawn one by one. Each is as it would be in one call, to rounding."""

    def __init__(self, whole: Denoiser, models: ModelMemory) -> None:
        self._whole = whole
        self._models = models
        self._most: int | None = None
        self._failures = 0

    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        def ask(rows: slice) -> Tensor:
            return self._whole.estimate(x[rows], sigma, self._part(prompt, rows))

        return self._asked(len(x), ask)

    @property
    def guides(self) -> bool:
        return isinstance(self._whole, Guiding) and self._whole.guides

    def guided_estimate(
        self, x: Tensor, sigma: float, positive: PromptBatch, negative: PromptBatch, scale: float
    ) -> Tensor:
        network = self._whole
        assert isinstance(network, Guiding)

        def ask(rows: slice) -> Tensor:
            pair = self._part(positive, rows), self._part(negative, rows)
            return network.guided_estimate(x[rows], sigma, *pair, scale)

        return self._asked(len(x), ask)

    def _asked(self, count: int, ask: Callable[[slice], Tensor]) -> Tensor:
        """What the network gives for rows of a batch, asked for as many at once as there is room
        for."""
        while True:
            size = min(self._most or count, count)

            def work(size: int = size) -> Tensor:
                starts = range(0, count, size)
                return torch.cat([ask(slice(start, start + size)) for start in starts])

            found = tried(work)
            if found is not None:
                return found
            self._failures += 1
            if self._failures == 1 and self._models.give_way():
                continue
            if size == 1:
                raise OutOfMemoryError(
                    "out of memory, even with one picture and one prompt in a call of the network; "
                    f"make the picture smaller, {SMALLER_MODEL}"
                )
            self._most = -(-size // 2)
            say_less(
                f"going on with {self._most} in a call of the network instead of {size}, counting "
                "each picture once for each of its prompts"
            )

    def _part(self, prompt: PromptBatch, rows: slice) -> PromptBatch:
        if not self._failures:
            return prompt
        return replace(
            _rows(prompt, rows),
            # What a step cache remembers of a call that failed, or of other rows, is no use.
            stream=f"{prompt.stream} {self._failures} {rows.start}",
        )

    @property
    def levels(self) -> NoiseLevels:
        return self._whole.levels

    @property
    def channels(self) -> int:
        return self._whole.channels

    @property
    def downscale(self) -> int:
        return self._whole.downscale

    @property
    def text_width(self) -> int:
        return self._whole.text_width

    @property
    def inputs(self) -> int:
        return self._whole.inputs

    @property
    def size(self) -> int:
        return self._whole.size

    def changed(self, change: Change) -> Denoiser:
        return InParts(self._whole.changed(change), self._models)

    def scaled(self, latent: Tensor) -> Tensor:
        return self._whole.scaled(latent)

    def unscaled(self, x: Tensor) -> Tensor:
        return self._whole.unscaled(x)

    def defaults(self, negative: bool) -> Mapping[str, float]:
        return self._whole.defaults(negative)

    def weakened(self, weakening: Weakening) -> AbstractContextManager[None]:
        return self._whole.weakened(weakening)


def _rows(prompt: PromptBatch, rows: slice) -> PromptBatch:
    """What a batch of prompts says to some of its pictures."""
    count = len(prompt.hidden)

    def cut(tensor: Tensor) -> Tensor:
        # What is there once is for every picture.
        return tensor[rows] if len(tensor) == count else tensor

    def cut_hint(hint: Hint) -> Hint:
        return replace(hint, image=cut(hint.image))

    return replace(
        prompt,
        hidden=cut(prompt.hidden),
        pooled=None if prompt.pooled is None else cut(prompt.pooled),
        extra={name: cut(numbers) for name, numbers in prompt.extra.items()},
        hints=tuple(map(cut_hint, prompt.hints)),
        beside=None if prompt.beside is None else cut(prompt.beside),
        sights=tuple(replace(sight, hidden=cut(sight.hidden)) for sight in prompt.sights),
    )
