"""IP-Adapters and image encoders with random weights for shrunk models, as people have them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from tests.nodes.diffusion.side_by_side import options
from tests.nodes.diffusion.tiny_models import save

State = dict[str, Tensor]
Groups = dict[str, State]

IMAGE_SIDE, PLACES_WIDTH, PROJECTED = 32, 128, 48
"""Of the image encoder: pixels that it sees, and lengths of its states."""
_TOKENS = 4


def make_encoder(seed: int = 0) -> CLIPVisionModelWithProjection:
    """An image encoder whose pictures make a difference."""
    torch.manual_seed(seed)
    config = CLIPVisionConfig(
        hidden_size=PLACES_WIDTH,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=PLACES_WIDTH // 64,
        image_size=IMAGE_SIDE,
        patch_size=8,
        projection_dim=PROJECTED,
    )
    encoder = CLIPVisionModelWithProjection(config).eval()
    for name, weight in encoder.named_parameters():
        if weight.ndim > 1 and "position" not in name:
            weight.data *= 4
    return encoder


def make_adapter(unet: UNet2DConditionModel, kind: str, seed: int = 0) -> Groups:
    """A `plain`, `plus` or `full` adapter for a UNet, in its two groups under original names."""
    draw = torch.Generator().manual_seed(seed)
    width = unet.config["cross_attention_dim"]

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw) / max(shape[-1], 1) ** 0.5

    attention: State = {}
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            inner = unet.get_submodule(name.removesuffix(".processor")).inner_dim
            for which in "kv":
                attention[f"{number}.to_{which}_ip.weight"] = 2 * random(int(inner), width)
    projection = {"plain": _plain, "plus": _plus, "full": _full}[kind](width, random)
    return {"image_proj": projection, "ip_adapter": attention}


def _norm(name: str, width: int, random: Any) -> State:
    return {f"{name}.weight": 1 + random(width), f"{name}.bias": random(width)}


def _plain(width: int, random: Any) -> State:
    return {
        "proj.weight": random(_TOKENS * width, PROJECTED),
        "proj.bias": random(_TOKENS * width),
        **_norm("norm", width, random),
    }


def _full(width: int, random: Any) -> State:
    return {
        "proj.0.weight": random(PLACES_WIDTH, PLACES_WIDTH),
        "proj.0.bias": random(PLACES_WIDTH),
        "proj.2.weight": random(width, PLACES_WIDTH),
        "proj.2.bias": random(width),
        **_norm("proj.3", width, random),
    }


def _plus(width: int, random: Any, inner: int = 64) -> State:
    state = {
        "latents": random(1, 6, inner),
        "proj_in.weight": random(inner, PLACES_WIDTH),
        "proj_in.bias": random(inner),
        "proj_out.weight": random(width, inner),
        "proj_out.bias": random(width),
        **_norm("norm_out", width, random),
    }
    for layer in range(4):
        attention, forward = f"layers.{layer}.0", f"layers.{layer}.1"
        state |= _norm(f"{attention}.norm1", inner, random)
        state |= _norm(f"{attention}.norm2", inner, random)
        state |= _norm(f"{forward}.0", inner, random)
        state |= {
            f"{attention}.to_q.weight": random(inner, inner),
            f"{attention}.to_kv.weight": random(2 * inner, inner),
            f"{attention}.to_out.weight": random(inner, inner),
            f"{forward}.1.weight": random(4 * inner, inner),
            f"{forward}.3.weight": random(inner, 4 * inner),
        }
    return state


def write_adapter(groups: Groups, path: Path) -> Path:
    """As `.safetensors`, or in the groups of its makers' `.bin`."""
    if path.suffix == ".bin":
        torch.save(groups, path)
        return path
    flat = {f"{group}.{name}": t for group, state in groups.items() for name, t in state.items()}
    return save(flat, path)


def adapted(pipe: Any, adapters: list[Groups], scales: list[float]) -> Any:
    """A copy of diffusers' pipeline with adapters, and nothing shared that these change."""
    seeing = {
        "unet": copy.deepcopy(pipe.unet),
        "image_encoder": make_encoder(),
        "feature_extractor": CLIPImageProcessor(
            size={"shortest_edge": IMAGE_SIDE}, crop_size=IMAGE_SIDE
        ),
    }
    whole = type(pipe)(**pipe.components | seeing, **options(pipe))
    names = [""] * len(adapters)
    whole.load_ip_adapter(copy.deepcopy(adapters), subfolder=names, weight_name=names)
    whole.set_ip_adapter_scale(scales)
    return whole
