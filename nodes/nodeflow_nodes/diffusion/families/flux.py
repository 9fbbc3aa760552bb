"""Flux 1: dev, which is told how firmly to follow the prompt, and schnell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn

from nodeflow import Conditioning, Device, Recipe
from nodeflow_nodes.diffusion.families import latent_colours
from nodeflow_nodes.diffusion.families.blocks import shapes
from nodeflow_nodes.diffusion.families.control_keys import ControlFile
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.flow import FlowDenoiser, flow_levels
from nodeflow_nodes.diffusion.families.flow_control import flux_residuals
from nodeflow_nodes.diffusion.families.flow_control_files import read_flux_control
from nodeflow_nodes.diffusion.families.flux_keys import (
    FAMILY_FLUX,
    PACKED,
    in_diffusers_layout,
    network_prefix,
    takes_guidance,
)
from nodeflow_nodes.diffusion.families.flux_names import flux_state, lacking
from nodeflow_nodes.diffusion.families.hints import ControlNetwork
from nodeflow_nodes.diffusion.families.kl_autoencoder import KlAutoencoder, load_kl_autoencoder
from nodeflow_nodes.diffusion.families.patches import packed, unpacked
from nodeflow_nodes.diffusion.families.pretrained import load_part
from nodeflow_nodes.diffusion.families.single_file import carried_config, fitting, require_none
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.text_encoder_keys import CLIP_L, T5
from nodeflow_nodes.diffusion.families.text_encoders import TextEncoders, TextParts
from nodeflow_nodes.diffusion.families.transformer_shapes import flux_config
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights
from nodeflow_nodes.diffusion.folders import layout_of, weight_variant
from nodeflow_nodes.diffusion.headers import read_config
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.noise_levels import FlowLevels, exponential_shift, rational_shift

_LEVELS = 10000
_LEVELS_SCHNELL = 1000
_T5_TOKENS = 512
_POOLED_WIDTH = 768
_GUIDANCE = 3.5
_PARTS = {"text_encoder": CLIP_L, "text_encoder_2": T5}
"""Folders of the text encoders."""


@dataclass(frozen=True)
class FluxDenoiser(FlowDenoiser):
    """The network, whose time is sigma itself.

    It reads of a prompt's extra numbers `guidance`, if it was distilled to: how firmly the picture
    follows the prompt, without a second estimate.
    """

    @property
    def inputs(self) -> int:
        return int(self.network.config["in_channels"]) // PACKED

    def defaults(self, negative: bool) -> Mapping[str, float]:
        return {"guidance": _GUIDANCE} if self.network.config["guidance_embeds"] else {}

    def blocks(self) -> list[nn.Module]:
        return [*self.network.transformer_blocks, *self.network.single_transformer_blocks]

    def asked(self, x: Tensor, sigma: float, prompt: PromptBatch) -> Tensor:
        dtype, device = self.network.dtype, x.device
        rows, columns = x.shape[2] // 2, x.shape[3] // 2
        places = torch.zeros(rows, columns, 3, device=device)
        places[..., 1] = torch.arange(rows, device=device)[:, None]
        places[..., 2] = torch.arange(columns, device=device)
        guidance = prompt.extra.get("guidance")
        guidance = None if guidance is None else guidance.to(device)
        assert prompt.pooled is not None
        asked: dict[str, Any] = {
            "hidden_states": packed(x).to(dtype),
            "timestep": torch.full((len(x),), self.levels.t(sigma), device=device),
            "guidance": guidance,
            "pooled_projections": prompt.pooled.to(device, dtype),
            "encoder_hidden_states": prompt.hidden.to(device, dtype),
            "txt_ids": torch.zeros(prompt.hidden.shape[1], 3, device=device),
            "img_ids": places.reshape(-1, 3),
            "return_dict": False,
        }
        asked |= flux_residuals(prompt.hints, asked, self.network)
        if not self.defaults(False):
            asked["guidance"] = None
        if prompt.beside is not None:
            # Control networks know nothing of what lies beside a latent.
            whole = torch.cat([x, prompt.beside.to(device)], dim=1)
            asked["hidden_states"] = packed(whole).to(dtype)
        return unpacked(self.network(**asked)[0], x.shape)


class FluxText(TextEncoders):
    """What T5 says, and what CLIP pools; what is missing says zeros."""

    def __init__(self, parts: TextParts, text_width: int, pooled_width: int) -> None:
        """The encoders that are there, and how long the states are that the network takes."""
        super().__init__(parts)
        self._text_width = text_width
        self._pooled_width = pooled_width

    def encode(self, prompt: str) -> Conditioning:
        """[1, 512 or more, width], and CLIP's pooled states."""
        device = self.parts.device
        if self.parts.t5 is None:
            hidden = torch.zeros(1, _T5_TOKENS, self._text_width, device=device)
        else:
            hidden = self.parts.t5.states(prompt)
        clip = self.parts.clips.get(CLIP_L)
        if clip is None:
            return Conditioning(hidden, torch.zeros(1, self._pooled_width, device=device))
        return Conditioning(hidden, clip.states(prompt).pooled)


