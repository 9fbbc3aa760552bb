"""Single files of Stable Diffusion 3 and 3.5, and T5 text encoders alone. Without torch."""

from __future__ import annotations

from nodeflow_nodes.diffusion.families.flux_keys import CONTROL_BLOCKS
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import vae_downscale, vae_prefix
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.text_encoder_keys import (
    T5,
    TEXT_WIDTH,
    encoder_prefixes,
    encoder_width,
)
from nodeflow_nodes.diffusion.model_file import Found

FAMILY_3 = "stable_diffusion_3"

NETWORK_PREFIXES = ("model.diffusion_model.", "")
"""Before the names of the network, in a whole model and alone."""
_FIRST_BLOCK = "joint_blocks.0.context_block."
_DIFFUSERS = ("pos_embed.proj.", "transformer_blocks.0.attn.add_q_proj.")


def network_prefix(table: TensorTable) -> str | None:
    """Before the names of the network in its original layout; None if there is none."""
    return next((p for p in NETWORK_PREFIXES if table.starts(f"{p}{_FIRST_BLOCK}")), None)


def in_diffusers_layout(table: TensorTable) -> bool:
    """Whether a file holds the network under diffusers' names."""
    return all(map(table.starts, _DIFFUSERS))


def find_stable_diffusion_3(table: TensorTable) -> Found | None:
    """What a file of this architecture holds; None if it is of another."""
    if CONTROL_BLOCKS in table:
        return None
    encoders = encoder_prefixes(table)
    prefix = network_prefix(table)
    if prefix is None and in_diffusers_layout(table):
        return Found(
            FAMILY_3,
            "diffusers",
            frozenset({"denoiser"}),
            prediction="flow",
            channels=table.sides("pos_embed.proj.weight")[1],
            text_width=table.sides("context_embedder.weight")[1],
            inputs=table.sides("pos_embed.proj.weight")[1],
            inner_width=table.sides("pos_embed.proj.weight")[0],
        )
    if prefix is not None:
        channels = table.sides(f"{prefix}x_embedder.proj.weight")[1]
        parts = {"denoiser"}
        parts |= {"vae"} if vae_prefix(table) is not None else set()
        parts |= {"text_encoder"} if encoders else set()
        return Found(
            FAMILY_3,
            "original",
            frozenset(parts),
            prediction="flow",
            channels=channels,
            downscale=vae_downscale(table) if "vae" in parts else 8,
            text_width=table.sides(f"{prefix}context_embedder.weight")[1],
            inputs=channels,
            inner_width=table.sides(f"{prefix}x_embedder.proj.weight")[0],
            encoders=frozenset(encoders),
        )
    if len(encoders) > 1 or T5 in encoders:
        width = encoder_width(table, encoders[T5]) if T5 in encoders else TEXT_WIDTH
        return Found(
            FAMILY_3,
            "diffusers",
            frozenset({"text_encoder"}),
            text_width=width,
            encoders=frozenset(encoders),
        )
    return None
