"""Shrunk models that draw on a picture beside the prompt, as diffusers folders."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxKontextPipeline,
    FluxTransformer2DModel,
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
    T5Config,
    T5EncoderModel,
)

from tests.nodes.diffusion.modular_models import (
    CHAT,
    T5,
    WAN,
    louder,
    save_qwen_image,
    save_wan,
    t5_tokenizer,
)
from tests.nodes.diffusion.tiny_models import VAE, make_clip, tokenizer

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
        WanTransformer3DModel(**WAN, in_channels=36, image_dim=16, added_kv_proj_dim=24).eval(),
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


def save_flux_kontext(folder: Path) -> FluxKontextPipeline:
    """Flux Kontext: brings pictures to an area of its own, and is told how firmly to be guided."""
    torch.manual_seed(12)
    words = t5_tokenizer()
    text = T5Config(vocab_size=len(words), **T5)
    pipeline = FluxKontextPipeline(
        FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        # It sees pictures of a megapixel.
        AutoencoderKL(
            **VAE | {"block_out_channels": (8, 8, 8, 8), "norm_num_groups": 4},
            latent_channels=16,
            scaling_factor=0.36,
            shift_factor=0.11,
        ).eval(),
        make_clip(64),
        tokenizer("<|endoftext|>"),
        louder(T5EncoderModel(text)),
        words,
        FluxTransformer2DModel(
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=64,
            guidance_embeds=True,
            axes_dims_rope=(4, 6, 6),
        ).eval(),
    )
    pipeline.save_pretrained(folder)
    return pipeline
