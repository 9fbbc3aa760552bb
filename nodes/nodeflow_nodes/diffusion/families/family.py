"""What a family is: the seam between samplers and nodes on one side and networks on the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from nodeflow import Conditioning, Device, Latent, Recipe
from nodeflow_nodes.diffusion.families.changes import Change
from nodeflow_nodes.diffusion.families.embeddings import Embedding
from nodeflow_nodes.diffusion.families.hints import ControlNetwork, Hint, Sight
from nodeflow_nodes.diffusion.families.latent_colours import Colours
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels


@dataclass(frozen=True)
class PromptBatch:
    """What each picture of a batch is to show, as one call of a network takes it.

    Attributes:
        hidden: float32 [batch, token, width].
        pooled: float32 [batch, width], for families that want it.
        extra: Further numbers by name, each float32 [batch]: one for each picture, since the two
            halves of guidance may differ. Which names a network reads is its family's own affair.
        hints: What control networks hold the pictures to.
        beside: float32 [batch, channel, height, width]: channels that are laid beside x for
            networks that take more than a latent has, such as those that fill holes.
        states: What else the text encoder gave, for one picture; see `Conditioning`.
        stream: Which of the calls of a step this is; the same at every step of a walk.
        sights: What adapters show to the network.
    """

    hidden: Tensor
    pooled: Tensor | None = None
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    hints: tuple[Hint, ...] = ()
    beside: Tensor | None = None
    states: Mapping[str, Tensor | tuple[Tensor, ...]] = field(default_factory=dict)
    stream: str = ""
    sights: tuple[Sight, ...] = ()

    def joins(self, other: PromptBatch) -> bool:
        """Whether both can share one call. Different numbers of tokens cannot: padding would
        change what they mean."""
        shapes = [None if p.pooled is None else p.pooled.shape[1:] for p in (self, other)]
        return (
            self.hidden.shape[1:] == other.hidden.shape[1:]
            and shapes[0] == shapes[1]
            and self.extra.keys() == other.extra.keys()
            and len(self.hints) == len(other.hints)
            and all(
                one.network is another.network
                and (one.strength, one.mode) == (another.strength, another.mode)
                and one.image.shape[1:] == another.image.shape[1:]
                for one, another in zip(self.hints, other.hints, strict=True)
            )
            and (self.beside is None) == (other.beside is None)
            and not self.states
            and [sight.kind for sight in self.sights] == [sight.kind for sight in other.sights]
        )

    def joined(self, other: PromptBatch) -> PromptBatch:
        """Both as one batch, this one first; `joins` must hold."""
        pooled = None
        if self.pooled is not None and other.pooled is not None:
            pooled = torch.cat([self.pooled, other.pooled])
        beside = None
        if self.beside is not None and other.beside is not None:
            beside = torch.cat([self.beside, other.beside])
        return PromptBatch(
            torch.cat([self.hidden, other.hidden]),
            pooled,
            {name: torch.cat([rows, other.extra[name]]) for name, rows in self.extra.items()},
            tuple(
                replace(one, image=torch.cat([self._each(one), other._each(another)]))
                for one, another in zip(self.hints, other.hints, strict=True)
            ),
            beside,
            sights=tuple(
                replace(one, hidden=torch.cat([one.hidden, another.hidden]))
                for one, another in zip(self.sights, other.sights, strict=True)
            ),
        )

    def _each(self, hint: Hint) -> Tensor:
        """A hint's image for each picture of the batch."""
        return hint.image.expand(len(self.hidden), -1, -1, -1)


@dataclass(frozen=True)
class Weakening:
    """What a network is to do without, so that it is known what it would be worse at.

    Attributes:
        attention: Self-attention in the middle of the network looks at nothing but its own place
            (perturbed-attention guidance, Ahn et al. 2024, arXiv 2403.17377).
        layers: Numbers of the blocks that are left out (skip-layer guidance).
    """

    attention: bool = False
    layers: tuple[int, ...] = ()


class Denoiser(Protocol):
    """A loaded network that estimates x0.

    Walks have x in float64, and an estimate has the dtype of its x: only the network itself rounds,
    which computes in a precision of its own.

    Attributes:
        levels: The noise levels it was trained on, and how noise and picture mix at them.
        channels: Channels of its latents.
        downscale: Picture pixels to one latent pixel, along each side.
        text_width: Length of the hidden states that it takes; 0 where it goes by their names.
        inputs: Channels that it takes; more than `channels` if some are laid beside x.
        size: Bytes that its weights hold.
    """

    @property
    def levels(self) -> NoiseLevels: ...
    @property
    def channels(self) -> int: ...
    @property
    def downscale(self) -> int: ...
    @property
    def text_width(self) -> int: ...
    @property
    def inputs(self) -> int: ...
    @property
    def size(self) -> int: ...

    def changed(self, change: Change) -> Denoiser:
        """The same with another network in place of its own, which stays as it is."""
        ...

    def scaled(self, latent: Tensor) -> Tensor:
        """A latent as the autoencoder gives it, scaled to what the network was trained on."""
        ...

    def unscaled(self, x: Tensor) -> Tensor:
        """The way back from `scaled`."""
        ...

    def defaults(self, negative: bool) -> Mapping[str, float]:
        """The extra numbers to take where a prompt, positive or negative, does not give them."""
        ...

    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        """x0 as the network sees it in x at noise level `sigma`.

        Args:
            x: [batch, channel, height, width].
            sigma: Noise level of x.
            prompt: What each picture is to show, for as many pictures.
        """
        ...

    def weakened(self, weakening: Weakening) -> AbstractContextManager[None]:
        """While it is open, estimates are made without what `weakening` says.

        Raises:
            InputError: The network cannot do without it, or has no such layers.
        """
        ...


