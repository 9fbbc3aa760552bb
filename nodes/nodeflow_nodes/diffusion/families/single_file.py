"""Parts of Stable Diffusion out of single files, through diffusers' own conversions of names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from diffusers.loaders.single_file_utils import (
    LDM_UNET_KEY,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.blocks import shapes
from nodeflow_nodes.diffusion.families.shapes import unet_config, vae_config
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import UNET_PREFIXES, vae_prefix
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights

Weights = dict[str, Tensor]
C = TypeVar("C")

_CONFIGS = Path(__file__).parent / "configs"
_HEAD_WIDTH = 64
"""Channels of one attention head in every CLIP."""
_OPEN_CLIP = "clip."
"""Any prefix but that of Stable Diffusion 2, whose last layer the conversion leaves out itself."""
_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v."}
_OLD_ATTENTION |= {".proj_attn.": ".to_out.0."}


def carried_config(name: str) -> dict[str, Any]:
    """What shapes do not tell of an architecture, by its name; package data."""
    config: dict[str, Any] = json.loads((_CONFIGS / f"{name}.json").read_text())
    return config


def read_unet(table: TensorTable, heads: Mapping[str, int], device: Device) -> UNet2DConditionModel:
    """The network of a file, in either layout."""
    if "conv_in.weight" in table:
        state = read_weights(table, "", device, as_stored=True)
    else:
        prefix = next(p for p in UNET_PREFIXES if table.starts(f"{p}input_blocks."))
        state = _converted_unet(read_weights(table, prefix, device, as_stored=True))
    config = fitting(table, "network", lambda: unet_config(shapes(state), heads))
    network: UNet2DConditionModel = assembled(
        lambda: UNet2DConditionModel.from_config(config),
        lambda _: state,
        device,
        f"the network in {table.path}",
    )
    return network


def read_vae(table: TensorTable, device: Device) -> AutoencoderKL:
    """The autoencoder of a file, in either layout."""
    prefix = vae_prefix(table)
    if prefix is None:
        raise InputError(
            f"{table.path} holds no autoencoder; load one with load_vae, from a file that has it"
        )
    state = _diffusers_vae(read_weights(table, prefix, device))
    config = fitting(table, "autoencoder", lambda: vae_config(state))
    network: AutoencoderKL = assembled(
        lambda: AutoencoderKL.from_config(config),
        lambda _: state,
        device,
        f"the autoencoder in {table.path}",
    )
    return network


def read_clip(
    table: TensorTable,
    prefix: str,
    device: Device,
    *,
    projected: bool,
    without_last: bool = False,
    exact: bool = False,
) -> CLIPTextModel | CLIPTextModelWithProjection:
    """A CLIP text encoder, in OpenAI's and transformers' layout or in that of OpenCLIP.

    Args:
        table: The file.
        prefix: Before the names of its tensors.
        device: Where it goes.
        projected: With the projection that gives pooled states.
        without_last: Leave the last layer out, as Stable Diffusion 2 does.
        exact: It is one of OpenCLIP, whatever its layout.
    """
    state = read_weights(table, prefix, device)
    open_clip = "token_embedding.weight" in state
    if not open_clip:
        state = {name.removeprefix("text_model."): tensor for name, tensor in state.items()}
    config = fitting(table, "text encoder", lambda: _clip_config(state, open_clip))
    config.num_hidden_layers -= int(without_last)
    if exact:
        config.hidden_act = "gelu"
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel

    def named(network: Any) -> Weights:
        converted = state
        if open_clip:
            # It reads the width from the network's config, and names as the file has them.
            whole = {_OPEN_CLIP + name: tensor for name, tensor in state.items()}
            convert: Any = convert_open_clip_checkpoint
            converted = convert(network, whole, prefix=_OPEN_CLIP)
            converted = {n.removeprefix("text_model."): t for n, t in converted.items()}
        wrapper = "text_model." if hasattr(network, "text_model") else ""
        return {
            name if name.startswith("text_projection") else wrapper + name: tensor
            for name, tensor in converted.items()
        }

    place = f" '{prefix}'" if prefix else ""
    encoder: CLIPTextModel | CLIPTextModelWithProjection = assembled(
        lambda: kind(config), named, device, f"the text encoder{place} in {table.path}"
    )
    return encoder


def _clip_config(state: Weights, open_clip: bool) -> CLIPTextConfig:
    if open_clip:
        words, positions = state["token_embedding.weight"], state["positional_embedding"]
        inner, blocks = state["transformer.resblocks.0.mlp.c_fc.bias"], "transformer.resblocks."
    else:
        words = state["embeddings.token_embedding.weight"]
        positions = state["embeddings.position_embedding.weight"]
        inner, blocks = state["encoder.layers.0.mlp.fc1.bias"], "encoder.layers."
    width = words.shape[1]
    projection = state.get("text_projection", state.get("text_projection.weight"))
    return CLIPTextConfig(
        vocab_size=words.shape[0],
        hidden_size=width,
        intermediate_size=inner.shape[0],
        num_hidden_layers=len({n.split(".")[blocks.count(".")] for n in state if blocks in n}),
        num_attention_heads=max(width // _HEAD_WIDTH, 1),
        max_position_embeddings=positions.shape[0],
        projection_dim=width if projection is None else projection.shape[-1 if open_clip else 0],
        # OpenAI trained with the quick approximation, OpenCLIP with the exact function; bigG's
        # files in transformers' layout have the projection that OpenAI's text encoders lack.
        hidden_act="gelu" if open_clip or width > 768 else "quick_gelu",
        bos_token_id=words.shape[0] - 2,
        eos_token_id=words.shape[0] - 1,
        pad_token_id=1,
    )


def _converted_unet(state: Weights) -> Weights:
    down = [i for i in range(1, 99) if f"input_blocks.{i}.0.op.weight" in state]
    last = len({name.split(".")[1] for name in state if name.startswith("input_blocks.")})
    config: dict[str, Any] = {"layers_per_block": (down[0] if down else last) - 1}
    if "label_emb.0.0.weight" in state:
        config["addition_embed_type"] = "text_time"
    whole = {LDM_UNET_KEY + name: tensor for name, tensor in state.items()}
    convert: Any = convert_ldm_unet_checkpoint
    converted: Weights = convert(whole, config)
    return converted


def _diffusers_vae(state: Weights) -> Weights:
    if any(name.startswith("encoder.down_blocks.") for name in state):
        for old, new in _OLD_ATTENTION.items():
            state = {name.replace(old, new): tensor for name, tensor in state.items()}
        return state
    levels = {name.split(".")[2] for name in state if name.startswith("encoder.down.")}
    blocks = {"down_block_types": [""] * len(levels), "up_block_types": [""] * len(levels)}
    convert: Any = convert_ldm_vae_checkpoint
    converted: Weights = convert(state, blocks)
    return converted


def require_none(table: TensorTable, part: str, missing: Sequence[str]) -> None:
    """Raises InputError if tensors of a part, by their names in the file, are missing."""
    if missing:
        raise InputError(
            f"the {part} in {table.path} lacks {len(missing)} tensors that its architecture has, "
            f"such as '{missing[0]}'; fetch the file again, or choose another"
        )


def fitting(table: TensorTable, part: str, config: Callable[[], C]) -> C:
    try:
        return config()
    except (KeyError, IndexError, StopIteration) as error:
        raise InputError(
            f"the {part} in {table.path} lacks tensors of its architecture ({error}); fetch the "
            "file again, or choose another"
        ) from error
