"""Stable Diffusion 1 and 2, and models of the same architecture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor

from nodeflow import Device, InputError, Recipe
from nodeflow_nodes.diffusion.families.clip_text import ClipText
from nodeflow_nodes.diffusion.families.kl_autoencoder import KlAutoencoder
from nodeflow_nodes.diffusion.families.pretrained import load_part, weight_bytes
from nodeflow_nodes.diffusion.headers import read_config
from nodeflow_nodes.diffusion.inspection import (
    ModelFolder,
    inspect_folder,
    layout_of,
    weight_variant,
)
from nodeflow_nodes.diffusion.noise_levels import (
    DiscreteLevels,
    NoiseLevels,
    discrete_levels,
    linear_betas,
    scaled_linear_betas,
)

Prediction = Literal["epsilon", "v_prediction"]

_BETAS: Mapping[str, Callable[[float, float, int], Tensor]] = {
    "scaled_linear": scaled_linear_betas,
    "linear": linear_betas,
}


class StableDiffusion:
    """The family: reads the parts of a diffusers folder."""

    name = "stable_diffusion"

    def load_denoiser(self, recipe: Recipe, device: Device) -> StableDiffusionDenoiser:
        """Network, noise levels and scaling factor."""
        path = Path(recipe.path)
        folder = inspect_folder(path)
        return StableDiffusionDenoiser(
            network=load_part(
                UNet2DConditionModel.from_pretrained,
                path / "unet",
                device,
                self._variant(path, "unet"),
            ),
            levels=read_levels(path / "scheduler" / "scheduler_config.json"),
            prediction="v_prediction" if folder.prediction == "v_prediction" else "epsilon",
            scaling_factor=_scaling_factor(folder),
            channels=folder.channels,
            downscale=folder.downscale,
            text_width=folder.text_width,
        )

    def load_text_model(self, recipe: Recipe, device: Device) -> ClipText:
        """CLIP's tokenizer and text encoder."""
        path = Path(recipe.path)
        return ClipText.load(path, device, self._variant(path, "text_encoder"))

    def load_autoencoder(self, recipe: Recipe, device: Device) -> KlAutoencoder:
        """The autoencoder."""
        path = Path(recipe.path)
        return KlAutoencoder.load(path, device, self._variant(path, "vae"))

    def _variant(self, path: Path, part: str) -> str | None:
        return weight_variant(path, layout_of(self.name), part)


@dataclass(frozen=True)
class StableDiffusionDenoiser:
    """The network asked for x0 in sigma space, x = x0 + sigma * noise.

    Attributes:
        network: It was trained on x / sqrt(sigma^2 + 1), which has unit variance.
        levels: Noise levels it was trained on.
        prediction: What it gives: the noise, or the velocity (Salimans and Ho 2022, appendix D).
        scaling_factor: Latents times this have unit variance.
        channels: Channels of a latent.
        downscale: Picture pixels to one latent pixel, along each side.
        text_width: Length of the hidden states that it takes.
    """

    network: UNet2DConditionModel
    levels: NoiseLevels
    prediction: Prediction
    scaling_factor: float
    channels: int
    downscale: int
    text_width: int

    @property
    def size(self) -> int:
        return weight_bytes(self.network)

    def scaled(self, latent: Tensor) -> Tensor:
        return latent * self.scaling_factor

    def unscaled(self, x: Tensor) -> Tensor:
        return x / self.scaling_factor

    def start(self, latent: Tensor, noise: Tensor, sigma: float) -> Tensor:
        """At the highest level the noise is a little stronger, so that x has the variance that the
        network has seen there even if the latent is empty."""
        highest = float(self.levels.table[-1])
        at_highest = sigma > highest or math.isclose(sigma, highest, rel_tol=1e-5)
        return latent + noise * (math.sqrt(1 + sigma**2) if at_highest else sigma)

    @torch.no_grad()
    def estimate(self, x: Tensor, sigma: float, hidden: Tensor, pooled: Tensor | None) -> Tensor:
        dtype, scale = self.network.dtype, math.sqrt(sigma**2 + 1)
        time = torch.tensor(self.levels.t(sigma), device=x.device)
        states = hidden.to(x.device, dtype)
        asked = self.network((x / scale).to(dtype), time, encoder_hidden_states=states)
        out: Tensor = asked.sample.float()
        if self.prediction == "epsilon":
            return x - sigma * out
        return x / scale**2 - out * (sigma / scale)


def read_levels(path: Path) -> DiscreteLevels:
    """The noise levels that a `scheduler_config.json` describes.

    Raises:
        InputError: It names a beta schedule that is unknown here.
    """
    config: Mapping[str, Any] = read_config(path)
    if config.get("trained_betas") is not None:
        betas = torch.tensor(config["trained_betas"], dtype=torch.float64)
    else:
        name = config.get("beta_schedule", "linear")
        if name not in _BETAS:
            known = ", ".join(_BETAS)
            raise InputError(f"{path}: the beta_schedule '{name}' is unknown; known: {known}")
        # diffusers' own defaults, for configs that leave them out.
        start, end = float(config.get("beta_start", 1e-4)), float(config.get("beta_end", 0.02))
        betas = _BETAS[name](start, end, int(config.get("num_train_timesteps", 1000)))
    zero_terminal_snr = bool(config.get("rescale_betas_zero_snr", False))
    return discrete_levels(betas, zero_terminal_snr=zero_terminal_snr)


def _scaling_factor(folder: ModelFolder) -> float:
    # 0.18215 is Stable Diffusion's own, which old configs leave out.
    return float(read_config(folder.path / "vae" / "config.json").get("scaling_factor", 0.18215))