@runtime_checkable
class Guiding(Protocol):
    """A denoiser that may make one estimate of two prompts itself.

    Attributes:
        guides: Whether it does.
    """

    @property
    def guides(self) -> bool: ...

    def guided_estimate(
        self, x: Tensor, sigma: float, positive: PromptBatch, negative: PromptBatch, scale: float
    ) -> Tensor:
        """x0 as the network sees it in x, led away from the negative prompt by `scale`."""
        ...


@dataclass(frozen=True)
class OwnWalk:
    """What a pipeline that walks by itself is told.

    Attributes:
        scale: Classifier-free guidance; 1 turns it off.
        steps: How many steps it takes.
        seeds: Of its noise: one for the whole batch, or one for each picture.
        on_step: Called after each step with how many are done and how many there are.
    """

    scale: float
    steps: int
    seeds: tuple[int, ...]
    on_step: Callable[[int, int], None]


@runtime_checkable
class SelfWalking(Protocol):
    """A denoiser whose pipeline can walk by itself."""

    def own_walk(
        self, latent: Tensor, positive: PromptBatch, negative: PromptBatch, told: OwnWalk
    ) -> Tensor:
        """Where the pipeline's own scheduler leads to from noise, as nodes see latents.

        Args:
            latent: Of the shape that is wanted.
            positive: What pictures are to show.
            negative: What they are not to show.
            told: How to walk.
        """
        ...


class TextModel(Protocol):
    """A loaded tokenizer and text encoder."""

    @property
    def size(self) -> int: ...

    def changed(self, change: Change) -> TextModel:
        """The same with other encoders in place of its own, which stay as they are."""
        ...

    def with_words(self, words: Sequence[Embedding]) -> TextModel:
        """The same, which has learned words that prompts may call.

        Raises:
            InputError: A word has no vectors for one of the encoders.
        """
        ...

    def without_layers(self, count: int) -> TextModel:
        """The same, whose states are those of `count` layers earlier than it was trained for.

        Raises:
            InputError: It has not so many layers.
        """
        ...

    def encode(self, prompt: str) -> Conditioning:
        """What a prompt means, its weights heeded, however long it is."""
        ...


class Autoencoder(Protocol):
    """A loaded autoencoder; latents are unscaled and, like pictures, float32."""

    @property
    def size(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def downscale(self) -> int: ...

    def encode(self, images: Tensor, noise: Tensor | None) -> Tensor:
        """Latents of pictures.

        Args:
            images: [batch, height, width, 3] in 0..1, sides multiples of `downscale`.
            noise: Standard normal noise of the latents' shape, to draw from the distribution that
                the encoder gives; None takes its mean.
        """
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures [batch, height, width, 3] in 0..1 of latents [batch, channel, height, width]."""
        ...


@runtime_checkable
class Normalizing(Protocol):
    """An autoencoder that normalizes over all places of a picture."""

    def norms(self) -> Sequence[nn.GroupNorm]:
        """What it does so with, on the way there and on the way back."""
        ...


class Family(Protocol):
    """A kind of model: how its parts are loaded from the files that a recipe names.

    Attributes:
        name: As recipes carry it.
        tiny_decoders: Names of files, without ending, of small decoders for its latents.
        colours: What the channels of its latents look like; empty if nobody knows.
    """

    @property
    def name(self) -> str: ...
    @property
    def tiny_decoders(self) -> tuple[str, ...]: ...
    @property
    def colours(self) -> Colours: ...

    def load_denoiser(self, recipe: Recipe, device: Device) -> Denoiser: ...
    def load_control(self, recipe: Recipe, device: Device) -> ControlNetwork: ...
    def load_text_model(self, recipe: Recipe, device: Device) -> TextModel: ...
    def load_autoencoder(self, recipe: Recipe, device: Device) -> Autoencoder: ...


@runtime_checkable
class SeeingText(Protocol):
    """A text model that may look at a picture beside the prompt."""

    def encode_seen(self, prompt: str, image: Tensor) -> Conditioning:
        """What a prompt about a picture [1, height, width, 3] in 0..1 means."""
        ...


@runtime_checkable
class Referring(Protocol):
    """An autoencoder that gives what a network draws on beside the prompt."""

    def references(
        self, image: Tensor, latent: Latent
    ) -> Mapping[str, Tensor | tuple[Tensor, ...]]:
        """What a walk to a latent like this reads of a picture, by the network's names.

        Raises:
            InputError: The model draws on no picture.
        """
        ...


@runtime_checkable
class LevelFamily(Protocol):
    """A family whose files tell by their heads, or configs, which noise levels a network knows."""

    def levels(self, recipe: Recipe) -> NoiseLevels:
        """Those of the network that `load_denoiser` would load, without patches."""
        ...


@runtime_checkable
class SizingFamily(Protocol):
    """A family whose latents are known by its pipeline's own reckoning only."""

    def empty(self, recipe: Recipe, batch: int, width: int, height: int, frames: int) -> Latent:
        """A latent of zeros for pictures, or for videos of more than one frame.

        Raises:
            InputError: The model makes none of this size.
        """
        ...
