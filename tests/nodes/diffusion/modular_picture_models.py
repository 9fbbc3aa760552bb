"""Shrunk models that draw on a picture beside the prompt, as diffusers folders."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    QwenImageEditPipeline,
    WanImageToVideoPipeline,
    WanTransformer3DModel,
)
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
)

from tests.nodes.diffusion.modular_models import CHAT, save_qwen_image, save_wan

MARKS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}


def save_wan_of_pictures(folder: Path) -> WanImageToVideoPipeline:
    """Wan image to video: a picture seen by CLIP, and as latents beside the noise."""
    base = save_wan(folder.with_name(f"{folder.name}_base"))
    sight = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    pipeline = WanImageToVideoPipeline(
        base.tokenizer,
        base.text_encoder,
        base.vae,
        FlowMatchEulerDiscreteScheduler(shift=3.0),
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        CLIPVisionModel(sight).eval(),
        WanTransformer3DModel(
            in_channels=36,
            num_attention_heads=2,
            attention_head_dim=12,
            text_dim=32,
            freq_dim=32,
            ffn_dim=64,
            num_layers=2,
            rope_max_seq_len=32,
            image_dim=16,
            added_kv_proj_dim=24,
        ).eval(),
    )
    pipeline.save_pretrained(folder)
    return pipeline


def save_qwen_image_edit(folder: Path) -> QwenImageEditPipeline:
    """Qwen-Image-Edit: the text encoder looks at the picture too."""
    base = save_qwen_image(folder.with_name(f"{folder.name}_base"))
    torch.manual_seed(11)
    tokenizer, text = base.tokenizer, base.text_encoder
    marks = ["<|im_start|>", "<|im_end|>", *MARKS.values()]
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    text.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    text.get_input_embeddings().weight.data.normal_()
    for name, mark in MARKS.items():
        setattr(text.config, name, tokenizer.convert_tokens_to_ids(mark))
    sight = Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=56 * 56)
    pipeline = QwenImageEditPipeline(
        base.scheduler,
        base.vae,
        text,
        tokenizer,
        Qwen2VLProcessor(sight, tokenizer, Qwen2VLVideoProcessor(), chat_template=CHAT),
        base.transformer,
    )
    pipeline.save_pretrained(folder)
    return pipeline
