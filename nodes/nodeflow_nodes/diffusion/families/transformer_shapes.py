"""Configs of transformers by the shapes of their tensors, under diffusers' names."""

from __future__ import annotations

import math
from typing import Any

from nodeflow_nodes.diffusion.families.shapes import State, count

_GUIDANCE = "time_text_embed.guidance_embedder."
HEAD_WIDTH = 64
"""Channels of one attention head of Stable Diffusion 3, where no norm of theirs tells."""


def sd3_config(state: State) -> dict[str, Any]:
    """Config of a `SD3Transformer2DModel`."""
    patches = state["pos_embed.proj.weight"]
    width, text_width = state["context_embedder.weight"].shape
    norm = next((t for name, t in state.items() if name.endswith(".attn.norm_q.weight")), None)
    head_width = HEAD_WIDTH if norm is None else norm.shape[0]
    layers = count(state, r"transformer_blocks\.(\d+)\.")
    return {
        "patch_size": patches.shape[2],
        "in_channels": patches.shape[1],
        "out_channels": state["proj_out.weight"].shape[0] // patches.shape[2] ** 2,
        "num_layers": layers,
        "attention_head_dim": head_width,
        "num_attention_heads": width // head_width,
        "joint_attention_dim": text_width,
        "caption_projection_dim": width,
        "pooled_projection_dim": state["time_text_embed.text_embedder.linear_1.weight"].shape[1],
        "pos_embed_max_size": math.isqrt(state["pos_embed.pos_embed"].shape[1]),
        "dual_attention_layers": [
            i for i in range(layers) if count(state, rf"transformer_blocks\.({i})\.attn2\.")
        ],
        "qk_norm": None if norm is None else "rms_norm",
    }


def flux_config(state: State) -> dict[str, Any]:
    """Config of a `FluxTransformer2DModel`."""
    width, taken = state["x_embedder.weight"].shape
    given = state.get("proj_out.weight")
    head_width = state["transformer_blocks.0.attn.norm_q.weight"].shape[0]
    # 16, 56 and 56 of 128: the parts of a head that turn with each of a token's three places.
    axes = (head_width // 8, head_width * 7 // 16, head_width * 7 // 16)
    return {
        "in_channels": taken,
        "out_channels": None if given is None else given.shape[0],
        "num_layers": count(state, r"transformer_blocks\.(\d+)\."),
        "num_single_layers": count(state, r"single_transformer_blocks\.(\d+)\."),
        "attention_head_dim": head_width,
        "num_attention_heads": width // head_width,
        "joint_attention_dim": state["context_embedder.weight"].shape[1],
        "pooled_projection_dim": state["time_text_embed.text_embedder.linear_1.weight"].shape[1],
        "guidance_embeds": any(name.startswith(_GUIDANCE) for name in state),
        "axes_dims_rope": axes,
    }
