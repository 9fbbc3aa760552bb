"""Shrunk Stable Diffusion 1, 2 and XL with random weights: as pipelines and as single files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from nodeflow_nodes.diffusion.families.clip_vocabulary import clip_tokenizer
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tests.nodes.diffusion.original_layout import (
    State,
    open_clip,
    original_unet,
    original_vae,
    plain_clip,
    prefixed,
)

WORDS = 49408
VAE: dict[str, Any] = {
    "block_out_channels": (32, 32, 32, 32),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 1,
}
CROSS, PLAIN = "CrossAttn{}Block2D", "{}Block2D"
UNETS: dict[str, dict[str, Any]] = {
    "1": {"block_out_channels": (32, 64), "attention_head_dim": 8},
    "2": {"block_out_channels": (64, 128), "attention_head_dim": (1, 2)},
    "xl": {"block_out_channels": (64, 128), "attention_head_dim": (1, 2)},
    "refiner": {"block_out_channels": (64, 128, 64), "attention_head_dim": (1, 2, 1)},
}
KINDS: dict[str, tuple[str, ...]] = {
    "1": (CROSS, PLAIN),
    "2": (CROSS, PLAIN),
    "xl": (PLAIN, CROSS),
    "refiner": (PLAIN, CROSS, PLAIN),
}


def make_unet(kind: str, **config: Any) -> UNet2DConditionModel:
    """The network of a kind; what is named replaces the shrunk config."""
    kinds = KINDS[kind]
    values: dict[str, Any] = {
        "down_block_types": tuple(k.format("Down") for k in kinds),
        "up_block_types": tuple(k.format("Up") for k in reversed(kinds)),
        "layers_per_block": 1,
        "cross_attention_dim": {"1": 64, "2": 128, "xl": 192, "refiner": 128}[kind],
        "use_linear_projection": kind != "1",
        **UNETS[kind],
    }
    if kind in ("xl", "refiner"):
        numbers = 6 if kind == "xl" else 5
        values |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 128 + numbers * 256,
            "transformer_layers_per_block": 2,
        }
    return UNet2DConditionModel(**(values | config)).eval()


def make_control(unet: UNet2DConditionModel, seed: int = 0) -> ControlNetModel:
    """A control network beside a UNet, whose layers that begin as zeros are random too."""
    torch.manual_seed(seed)
    control = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8, 8, 16))
    for name, weight in control.named_parameters():
        if name.startswith("controlnet_"):
            weight.data = torch.randn(weight.shape) * 0.1
    return control.eval()


def original_control(control: ControlNetModel) -> State:
    """Its weights under their original names."""
    ends = {"down_blocks": "zero_convs.{}.0", "mid_block": "middle_block_out.0"}
    found = {}
    plain = {n: t for n, t in control.state_dict().items() if not n.startswith("controlnet_")}
    for name, tensor in control.state_dict().items():
        parts = name.split(".")
        if name.startswith("controlnet_cond_embedding."):
            last = 2 * (len(control.controlnet_cond_embedding.blocks) + 1)
            place = {"conv_in": 0, "conv_out": last}.get(parts[1])
            place = 2 * (int(parts[2]) + 1) if place is None else place
            found[f"input_hint_block.{place}.{parts[-1]}"] = tensor
        elif name.startswith("controlnet_"):
            start = ends[parts[0].removeprefix("controlnet_")].format(parts[1])
            found[f"{start}.{parts[-1]}"] = tensor
    return found | original_unet(plain, 1)


def make_clip(width: int, *, projected: bool = False, act: str = "quick_gelu", **more: Any) -> Any:
    config = CLIPTextConfig(
        **{
            "vocab_size": WORDS,
            "hidden_size": width,
            "intermediate_size": 2 * width,
            "num_hidden_layers": 3,
            "num_attention_heads": max(width // 64, 1),
            "projection_dim": width,
            "hidden_act": act,
            "bos_token_id": WORDS - 2,
            "eos_token_id": WORDS - 1,
            **more,
        }
    )
    model = (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()
    if model.device.type != "meta":
        # Larger than its usual start, so that prompts make a difference.
        for name, weight in model.named_parameters():
            if "token_embedding" in name:
                weight.data.mul_(50)
    return model


def tokenizer(pad: str) -> Any:
    made = clip_tokenizer.__wrapped__()
    made.pad_token = pad
    return made


def make_pipeline(kind: str, **scheduler: Any) -> Any:
    """A pipeline of `1`, `2`, `xl` or `refiner`."""
    torch.manual_seed(3)
    factor = 0.13025 if kind in ("xl", "refiner") else 0.18215
    parts: dict[str, Any] = {
        "unet": make_unet(kind),
        "vae": AutoencoderKL(**VAE, scaling_factor=factor).eval(),
        "scheduler": EulerDiscreteScheduler(
            beta_schedule="scaled_linear",
            beta_start=0.00085,
            beta_end=0.012,
            steps_offset=1,
            **scheduler,
        ),
    }
    if kind in ("1", "2"):
        parts["text_encoder"] = (
            make_clip(64) if kind == "1" else make_clip(128, act="gelu", projection_dim=128)
        )
        parts["tokenizer"] = tokenizer("<|endoftext|>" if kind == "1" else "!")
        return StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    base = kind == "xl"
    parts |= {
        "text_encoder": make_clip(64) if base else None,
        "tokenizer": tokenizer("<|endoftext|>") if base else None,
        "text_encoder_2": make_clip(128, projected=True, act="gelu"),
        "tokenizer_2": tokenizer("!"),
    }
    if base:
        return StableDiffusionXLPipeline(**parts, add_watermarker=False)
    return StableDiffusionXLImg2ImgPipeline(
        **parts, requires_aesthetics_score=True, add_watermarker=False
    )


def original_state(kind: str, pipe: Any, layers: int = 1) -> State:
    """All weights of a pipeline under their original names."""
    state = prefixed("model.diffusion_model.", original_unet(pipe.unet.state_dict(), layers))
    state |= prefixed("first_stage_model.", original_vae(pipe.vae.state_dict()))
    if kind in ("1", "xl"):
        place = "cond_stage_model." if kind == "1" else "conditioner.embedders.0."
        text = plain_clip(pipe.text_encoder.state_dict())
        state |= prefixed(f"{place}transformer.", text)
    if kind == "2":
        text = open_clip(pipe.text_encoder.state_dict(), extra_layer=True)
        state |= prefixed("cond_stage_model.model.", text)
    if kind in ("xl", "refiner"):
        text = open_clip(pipe.text_encoder_2.state_dict())
        place = f"conditioner.embedders.{int(kind == 'xl')}."
        state |= prefixed(f"{place}model.", text) | {f"{place}model.logit_scale": torch.ones(())}
    return state


def save(state: State, path: Path, dtype: torch.dtype = torch.float32) -> Path:
    save_file({n: t.detach().to(dtype).contiguous() for n, t in state.items()}, path)
    return path
