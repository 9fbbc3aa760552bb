"""Stable Diffusion 3 and 3.5 (Esser et al. 2024, arXiv 2403.03206)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.single_file_utils import convert_sd3_transformer_checkpoint_to_diffusers
from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel
from torch import Tensor

from nodeflow import Conditioning, Device, InputError, Recipe
from nodeflow_nodes.diffusion.families import latent_colours
from nodeflow_nodes.diffusion.families.blocks import shapes
from nodeflow_nodes.diffusion.families.control_keys import ControlFile
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.flow import FlowDenoiser, flow_levels
from nodeflow_nodes.diffusion.families.flow_control import sd3_residuals
from nodeflow_nodes.diffusion.families.flow_control_files import read_sd3_control
from nodeflow_nodes.diffusion.families.hints import ControlNetwork
from nodeflow_nodes.diffusion.families.kl_autoencoder import (
    KlAutoencoder,
    load_kl_autoencoder,
)
from nodeflow_nodes.diffusion.families.pretrained import load_part
from nodeflow_nodes.diffusion.families.single_file import Weights, carried_config, fitting
from nodeflow_nodes.diffusion.families.stable_diffusion_3_keys import (
    FAMILY_3,
    in_diffusers_layout,
    network_prefix,
)
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.text_encoder_keys import CLIP_G, CLIP_L, T5
from nodeflow_nodes.diffusion.families.text_encoders import TextEncoders, TextParts
from nodeflow_nodes.diffusion.families.transformer_shapes import sd3_config
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights
from nodeflow_nodes.diffusion.folders import layout_of, weight_variant
from nodeflow_nodes.diffusion.headers import read_config
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.noise_levels import FlowLevels, rational_shift

_TIMES = 1000
_T5_TOKENS = 256
_CLIP_TOKENS = 77
_POOLED_WIDTH = 2048


@dataclass(frozen=True)
class StableDiffusion3Denoiser(FlowDenoiser):
    """The network, whose time for noise level sigma is 1000 sigma."""

    def asked(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        dtype, config = self.network.dtype, self.network.config
        largest = int(config["pos_embed_max_size"]) * self.patch
        if max(x.shape[2:]) > largest:
            raise InputError(
                f"this model draws pictures of {largest * self.downscale} pixels a side at most; "
                "make the latent smaller"
            )
        assert prompt.pooled is not None
        asked: dict[str, Any] = {
            "hidden_states": x.to(dtype),
            "timestep": torch.full((len(x),), self.levels.t(sigma), device=x.device),
            "encoder_hidden_states": prompt.hidden.to(x.device, dtype),
            "pooled_projections": prompt.pooled.to(x.device, dtype),
            "return_dict": False,
        }
        asked |= sd3_residuals(prompt.hints, asked, self.network)
        found: Tensor = self.network(**asked)[0]
        return found


class StableDiffusion3Text(TextEncoders):
    """Two CLIPs side by side, and T5 behind them; what is missing says zeros, as in training."""

    def __init__(self, parts: TextParts, text_width: int, pooled_width: int) -> None:
        """The encoders that are there, and how long the states are that the network takes."""
        super().__init__(parts)
        self._text_width = text_width
        self._pooled_width = pooled_width

    def encode(self, prompt: str) -> Conditioning:
        """[1, chunks * 77 + 256 or more, width], and the CLIPs' pooled states."""
        clips = {part: clip.states(prompt) for part, clip in self.parts.clips.items()}
        first = next((states.hidden for states in clips.values()), None)
        tokens = _CLIP_TOKENS if first is None else first.shape[1]
        device = self.parts.device
        hidden: list[Tensor] = []
        pooled: list[Tensor] = []
        known = sum(_width(states.pooled) for states in clips.values())
        for part in (CLIP_L, CLIP_G):
            if part in clips:
                states = clips[part]
                assert states.pooled is not None
                hidden.append(states.hidden)
                pooled.append(states.pooled)
            else:
                missing, known = self._pooled_width - known, self._pooled_width
                hidden.append(torch.zeros(1, tokens, missing, device=device))
                pooled.append(torch.zeros(1, missing, device=device))
        side_by_side = torch.cat(hidden, dim=-1)
        room = self._text_width - side_by_side.shape[-1]
        side_by_side = torch.nn.functional.pad(side_by_side, (0, room))
        if self.parts.t5 is None:
            t5 = torch.zeros(1, _T5_TOKENS, self._text_width, device=device)
        else:
            t5 = self.parts.t5.states(prompt)
        return Conditioning(torch.cat([side_by_side, t5], dim=1), torch.cat(pooled, dim=-1))


