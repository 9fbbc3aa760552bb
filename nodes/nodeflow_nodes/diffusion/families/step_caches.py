"""Step caches: transformers that take what they gave at an earlier step where it will do.

Through diffusers' hooks, which are laid on a twin of the network that lives for one walk: so each
walk begins with nothing remembered, and the network itself never changes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import torch
from diffusers.hooks._helpers import TransformerBlockRegistry
from diffusers.hooks.first_block_cache import FirstBlockCacheConfig, apply_first_block_cache
from diffusers.hooks.hooks import CacheContext, HookRegistry, _set_cache_context
from diffusers.hooks.taylorseer_cache import TaylorSeerCacheConfig, apply_taylorseer_cache
from torch import Tensor, nn

from nodeflow import InputError, Patch
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.family import (
    Denoiser,
    Guiding,
    OwnWalk,
    PromptBatch,
    SelfWalking,
    Weakening,
)
from nodeflow_nodes.diffusion.families.lora_layers import DENOISER
from nodeflow_nodes.diffusion.families.lora_weights import twin
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels
from nodeflow_nodes.diffusion.step_cache_checks import FIRST_BLOCK, STEP_CACHES, TAYLOR_SEER

_STACKS = ("transformer_blocks", "single_transformer_blocks", "blocks", "layers")
"""What transformers call their blocks, in the order in which they are passed."""
_BLOCKS = rf"({'|'.join(_STACKS)})\.\d+"
_ENDS = r"proj_out|final_layer|all_final_layer\.[^.]+"
"""Matches what makes a prediction of what the last block gives."""


def step_cache(patches: Sequence[Patch]) -> Patch | None:
    """The step cache among patches; of several the last."""
    return next((patch for patch in reversed(patches) if patch.kind in STEP_CACHES), None)


def cached(plain: Denoiser, cache: Patch) -> CachedDenoiser:
    """A denoiser with a step cache over it, for one walk; it can do what the denoiser can.

    Raises:
        InputError: Its network is no stack of blocks that this cache is for.
    """
    kind = CachedWalker if isinstance(plain, SelfWalking) else CachedDenoiser
    return kind(plain, cache)


class CachedDenoiser:
    """A denoiser for one walk, whose network leaves out what changes little from step to step.

    Attributes:
        calls: How often the network was asked.
        computed: How often it was computed whole.
    """

    def __init__(self, plain: Denoiser, cache: Patch) -> None:
        """Lay a cache over a denoiser, which stays as it is; see `cached`."""
        self._plain = plain
        self._cache = cache
        self._stream = ""
        self._turn = 0
        self._resting = False
        self.calls = self.computed = 0
        self._cached = plain.changed(self._hooked)

    def _hooked(self, part: Part) -> Any:
        """A twin of a network that estimates, with the cache laid on it."""
        if part.name != DENOISER:
            return part.network
        kind = type(part.network).__name__
        network = twin(part.network, ())
        blocks = [block for name in _STACKS for block in getattr(network, name, ())]
        if not blocks:
            raise InputError(
                f"step caches are for transformers, and this model's network is a {kind}; take the "
                "model without one"
            )
        self._watch(blocks[-1])
        try:
            _LAID[self._cache.kind](network, self._cache.amount)
        except ValueError as error:
            raise InputError(
                f"diffusers' {self._cache.kind} is not for a {kind} ({error}); take the model "
                "without this node"
            ) from error
        # A pipeline may have asked the plain network for its hooks, when there were none.
        HookRegistry.check_if_exists_or_initialize(network).invalidate_child_registries_cache()
        network.register_forward_pre_hook(self._begin, with_kwargs=True)
        return network

    def _watch(self, last: Any) -> None:
        """Count how often the last block is computed: that is when all are, whatever the cache."""
        inner = last.forward

        def forward(*args: Any, **kwargs: Any) -> Any:
            self.computed += 1
            found = inner(*args, **kwargs)
            if isinstance(found, tuple) and found[0] is None:
                # That of Stable Diffusion 3 gives None for the prompt, which no cache can keep;
                # what it was given stands in, and nobody reads it.
                return (kwargs.get("encoder_hidden_states"), *found[1:])
            return found

        last.forward = forward

    def _begin(self, network: nn.Module, *given: object) -> None:
        """Before a call: what is remembered for one prompt, or one part of a picture, is nothing to
        another. Pipelines may ask several times in one turn, always in the same order."""
        self.calls += 1
        self._turn += 1
        _set_cache_context(network, CacheContext(f"{self._stream} {self._turn} {_shapes(given)}"))

    @contextmanager
    def _asking(self, stream: str) -> Iterator[None]:
        """While one estimate is made of the calls of this name."""
        self._stream, self._turn = stream, 0
        yield

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
        return cached(self._plain.changed(change), self._cache)

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
        with self._asking(prompt.stream):
            return self._cached.estimate(x, sigma, prompt)

    @property
    def guides(self) -> bool:
        return isinstance(self._plain, Guiding) and self._plain.guides

    def guided_estimate(
        self, x: Tensor, sigma: float, positive: PromptBatch, negative: PromptBatch, scale: float
    ) -> Tensor:
        assert isinstance(self._cached, Guiding)
        with self._asking(f"{positive.stream} {negative.stream}"):
            return self._cached.guided_estimate(x, sigma, positive, negative, scale)

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


class CachedWalker(CachedDenoiser):
    """The same of a denoiser whose pipeline can walk by itself."""

    _walks = 0

    def own_walk(
        self, latent: Tensor, positive: PromptBatch, negative: PromptBatch, told: OwnWalk
    ) -> Tensor:
        """See `SelfWalking.own_walk`."""
        assert isinstance(self._cached, SelfWalking)

        def on_step(done: int, total: int) -> None:
            self._turn = 0
            told.on_step(done, total)

        # One that ran out of memory leaves what it remembered behind.
        self._walks += 1
        with self._asking(f"walk {self._walks}"):
            return self._cached.own_walk(latent, positive, negative, replace(told, on_step=on_step))


def _shapes(given: object) -> object:
    """Of all tensors that a network is given."""
    if isinstance(given, Tensor):
        return tuple(given.shape)
    if isinstance(given, Mapping):
        return [_shapes(one) for one in given.values()]
    return [_shapes(one) for one in given] if isinstance(given, list | tuple) else None


def _lay_first_block(network: nn.Module, threshold: float) -> None:
    blocks = [block for name in _STACKS for block in getattr(network, name, ())]
    gives = {_gives_prompt(block) for block in blocks}
    if len(blocks) < 2:
        raise ValueError("it has a single layer")
    if len(gives) > 1:
        raise ValueError("some of its layers give states of the prompt, others do not")
    apply_first_block_cache(network, FirstBlockCacheConfig(threshold=threshold))


def _gives_prompt(block: nn.Module) -> bool:
    """Whether a block gives states of the prompt beside those of the picture.

    Raises:
        ValueError: diffusers does not know what it gives, or what it is given.
    """
    name = type(block).__name__
    try:
        known = TransformerBlockRegistry.get(type(block))
    except ValueError as error:
        raise ValueError(f"it does not know what a {name} gives") from error
    # What the hooks of a first-block cache read, whatever diffusers knows of the block.
    if "hidden_states" not in inspect.signature(type(block).forward).parameters:
        raise ValueError(f"it finds no states in what a {name} is given")
    return known.return_encoder_hidden_states_index is not None


def _lay_taylor_seer(network: nn.Module, interval: float) -> None:
    if not any(re.fullmatch(_ENDS, name) for name, _ in network.named_modules()):
        raise ValueError("it has no last layer that could be foretold")
    config = TaylorSeerCacheConfig(
        cache_interval=int(interval),
        # Only the end of the network is foretold, and the blocks are passed over whole: attention
        # alone is the smaller part of a step.
        skip_predict_identifiers=[_BLOCKS],
        cache_identifiers=[_ENDS],
        taylor_factors_dtype=torch.float32,
    )
    apply_taylorseer_cache(network, config)


_LAID: Mapping[str, Callable[[nn.Module, float], None]] = {
    FIRST_BLOCK: _lay_first_block,
    TAYLOR_SEER: _lay_taylor_seer,
}
