"""Step caches: transformers that take what they gave at an earlier step where it will do.

Through diffusers' hooks, which are laid on a twin of the network that lives for one walk: so each
walk begins with nothing remembered, and the network itself never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from diffusers.hooks.first_block_cache import FirstBlockCacheConfig, apply_first_block_cache
from diffusers.hooks.hooks import CacheContext, _set_cache_context
from diffusers.hooks.taylorseer_cache import TaylorSeerCacheConfig, apply_taylorseer_cache
from torch import Tensor, nn

from nodeflow import InputError, Patch
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.family import Denoiser, PromptBatch, Weakening
from nodeflow_nodes.diffusion.families.lora_layers import DENOISER
from nodeflow_nodes.diffusion.families.lora_weights import twin
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels
from nodeflow_nodes.diffusion.step_cache_checks import FIRST_BLOCK, STEP_CACHES, TAYLOR_SEER

_STACKS = ("transformer_blocks", "single_transformer_blocks", "blocks", "layers")
"""What transformers call their blocks, in the order in which they are passed."""


def step_cache(patches: Sequence[Patch]) -> Patch | None:
    """The step cache among patches; of several the last."""
    return next((patch for patch in reversed(patches) if patch.kind in STEP_CACHES), None)


class CachedDenoiser:
    """A denoiser for one walk, whose network leaves out what changes little from step to step.

    Attributes:
        calls: How often the network was asked.
        computed: How often it was computed whole.
    """

    def __init__(self, plain: Denoiser, cache: Patch) -> None:
        """Lay a cache over a denoiser, which stays as it is.

        Raises:
            InputError: Its network is no stack of blocks that this cache is for.
        """
        self._plain = plain
        self._cache = cache
        self._network: Any = None
        self._resting = False
        self.calls = self.computed = 0
        self._cached = plain.changed(self._hooked)

    def _hooked(self, part: Part) -> Any:
        network = part.network
        if part.name != DENOISER:
            return network
        blocks = [block for name in _STACKS for block in getattr(network, name, ())]
        if not blocks:
            raise InputError(
                f"step caches are for transformers, and this model's network is a "
                f"{type(network).__name__}; take the model without one"
            )
        self._network = twin(network, ())
        last = [block for name in _STACKS for block in getattr(self._network, name, ())][-1]
        _says_something_of_the_prompt(last)
        # It is reached only when the blocks are computed, whatever the cache.
        next(last.children()).register_forward_pre_hook(self._count)
        try:
            _LAID[self._cache.kind](self._network, self._cache.amount)
        except (ValueError, IndexError) as error:
            raise InputError(
                f"diffusers has no step cache for a {type(network).__name__} ({error}); take the "
                "model without one"
            ) from error
        return self._network

    def _count(self, module: nn.Module, inputs: object) -> None:
        self.computed += 1

    @property
    def levels(self) -> NoiseLevels:
        return self._plain.levels

    @property
    def channels(self) -> int:
        return self._plain.channels

    @property
    def downscale(self) -> int:
        return self._plain.downscale

    @property
    def text_width(self) -> int:
        return self._plain.text_width

    @property
    def inputs(self) -> int:
        return self._plain.inputs

    @property
    def size(self) -> int:
        return self._plain.size

    def changed(self, change: Change) -> CachedDenoiser:
        return CachedDenoiser(self._plain.changed(change), self._cache)

    def scaled(self, latent: Tensor) -> Tensor:
        return self._plain.scaled(latent)

    def unscaled(self, x: Tensor) -> Tensor:
        return self._plain.unscaled(x)

    def defaults(self, negative: bool) -> Mapping[str, float]:
        return self._plain.defaults(negative)

    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        if self._resting or prompt.hints:
            # Control networks add to each block, also to those that are passed over.
            return self._plain.estimate(x, sigma, prompt)
        self.calls += 1
        # What is remembered for one prompt, or one part of a picture, is nothing to another.
        stream = f"{prompt.stream} {tuple(x.shape)} {tuple(prompt.hidden.shape)}"
        _set_cache_context(self._network, CacheContext(stream, sigma=sigma))
        try:
            return self._cached.estimate(x, sigma, prompt)
        finally:
            _set_cache_context(self._network, None)

    def weakened(self, weakening: Weakening) -> AbstractContextManager[None]:
        return self._rested(self._plain.weakened(weakening))

    @contextmanager
    def _rested(self, weakened: AbstractContextManager[None]) -> Iterator[None]:
        """A network without some of its blocks has other things to remember: it remembers none."""
        with weakened:
            self._resting = True
            try:
                yield
            finally:
                self._resting = False

    def summary(self) -> str:
        """What the cache did, for people."""
        if not self.calls:
            return "Step cache: unused, since control networks speak at every step."
        done = f"{self.computed} of {self.calls} calls of the network were computed whole"
        if self.computed == self.calls:
            return f"Step cache: {done}: it saved nothing; a higher threshold may."
        saved = 1 - self.computed / self.calls
        return (
            f"Step cache: {done} ({saved:.0%} left out). The picture differs from that without the "
            "cache."
        )


def _says_something_of_the_prompt(last: nn.Module) -> None:
    """The last block of Stable Diffusion 3 gives None for the prompt, which no cache can keep; what
    it was given stands in, and nobody reads it."""
    inner = last.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        found = inner(*args, **kwargs)
        if isinstance(found, tuple) and found[0] is None:
            return (kwargs.get("encoder_hidden_states"), *found[1:])
        return found

    last.forward = forward


def _lay_first_block(network: nn.Module, threshold: float) -> None:
    apply_first_block_cache(network, FirstBlockCacheConfig(threshold=threshold))


def _lay_taylor_seer(network: nn.Module, interval: float) -> None:
    config = TaylorSeerCacheConfig(
        cache_interval=int(interval),
        # Only the end of the network is foretold, and the blocks are passed over whole: attention
        # alone is the smaller part of a step.
        use_lite_mode=True,
        taylor_factors_dtype=torch.float32,
    )
    apply_taylorseer_cache(network, config)


_LAID: Mapping[str, Callable[[nn.Module, float], None]] = {
    FIRST_BLOCK: _lay_first_block,
    TAYLOR_SEER: _lay_taylor_seer,
}