class StableDiffusion3:
    """The family: reads the parts of diffusers folders and of single files."""

    name = FAMILY_3
    tiny_decoders: tuple[str, ...] = ("taesd3_decoder", "taesd3")
    colours: latent_colours.Colours = latent_colours.STABLE_DIFFUSION_3

    def load_denoiser(self, recipe: Recipe, device: Device) -> StableDiffusion3Denoiser:
        """Network, noise levels and how latents are scaled."""
        file = inspect_model(Path(recipe.path))
        if file.layout == "folder":
            variant = weight_variant(file.path, layout_of(self.name), "transformer")
            network = load_part(
                SD3Transformer2DModel.from_pretrained, file.path / "transformer", device, variant
            )
            vae = read_config(file.path / "vae" / "config.json")
        else:
            network = read_network(TensorTable.read(file.path), device)
            vae = carried_config(self.name)["vae"]
        return StableDiffusion3Denoiser.of(file, network, self.levels(recipe), vae, device)

    def levels(self, recipe: Recipe) -> FlowLevels:
        """See `LevelFamily.levels`."""
        file = inspect_model(Path(recipe.path))
        if file.layout == "folder":
            return flow_levels(file.path / "scheduler" / "scheduler_config.json", _TIMES, _TIMES)
        return FlowLevels(rational_shift(carried_config(self.name)["shift"]), _TIMES, _TIMES)

    def load_control(self, recipe: Recipe, device: Device) -> ControlNetwork:
        """A control network of this architecture."""
        return read_sd3_control(ControlFile.read(Path(recipe.path)), device)

    def load_text_model(self, recipe: Recipe, device: Device) -> StableDiffusion3Text:
        """Those of its three text encoders that are there."""
        parts = TextParts.load(
            recipe, device, layout_of(self.name), _PARTS, _T5_TOKENS, projected=True
        )
        widths = parts.heard_by(Path(recipe.path), _takers, _POOLED_WIDTH)
        return StableDiffusion3Text(parts, *widths)

    def load_autoencoder(self, recipe: Recipe, device: Device) -> KlAutoencoder:
        """The autoencoder."""
        return load_kl_autoencoder(Path(recipe.path), device, layout_of(self.name))


_PARTS = {"text_encoder": CLIP_L, "text_encoder_2": CLIP_G, "text_encoder_3": T5}
"""Folders of the text encoders."""


def read_network(table: TensorTable, device: Device) -> SD3Transformer2DModel:
    """The network of a file, in either layout."""
    what = f"the network in {table.path}"
    state: Weights
    if in_diffusers_layout(table):
        state = read_weights(table, "", device, as_stored=True)
    else:
        state = read_weights(table, network_prefix(table) or "", device, as_stored=True)
        convert: Any = convert_sd3_transformer_checkpoint_to_diffusers
        state = fitting(table, "network", lambda: convert(state))
    config = fitting(table, "network", lambda: sd3_config(shapes(state)))
    network: SD3Transformer2DModel = assembled(
        lambda: SD3Transformer2DModel.from_config(config), lambda _: state, device, what
    )
    return network


def _takers(table: TensorTable) -> tuple[str, str] | None:
    """The network's tensors that take hidden and pooled states, if a file has a network."""
    prefix = network_prefix(table)
    names = "context_embedder.weight", "y_embedder.mlp.0.weight"
    return None if prefix is None else (f"{prefix}{names[0]}", f"{prefix}{names[1]}")


def _width(pooled: Tensor | None) -> int:
    return 0 if pooled is None else pooled.shape[-1]
