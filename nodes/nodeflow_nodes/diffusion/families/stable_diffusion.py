"""Stable Diffusion 1 and 2, and models of the same architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor

from nodeflow import Device, InputError, Recipe
from nodeflow_nodes.diffusion.families import latent_colours
from nodeflow_nodes.diffusion.families.attention import own_place_only
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.clip_text import ClipText
from nodeflow_nodes.diffusion.families.clip_vocabulary import clip_tokenizer
from nodeflow_nodes.diffusion.families.compiling import compiled
from nodeflow_nodes.diffusion.families.control import read_control, residuals
from nodeflow_nodes.diffusion.families.control_keys import ControlFile
from nodeflow_nodes.diffusion.families.family import PromptBatch, TextModel, Weakening
from nodeflow_nodes.diffusion.families.hints import ControlNetwork
from nodeflow_nodes.diffusion.families.ip_adapter import seeing
from nodeflow_nodes.diffusion.families.kl_autoencoder import KlAutoencoder, load_kl_autoencoder
from nodeflow_nodes.diffusion.families.lora_layers import DENOISER
from nodeflow_nodes.diffusion.families.parameterization import (
    Prediction,
    estimate_of,
    network_input,
)
from nodeflow_nodes.diffusion.families.pretrained import load_part, weight_bytes
from nodeflow_nodes.diffusion.families.single_file import (
    carried_config,
    read_clip,
    read_unet,
)
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import projects_linearly, text_prefixes
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.folders import layout_of, weight_variant
from nodeflow_nodes.diffusion.headers import read_config
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.noise_levels import (
    DiscreteLevels,
    NoiseLevels,
    discrete_levels,
    linear_betas,
    scaled_linear_betas,
)

_BETAS: Mapping[str, Callable[[float, float, int], Tensor]] = {
    "scaled_linear": scaled_linear_betas,
    "linear": linear_betas,
}
# OpenCLIP fills chunks up with the token 0, OpenAI's CLIP with its end mark.
OPEN_CLIP_PADDING = 0


@dataclass(frozen=True)
class StableDiffusionDenoiser:
    """The network asked for x0 in sigma space, x = x0 + sigma * noise.

    Attributes:
        network: It was trained on x / sqrt(sigma^2 + 1), which has unit variance.
        levels: Noise levels it was trained on.
        prediction: What it gives: the noise or the velocity.
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

    @property
    def inputs(self) -> int:
        return int(self.network.config["in_channels"])

    def changed(self, change: Change) -> StableDiffusionDenoiser:
        return replace(self, network=change(Part(DENOISER, self.network)))

    def scaled(self, latent: Tensor) -> Tensor:
        return latent * self.scaling_factor

    def unscaled(self, x: Tensor) -> Tensor:
        return x / self.scaling_factor

    def defaults(self, negative: bool) -> Mapping[str, float]:
        return {}

    @torch.no_grad()
    def estimate(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        dtype = self.network.dtype
        time = torch.tensor(self.levels.t(sigma), device=x.device)
        seen = network_input(self.prediction, x, sigma).to(dtype)
        asked: dict[str, Any] = {
            "timestep": time,
            "encoder_hidden_states": prompt.hidden.to(x.device, dtype),
            "added_cond_kwargs": self.added(x, prompt),
        }
        # Control networks know nothing of what lies beside a latent.
        asked |= residuals(prompt.hints, seen, asked)
        if prompt.beside is not None:
            seen = torch.cat([seen, prompt.beside.to(x.device, dtype)], dim=1)
        with seeing(self.network, prompt.sights) as network:
            out = network(seen, **asked).sample
        return estimate_of(self.prediction, x, out.float(), sigma)

    def weakened(self, weakening: Weakening) -> AbstractContextManager[None]:
        if weakening.layers:
            raise InputError(
                "this network is no stack of equal layers that could be skipped; use "
                "perturbed_attention with it"
            )
        return own_place_only(self.network.mid_block)

    def added(self, x: Tensor, prompt: PromptBatch) -> dict[str, Tensor] | None:
        """What the network takes besides hidden states; nothing here."""
        return None


class StableDiffusion:
    """The family: reads the parts of diffusers folders and of single files."""

    name = "stable_diffusion"
    tiny_decoders: tuple[str, ...] = ("taesd_decoder", "taesd")
    colours: latent_colours.Colours = latent_colours.STABLE_DIFFUSION
    denoiser: type[StableDiffusionDenoiser] = StableDiffusionDenoiser

    def load_denoiser(self, recipe: Recipe, device: Device) -> StableDiffusionDenoiser:
        """Network, noise levels and scaling factor."""
        file = inspect_model(Path(recipe.path))
        if file.layout == "folder":
            network = load_part(
                UNet2DConditionModel.from_pretrained,
                file.path / "unet",
                device,
                self.variant(file.path, "unet"),
            )
            vae = read_config(file.path / "vae" / "config.json")
            # Old configs leave it out.
            scaling_factor = float(vae.get("scaling_factor", 0.18215))
        else:
            table = TensorTable.read(file.path)
            config = self.config(table)
            network = read_unet(table, config["unet"], device)
            scaling_factor = config["vae"]["scaling_factor"]
        return self.denoiser(
            network=compiled(network, device),
            levels=self.levels(recipe),
            prediction="v_prediction" if file.prediction == "v_prediction" else "epsilon",
            scaling_factor=scaling_factor,
            channels=file.channels,
            downscale=file.downscale,
            text_width=file.text_width,
        )

    def levels(self, recipe: Recipe) -> DiscreteLevels:
        """See `LevelFamily.levels`."""
        file = inspect_model(Path(recipe.path))
        if file.layout == "folder":
            return read_levels(file.path / "scheduler" / "scheduler_config.json")
        betas = scaled_linear_betas(0.00085, 0.012, 1000)
        return discrete_levels(betas, zero_terminal_snr=file.zero_terminal_snr)

    def load_control(self, recipe: Recipe, device: Device) -> ControlNetwork:
        """A control network of this architecture."""
        file = ControlFile.read(Path(recipe.path))
        heads = {} if file.path.is_dir() else self.config(TensorTable.read(file.path))["unet"]
        return read_control(file, heads, device)

    def load_text_model(self, recipe: Recipe, device: Device) -> TextModel:
        """CLIP's tokenizer and text encoder."""
        path = Path(recipe.path)
        if path.is_dir():
            return ClipText.load(path, device, self.variant(path, "text_encoder"))
        table = TensorTable.read(path)
        prefix = text_prefixes(table)[0]
        # Stable Diffusion 2: OpenCLIP's encoder without its last layer.
        open_clip = f"{prefix}token_embedding.weight" in table
        encoder = read_clip(table, prefix, device, projected=False, without_last=open_clip)
        padding = None if encoder.config.hidden_act == "quick_gelu" else OPEN_CLIP_PADDING
        return ClipText(clip_tokenizer(), encoder, device, padding=padding)

    def load_autoencoder(self, recipe: Recipe, device: Device) -> KlAutoencoder:
        """The autoencoder."""
        return load_kl_autoencoder(Path(recipe.path), device, layout_of(self.name))

    def config(self, table: TensorTable) -> dict[str, Any]:
        """What the shapes in a single file do not tell."""
        return carried_config(f"stable_diffusion_{2 if projects_linearly(table) else 1}")

    def variant(self, path: Path, part: str) -> str | None:
        """`fp16` if a folder has only such files of a part."""
        return weight_variant(path, layout_of(self.name), part)


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
