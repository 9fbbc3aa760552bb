"""A network that is asked for fewer estimates in a call when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain

import torch
from torch import Tensor

from nodeflow import Device, ModelMemory, OutOfMemoryError, Recipe
from nodeflow_nodes.diffusion.families.changes import Change
from nodeflow_nodes.diffusion.families.family import (
    Denoiser,
    Guiding,
    PromptBatch,
    Weakening,
)
from nodeflow_nodes.diffusion.families.hints import Hint
from nodeflow_nodes.diffusion.lower_precision import precisions
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels
from nodeflow_nodes.diffusion.parts import denoiser
from nodeflow_nodes.diffusion.room import SMALLER_MODEL, Way, by_some_way, say_less, tried


class InParts:
    """A denoiser for one walk. When memory runs out, models that nobody uses are let go of; then
    calls are cut into halves, and stay so: first the prompts of guidance are heard one after the
    other, then pictures are drawn one by one. Each is as it would be in one call, to rounding. At
    last the network is read anew in a lower precision, where that is allowed.

    Attributes:
        whole: What it asks. Nobody else may hold it, so that it can leave.
    """

    def __init__(
        self,
        whole: Denoiser,
        models: ModelMemory,
        others: Iterator[Way[Denoiser]] | None = None,
    ) -> None:
        """A denoiser, and ways to have it that need less memory, from the best to the least."""
        self.whole = whole
        self._models = models
        self._others = others or iter(())
        self._weakenings: list[Weakening] = []
        self._most: int | None = None
        self._failures = 0

    @classmethod
    def of(cls, model: Recipe, models: ModelMemory, device: Device) -> InParts:
        """The network of a model.

        Raises:
            OutOfMemoryError: There is no room for it in any way that is allowed.
        """
        ways = precisions(model, models, device, denoiser)
        return cls(by_some_way(models, ways, SMALLER_MODEL), models, ways)

    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        def ask(rows: slice) -> Tensor:
            return self.whole.estimate(x[rows], sigma, self._part(prompt, rows))

        return self._asked(len(x), ask)

    @property
    def guides(self) -> bool:
        return isinstance(self.whole, Guiding) and self.whole.guides

    def guided_estimate(
        self, x: Tensor, sigma: float, positive: PromptBatch, negative: PromptBatch, scale: float
    ) -> Tensor:
        def ask(rows: slice) -> Tensor:
            assert isinstance(self.whole, Guiding)
            pair = self._part(positive, rows), self._part(negative, rows)
            return self.whole.guided_estimate(x[rows], sigma, *pair, scale)

        return self._asked(len(x), ask)

    def _asked(self, count: int, ask: Callable[[slice], Tensor]) -> Tensor:
        """What the network gives for rows of a batch, asked for as many at once as there is room
        for."""
        while True:
            size = min(self._most or count, count)

            def work(size: int = size) -> Tensor:
                starts = range(0, count, size)
                with ExitStack() as weakened:
                    for weakening in self._weakenings:
                        weakened.enter_context(self.whole.weakened(weakening))
                    return torch.cat([ask(slice(start, start + size)) for start in starts])

            found = tried(work)
            if found is not None:
                return found
            self._failures += 1
            if self._failures == 1 and self._models.give_way():
                continue
            if size == 1:
                self._take_another("even with one picture and one prompt in a call of the network")
                continue
            self._most = -(-size // 2)
            say_less(
                f"going on with {self._most} in a call of the network instead of {size}, counting "
                "each picture once for each of its prompts"
            )

    def undivided(self, ask: Callable[[Denoiser], Tensor]) -> Tensor:
        """What comes of a call that cannot be cut.

        Raises:
            OutOfMemoryError: There is too little memory in every way that is allowed.
        """
        while (found := tried(lambda: ask(self.whole))) is None:
            self._failures += 1
            if self._failures > 1 or not self._models.give_way():
                self._take_another("with all pictures")
        return found

    def _take_another(self, so_far: str) -> None:
        """The same network in the next way, which needs less memory."""
        # It must be gone before the other comes.
        del self.whole
        way = next(self._others, None)
        if way is None:
            raise OutOfMemoryError(
                f"out of memory, {so_far}; make the picture smaller, or fewer at a time, "
                f"{SMALLER_MODEL}"
            )
        say_less(f"going on with {way.name}")
        self.whole = by_some_way(self._models, chain([way], self._others), SMALLER_MODEL)

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
        return self.whole.levels

    @property
    def channels(self) -> int:
        return self.whole.channels

    @property
    def downscale(self) -> int:
        return self.whole.downscale

    @property
    def text_width(self) -> int:
        return self.whole.text_width

    @property
    def inputs(self) -> int:
        return self.whole.inputs

    @property
    def size(self) -> int:
        return self.whole.size

    def changed(self, change: Change) -> Denoiser:
        return InParts(self.whole.changed(change), self._models)

    def scaled(self, latent: Tensor) -> Tensor:
        return self.whole.scaled(latent)

    def unscaled(self, x: Tensor) -> Tensor:
        return self.whole.unscaled(x)

    def defaults(self, negative: bool) -> Mapping[str, float]:
        return self.whole.defaults(negative)

    @contextmanager
    def weakened(self, weakening: Weakening) -> Iterator[None]:
        # The network may be another one before it is over.
        self._weakenings.append(weakening)
        try:
            yield
        finally:
            self._weakenings.pop()


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
