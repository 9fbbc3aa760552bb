"""Stable Diffusion 1, 2 and XL in full size: every tensor's name and shape, and random content."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from torch import Tensor

from tests.nodes.diffusion.original_layout import (
    open_clip,
    original_unet,
    original_vae,
    plain_clip,
    prefixed,
)
from tests.nodes.diffusion.tiny_models import (
    CROSS,
    PLAIN,
    VAE,
    make_clip,
    make_unet,
    tokenizer,
)

DTYPES = {torch.float16: "F16", torch.float32: "F32", torch.float8_e4m3fn: "F8_E4M3"}
FULL_VAE = VAE | {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2}
FULL: dict[str, dict[str, Any]] = {
    "1": {
        "block_out_channels": (320, 640, 1280, 1280),
        "down_block_types": [CROSS.format("Down")] * 3 + [PLAIN.format("Down")],
        "up_block_types": [PLAIN.format("Up")] + [CROSS.format("Up")] * 3,
        "cross_attention_dim": 768,
    },
    "xl": {
        "block_out_channels": (320, 640, 1280),
        "down_block_types": [PLAIN.format("Down")] + [CROSS.format("Down")] * 2,
        "up_block_types": [CROSS.format("Up")] * 2 + [PLAIN.format("Up")],
        "attention_head_dim": (5, 10, 20),
        "transformer_layers_per_block": (1, 2, 10),
        "cross_attention_dim": 2048,
        "projection_class_embeddings_input_dim": 2816,
    },
    "refiner": {
        "block_out_channels": (384, 768, 1536, 1536),
        "down_block_types": [
            PLAIN.format("Down"),
            *([CROSS.format("Down")] * 2),
            PLAIN.format("Down"),
        ],
        "up_block_types": [k.format("Up") for k in (PLAIN, CROSS, CROSS, PLAIN)],
        "attention_head_dim": (6, 12, 24, 24),
        "transformer_layers_per_block": 4,
        "cross_attention_dim": 1280,
        "projection_class_embeddings_input_dim": 2560,
    },
}
FULL["2"] = FULL["1"] | {"cross_attention_dim": 1024, "attention_head_dim": (5, 10, 20, 20)}


def full_unet(kind: str) -> Any:
    return make_unet(kind, layers_per_block=2, **FULL[kind])


def full_clip(which: str) -> Any:
    """CLIP-L, or OpenCLIP's H without its last layer, or its G."""
    if which == "l":
        return make_clip(768, num_hidden_layers=12, intermediate_size=3072)
    if which == "h":
        return make_clip(1024, num_hidden_layers=23, intermediate_size=4096, act="gelu")
    return make_clip(1280, num_hidden_layers=32, intermediate_size=5120, projected=True, act="gelu")


def full_size(kind: str) -> dict[str, Tensor]:
    """Every tensor of a real file, none of them with content."""
    with torch.device("meta"):
        vae = AutoencoderKL(**FULL_VAE)
        clips = {which: full_clip(which).state_dict() for which in "lhg"}
        state = prefixed("model.diffusion_model.", original_unet(full_unet(kind).state_dict(), 2))
        state |= prefixed("first_stage_model.", original_vae(vae.state_dict()))
        conditioner = {
            "1": {"cond_stage_model.transformer.": plain_clip(clips["l"])},
            "2": {"cond_stage_model.model.": open_clip(clips["h"], extra_layer=True)},
            "xl": {
                "conditioner.embedders.0.transformer.": plain_clip(clips["l"]),
                "conditioner.embedders.1.model.": open_clip(clips["g"]),
            },
            "refiner": {"conditioner.embedders.0.model.": open_clip(clips["g"])},
        }
        for prefix, text in conditioner[kind].items():
            state |= prefixed(prefix, text)
    return state


def write_header(state: dict[str, Tensor], path: Path, dtype: torch.dtype = torch.float16) -> Path:
    """A file with the header of real weights, and a hole in place of their gigabytes."""
    header, end = {}, 0
    for name, tensor in state.items():
        size = math.prod(tensor.shape) * dtype.itemsize
        shape = list(tensor.shape)
        header[name] = {"dtype": DTYPES[dtype], "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return path


def write_random(kind: str, path: Path) -> Path:
    """A full-size file in fp16 with random weights, no two tensors alike."""
    state = full_size(kind)
    write_header(state, path)
    noise = torch.randn(_NOISE, generator=torch.Generator().manual_seed(0)).half().repeat(2)
    with path.open("r+b") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        for number, (name, like) in enumerate(state.items()):
            file.write(_weights(name, like.shape, noise, number * _STRIDE % _NOISE).numpy().data)
    return path


_NOISE = 1 << 24
_STRIDE = 104_729


def _weights(name: str, shape: torch.Size, noise: Tensor, start: int) -> Tensor:
    """As large as a network's weights, so that what it makes stays finite."""
    count = shape.numel()
    values = noise[start : start + min(count, _NOISE)]
    if count > _NOISE:
        values = values.repeat(math.ceil(count / _NOISE))[:count]
    values = values.view(shape)
    if len(shape) < 2:
        return values * 0.1 + float(name.endswith("weight"))
    return values if "token_embedding" in name else values / math.sqrt(shape[1:].numel())


def write_config(kind: str, folder: Path) -> Path:
    """What diffusers reads beside such a file: configs and vocabularies, no weights."""
    with torch.device("meta"):
        parts: dict[str, Any] = {
            "unet": full_unet(kind),
            "vae": AutoencoderKL(**FULL_VAE, scaling_factor=0.13025 if kind == "xl" else 0.18215),
            "text_encoder": full_clip("l"),
        }
        if kind == "xl":
            parts["text_encoder_2"] = full_clip("g")
    parts["scheduler"] = EulerDiscreteScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, steps_offset=1
    )
    parts["tokenizer"] = tokenizer("<|endoftext|>")
    if kind == "xl":
        parts["tokenizer_2"] = tokenizer("!")
        pipe: Any = StableDiffusionXLPipeline(**parts, add_watermarker=False)
    else:
        pipe = StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    pipe.save_config(folder)
    for name, part in parts.items():
        if hasattr(part, "save_config"):
            part.save_config(folder / name)
        else:
            (part.config if name.startswith("text") else part).save_pretrained(folder / name)
    return folder
