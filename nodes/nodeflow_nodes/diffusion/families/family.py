"""What a family is: the seam between samplers and nodes on one side and networks on the other."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from nodeflow import Conditioning, Device, Recipe
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels


class Denoiser(Protocol):
    """A loaded network that estimates x0. `x` is always float32, as is every estimate.

    Attributes:
        levels: The noise levels it was trained on.
        channels: Channels of its latents.
        downscale: Picture pixels to one latent pixel, along each side.
        text_width: Length of the hidden states that it takes.
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
    def size(self) -> int: ...

    def scaled(self, latent: Tensor) -> Tensor:
        """A latent as the autoencoder gives it, scaled to what the network was trained on."""
        ...

    def unscaled(self, x: Tensor) -> Tensor:
        """The way back from `scaled`."""
        ...

    def start(self, latent: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """The scaled latent with noise of level `sigma`, where a sampler begins."""
        ...

    def estimate(self, x: Tensor, sigma: float, hidden: Tensor, pooled: Tensor | None) -> Tensor:
        """x0 as the network sees it in x at noise level `sigma`.

        Args:
            x: [batch, channel, height, width].
            sigma: Noise level of x.
            hidden: [batch, token, width]: what each picture is to show.
            pooled: [batch, width], for families that want it.
        """
        ...


class TextModel(Protocol):
    """A loaded tokenizer and text encoder."""

    @property
    def size(self) -> int: ...

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


class Family(Protocol):
    """A kind of model: how its parts are loaded from the files that a recipe names."""

    @property
    def name(self) -> str: ...

    def load_denoiser(self, recipe: Recipe, device: Device) -> Denoiser: ...
    def load_text_model(self, recipe: Recipe, device: Device) -> TextModel: ...
    def load_autoencoder(self, recipe: Recipe, device: Device) -> Autoencoder: ...
