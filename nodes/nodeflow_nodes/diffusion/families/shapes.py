"""Configs of networks by the shapes of their tensors, under diffusers' and transformers' names.

What no shape tells (number of attention heads, activations) the callers add.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class Shaped(Protocol):
    """A tensor, or what a file's header tells of one."""

    @property
    def shape(self) -> tuple[int, ...]: ...


State = Mapping[str, Shaped]


def unet_config(state: State, heads: Mapping[str, int]) -> dict[str, Any]:
    """Config of a `UNet2DConditionModel`.

    Args:
        state: Its weights.
        heads: `heads` of every attention, or `head_width`: channels of one head.
    """
    kinds = _attending(state)
    return {
        **_encoder(state, heads),
        "out_channels": state["conv_out.weight"].shape[0],
        "up_block_types": [_block("Up", attends) for attends in reversed(kinds)],
    }


def control_config(state: State, heads: Mapping[str, int]) -> dict[str, Any]:
    """Config of a `ControlNetModel`; arguments as those of `unet_config`."""
    start = "controlnet_cond_embedding."
    steps = range(count(state, r"controlnet_cond_embedding\.blocks\.(\d+)\.") // 2)
    first = state[f"{start}conv_in.weight"]
    # Every second of its blocks makes the picture smaller, and more channels.
    wider = [state[f"{start}blocks.{2 * i + 1}.weight"].shape[0] for i in steps]
    return {
        **_encoder(state, heads),
        "conditioning_channels": first.shape[1],
        "conditioning_embedding_out_channels": [first.shape[0], *wider],
    }


def _encoder(state: State, heads: Mapping[str, int]) -> dict[str, Any]:
    """What a UNet and its control network have in common."""
    levels = range(count(state, r"down_blocks\.(\d+)\."))
    channels = [state[f"down_blocks.{i}.resnets.0.conv1.weight"].shape[0] for i in levels]
    middle = count(state, r"mid_block\.attentions\.0\.transformer_blocks\.(\d+)\.")
    depths = [
        count(state, rf"down_blocks\.{i}\.attentions\.0\.transformer_blocks\.(\d+)\.")
        for i in levels
    ]
    width = heads.get("head_width", 0)
    config: dict[str, Any] = {
        "in_channels": state["conv_in.weight"].shape[1],
        "block_out_channels": channels,
        "layers_per_block": count(state, r"down_blocks\.0\.resnets\.(\d+)\."),
        "down_block_types": [_block("Down", attends) for attends in _attending(state)],
        # Where a level has no attention its depth does not matter; the middle takes the last one.
        "transformer_layers_per_block": [depth or max(middle, 1) for depth in depths],
        "cross_attention_dim": _cross_width(state),
        "attention_head_dim": [max(c // width, 1) for c in channels] if width else heads["heads"],
        "use_linear_projection": _projects_linearly(state),
    }
    added = state.get("add_embedding.linear_1.weight")
    if added is not None:
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": added.shape[1],
        }
    return config


def _attending(state: State) -> list[bool]:
    """Which of a UNet's levels have attention."""
    levels = range(count(state, r"down_blocks\.(\d+)\."))
    return [f"down_blocks.{i}.attentions.0.norm.weight" in state for i in levels]


def vae_config(state: State) -> dict[str, Any]:
    """Config of an `AutoencoderKL`."""
    levels = range(count(state, r"encoder\.down_blocks\.(\d+)\."))
    return {
        "latent_channels": state["decoder.conv_in.weight"].shape[1],
        "block_out_channels": [
            state[f"encoder.down_blocks.{i}.resnets.0.conv1.weight"].shape[0] for i in levels
        ],
        "layers_per_block": count(state, r"encoder\.down_blocks\.0\.resnets\.(\d+)\."),
        "down_block_types": ["DownEncoderBlock2D" for _ in levels],
        "up_block_types": ["UpDecoderBlock2D" for _ in levels],
        "use_quant_conv": "quant_conv.weight" in state,
        "use_post_quant_conv": "post_quant_conv.weight" in state,
    }


def count(names: Iterable[str], pattern: str) -> int:
    """How many different numbers stand in names that begin with `pattern`."""
    return len({match[1] for name in names if (match := re.match(pattern, name))})


def _block(direction: str, attends: bool) -> str:
    return f"CrossAttn{direction}Block2D" if attends else f"{direction}Block2D"


def _cross_width(state: State) -> int:
    return next(w.shape[1] for name, w in state.items() if name.endswith("attn2.to_k.weight"))


def _projects_linearly(state: State) -> bool:
    return any(name.endswith(".proj_in.weight") and len(w.shape) == 2 for name, w in state.items())
