"""What networks of rectified flows share: x = (1 - sigma) x0 + sigma noise, and x - sigma out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.compiling import compiled
from nodeflow_nodes.diffusion.families.family import PromptBatch, Weakening
from nodeflow_nodes.diffusion.families.lora_layers import DENOISER
from nodeflow_nodes.diffusion.families.patches import whole_patches
from nodeflow_nodes.diffusion.families.pretrained import weight_bytes
from nodeflow_nodes.diffusion.headers import read_config
from nodeflow_nodes.diffusion.model_file import ModelFile
from nodeflow_nodes.diffusion.noise_levels import (
    FlowLevels,
    NoiseLevels,
    exponential_shift,
    rational_shift,
)


@dataclass(frozen=True)
class FlowDenoiser:
    """A transformer that gives noise minus x0.

    Attributes:
        network: A stack of equal blocks over squares of `patch` latent pixels.
        levels: Noise levels it was trained on.
        scaling_factor: Latents, less `shift_factor`, times this have unit variance.
        shift_factor: Their mean.
        channels: Channels of a latent.
        downscale: Picture pixels to one latent pixel, along each side.
        text_width: Length of the hidden states that it takes.
    """

    network: Any
    levels: NoiseLevels
    scaling_factor: float
    shift_factor: float
    channels: int
    downscale: int
    text_width: int

    patch = 2

    @classmethod
    def of(
        cls,
        file: ModelFile,
        network: Any,
        levels: NoiseLevels,
        vae: Mapping[str, Any],
        device: Device,
    ) -> Self:
        """The network of a file or folder, for latents of an autoencoder of this config."""
        return cls(
            network=compiled(network, device),
            levels=levels,
            scaling_factor=float(vae["scaling_factor"]),
            shift_factor=float(vae.get("shift_factor") or 0.0),
            channels=file.channels,
            downscale=file.downscale,
            text_width=file.text_width,
        )

    @property
    def size(self) -> int:
        return weight_bytes(self.network)

    @property
    def inputs(self) -> int:
        return self.channels

    def changed(self, change: Change) -> Self:
        return replace(self, network=change(Part(DENOISER, self.network)))

    def scaled(self, latent: Tensor) -> Tensor:
        return (latent - self.shift_factor) * self.scaling_factor

    def unscaled(self, x: Tensor) -> Tensor:
        return x / self.scaling_factor + self.shift_factor

    def defaults(self, negative: bool) -> Mapping[str, float]:
        return {}

    def weakened(self, weakening: Weakening) -> AbstractContextManager[None]:
        if weakening.attention:
            raise InputError(
                "in this network pictures and prompts share their attention, so perturbed_attention"
                " is not for it; use skip_layers"
            )
        return without_blocks(self.blocks(), weakening.layers)

    def blocks(self) -> list[nn.Module]:
        """The stack, from first to last."""
        return list(self.network.transformer_blocks)

    @torch.no_grad()
    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        height, width = x.shape[2:]
        prompt = self.pooled(prompt)
        if prompt.beside is not None:
            prompt = replace(prompt, beside=whole_patches(prompt.beside, self.patch))
        out = self.asked(whole_patches(x, self.patch), sigma, prompt)
        return x - sigma * out[:, :, :height, :width].float()

    def asked(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        """What the network gives for x, of x's shape."""
        raise NotImplementedError

    def pooled(self, prompt: PromptBatch) -> PromptBatch:
        """The prompt, which must have pooled states as long as the network takes them."""
        width = int(self.network.config["pooled_projection_dim"])
        if prompt.pooled is None or prompt.pooled.shape[-1] != width:
            has = "none" if prompt.pooled is None else f"pooled states {prompt.pooled.shape[-1]}"
            raise InputError(
                f"the model takes a prompt with pooled states of length {width}, and this one has "
                f"{has} long; encode it with the text encoders of the same model"
            )
        return prompt


def flow_levels(path: Path, time_scale: float, count: int) -> FlowLevels:
    """The noise levels that a `scheduler_config.json` of rectified flows describes.

    Args:
        path: The file.
        time_scale: The network's time for sigma 1.
        count: How many levels, where the shift is exponential and a picture's size moves it: then
            that of the largest pictures is taken.
    """
    config = read_config(path)
    if config.get("use_dynamic_shifting"):
        return FlowLevels(
            exponential_shift(float(config.get("max_shift", 1.15))), count, time_scale
        )
    steps = int(config.get("num_train_timesteps", 1000))
    return FlowLevels(rational_shift(float(config.get("shift", 1.0))), steps, time_scale)


@contextmanager
def without_blocks(blocks: list[nn.Module], numbers: tuple[int, ...]) -> Iterator[None]:
    """While it is open, these blocks hand on what they are given.

    Raises:
        InputError: There are not so many blocks.
    """
    beyond = [number for number in numbers if number >= len(blocks)]
    if beyond:
        raise InputError(
            f"this network has {len(blocks)} layers, numbered from 0, so there is no layer "
            f"{beyond[0]} to skip"
        )
    skipped = [blocks[number] for number in dict.fromkeys(numbers)]
    # A block that was compiled has one of its own.
    own = [(block, vars(block).get("forward")) for block in skipped]
    try:
        for block in skipped:
            block.forward = _handed_on
        yield
    finally:
        for block, forward in own:
            # The class's shows again.
            del block.forward
            if forward is not None:
                block.forward = forward


def _handed_on(
    hidden_states: Tensor, encoder_hidden_states: Tensor, *args: Any, **kwargs: Any
) -> tuple[Tensor, Tensor]:
    """A block that does nothing: prompt first, as blocks give it back."""
    return encoder_hidden_states, hidden_states