class Flux:
    """The family: reads the parts of diffusers folders and of single files."""

    name = FAMILY_FLUX
    tiny_decoders: tuple[str, ...] = ("taef1_decoder", "taef1")
    colours: latent_colours.Colours = latent_colours.FLUX

    def load_denoiser(self, recipe: Recipe, device: Device) -> FluxDenoiser:
        """Network, noise levels and how latents are scaled."""
        file = inspect_model(Path(recipe.path))
        if file.layout == "folder":
            variant = weight_variant(file.path, layout_of(self.name), "transformer")
            network = load_part(
                FluxTransformer2DModel.from_pretrained, file.path / "transformer", device, variant
            )
            vae = read_config(file.path / "vae" / "config.json")
        else:
            network = read_network(TensorTable.read(file.path), device)
            vae = carried_config(self.name)["vae"]
        return FluxDenoiser.of(file, network, self.levels(recipe), vae, device)

    def levels(self, recipe: Recipe) -> FlowLevels:
        """See `LevelFamily.levels`."""
        file = inspect_model(Path(recipe.path))
        if file.layout == "folder":
            return flow_levels(file.path / "scheduler" / "scheduler_config.json", 1.0, _LEVELS)
        if takes_guidance(TensorTable.read(file.path)):
            return FlowLevels(exponential_shift(carried_config(self.name)["mu"]), _LEVELS)
        return FlowLevels(rational_shift(1.0), _LEVELS_SCHNELL)

    def load_control(self, recipe: Recipe, device: Device) -> ControlNetwork:
        """A control network of this architecture."""
        return read_flux_control(ControlFile.read(Path(recipe.path)), device)

    def load_text_model(self, recipe: Recipe, device: Device) -> FluxText:
        """T5, and CLIP beside it."""
        parts = TextParts.load(recipe, device, layout_of(self.name), _PARTS, _T5_TOKENS)
        return FluxText(parts, *parts.heard_by(Path(recipe.path), _takers, _POOLED_WIDTH))

    def load_autoencoder(self, recipe: Recipe, device: Device) -> KlAutoencoder:
        """The autoencoder."""
        return load_kl_autoencoder(Path(recipe.path), device, layout_of(self.name))


def _takers(table: TensorTable) -> tuple[str, str] | None:
    """The network's tensors that take hidden and pooled states, if a file has a network."""
    prefix = network_prefix(table)
    names = "txt_in.weight", "vector_in.in_layer.weight"
    return None if prefix is None else (f"{prefix}{names[0]}", f"{prefix}{names[1]}")


def read_network(table: TensorTable, device: Device) -> Any:
    """The network of a file, in either layout."""
    prefix = network_prefix(table)
    state = read_weights(table, prefix or "", device, as_stored=True)
    if not in_diffusers_layout(table):
        require_none(table, "network", lacking(state))
        state = fitting(table, "network", lambda: flux_state(state))
    config = fitting(table, "network", lambda: flux_config(shapes(state)))
    return assembled(
        lambda: FluxTransformer2DModel.from_config(config),
        lambda _: state,
        device,
        f"the network in {table.path}",
    )
