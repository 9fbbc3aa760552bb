"""A full-size Stable Diffusion 1.5 as people have it: one file, fp16, original names; random."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import torch

NAME = "stable_diffusion_1.5_random.safetensors"


def checkpoint() -> Path:
    """The file, in a folder of checkpoints; written once, since that takes a minute."""
    file = platformdirs.user_cache_path("nodeflow-benchmarks") / "models" / "checkpoints" / NAME
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        half_written = file.with_suffix(".part")
        write(half_written)
        half_written.rename(file)
    return file


def write(path: Path) -> None:
    """Weights as the layers are initialised, from a fixed seed: 2.1 GB."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from safetensors.torch import save_file
    from transformers import CLIPTextConfig, CLIPTextModel

    from tests.nodes.diffusion.original_layout import (
        original_unet,
        original_vae,
        plain_clip,
        prefixed,
    )

    torch.manual_seed(0)
    # The defaults of diffusers' class are those of this network.
    unet = UNet2DConditionModel(cross_attention_dim=768, sample_size=64).half()
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
    ).half()
    text = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
            projection_dim=768,
        )
    ).half()
    state = prefixed("model.diffusion_model.", original_unet(unet.state_dict(), 2))
    state |= prefixed("first_stage_model.", original_vae(vae.state_dict()))
    state |= prefixed("cond_stage_model.transformer.", plain_clip(text.state_dict()))
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
