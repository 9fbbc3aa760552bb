"""Shrunk models of kinds that no family of ours reads: random weights, as diffusers folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLLTXVideo,
    AutoencoderKLQwenImage,
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    Ideogram4Pipeline,
    Ideogram4Transformer2DModel,
    LTXPipeline,
    LTXVideoTransformer3DModel,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
    WanPipeline,
    WanTransformer3DModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
    Qwen3VLConfig,
    Qwen3VLModel,
    T5Config,
    T5EncoderModel,
    UMT5Config,
    UMT5EncoderModel,
)

from tests.nodes.diffusion.tiny_models import VAE

T5: dict[str, Any] = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
WAN: dict[str, Any] = {
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "text_dim": 32,
    "freq_dim": 32,
    "ffn_dim": 64,
    "num_layers": 2,
    "rope_max_seq_len": 32,
}
WAN_VAE: dict[str, Any] = {
    "base_dim": 8,
    "z_dim": 16,
    "dim_mult": [1, 1, 1, 1],
    "num_res_blocks": 1,
}
CHAT = "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"


def qwen_tokenizer() -> Any:
    """Bytes, and the marks of a chat."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    made = Qwen2Tokenizer(vocab=vocabulary, merges=[])
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.chat_template = CHAT
    return made


def t5_tokenizer() -> Any:
    """Single letters."""
    letters = [(letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz"]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), *letters]
    inner = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def louder(encoder: Any) -> Any:
    """Embeddings larger than at their usual start, so that prompts make a difference."""
    encoder.get_input_embeddings().weight.data.mul_(50)
    return encoder.eval()


def save_z_image(folder: Path, heads: int = 2) -> ZImagePipeline:
    """Z-Image: latents stay pictures in the walk, prompts are lists, times run backwards.

    Here as elsewhere a network of more heads has larger matrices."""
    torch.manual_seed(5)
    tokenizer = qwen_tokenizer()
    text = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
    )
    transformer = ZImageTransformer2DModel(
        dim=16 * heads,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=heads,
        n_kv_heads=heads,
        cap_feat_dim=32,
        axes_dims=[4, 6, 6],
        axes_lens=[512, 64, 64],
    )
    for name, weight in transformer.named_parameters():
        if "pad_token" in name or "embedder" in name:
            weight.data = torch.randn(weight.shape) * 0.1
    pipeline = ZImagePipeline(
        FlowMatchEulerDiscreteScheduler(shift=3.0),
        AutoencoderKL(**VAE, latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159).eval(),
        louder(Qwen3Model(text)),
        tokenizer,
        transformer.eval(),
    )
    pipeline.save_pretrained(folder)
    return pipeline


def save_wan(folder: Path, heads: int = 2) -> WanPipeline:
    """Wan: videos, a negative prompt that blocks insist on."""
    torch.manual_seed(6)
    tokenizer = t5_tokenizer()
    text = UMT5Config(vocab_size=len(tokenizer), **T5)
    pipeline = WanPipeline(
        tokenizer,
        louder(UMT5EncoderModel(text)),
        AutoencoderKLWan(**WAN_VAE).eval(),
        FlowMatchEulerDiscreteScheduler(shift=3.0),
        WanTransformer3DModel(**WAN | {"num_attention_heads": heads}).eval(),
    )
    pipeline.save_pretrained(folder)
    return pipeline


def save_wan_of_two(folder: Path, heads: int = 2) -> WanPipeline:
    """Wan 2.2: one network for high noise, another for low."""
    base = save_wan(folder.with_name(f"{folder.name}_base"), heads)
    pipeline = WanPipeline(
        base.tokenizer,
        base.text_encoder,
        base.vae,
        base.scheduler,
        base.transformer,
        WanTransformer3DModel(**WAN | {"num_attention_heads": heads}).eval(),
        boundary_ratio=0.875,
    )
    pipeline.save_pretrained(folder)
    return pipeline


def save_qwen_image(folder: Path, heads: int = 2) -> QwenImagePipeline:
    """Qwen-Image: latents are packed in the walk and have frames, guidance keeps the length of the
    prediction."""
    torch.manual_seed(7)
    tokenizer = qwen_tokenizer()
    text = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]},
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_heads": 2,
            "out_hidden_size": 32,
        },
    )
    pipeline = QwenImagePipeline(
        FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9, shift_terminal=0.02
        ),
        AutoencoderKLQwenImage(**WAN_VAE).eval(),
        louder(Qwen2_5_VLForConditionalGeneration(text)),
        tokenizer,
        QwenImageTransformer2DModel(
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=heads,
            joint_attention_dim=32,
            axes_dims_rope=(4, 6, 6),
        ).eval(),
    )
    pipeline.save_pretrained(folder)
    return pipeline


def save_flux_2(folder: Path, heads: int = 2) -> Flux2KleinPipeline:
    """Flux 2 klein: packed latents, places of tokens, no negative prompt."""
    torch.manual_seed(8)
    tokenizer = qwen_tokenizer()
    text = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        # States of the 27th are taken.
        num_hidden_layers=28,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
    )
    pipeline = Flux2KleinPipeline(
        FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        small_flux_2_vae(),
        louder(Qwen3ForCausalLM(text)),
        tokenizer,
        Flux2Transformer2DModel(
            in_channels=32,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=heads,
            joint_attention_dim=48,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=False,
        ).eval(),
        is_distilled=True,
    )
    pipeline.save_pretrained(folder)
    return pipeline


def small_flux_2_vae() -> AutoencoderKLFlux2:
    vae = AutoencoderKLFlux2(
        block_out_channels=(32, 32, 32, 32), layers_per_block=1, latent_channels=8
    )
    vae.bn.running_mean.normal_()
    vae.bn.running_var.uniform_(0.5, 2)
    return vae.eval()


def save_ltx(folder: Path, layers: int = 1) -> LTXPipeline:
    """LTX: packed latents of videos, an autoencoder that shrinks by 32."""
    torch.manual_seed(9)
    tokenizer = t5_tokenizer()
    text = T5Config(vocab_size=len(tokenizer), **T5)
    pipeline = LTXPipeline(
        FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        AutoencoderKLLTXVideo(
            latent_channels=8,
            block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1, 1),
        ).eval(),
        louder(T5EncoderModel(text)),
        tokenizer,
        LTXVideoTransformer3DModel(
            in_channels=8,
            out_channels=8,
            num_attention_heads=2,
            attention_head_dim=16,
            cross_attention_dim=32,
            num_layers=layers,
            caption_channels=32,
        ).eval(),
    )
    pipeline.save_pretrained(folder)
    return pipeline


def save_ideogram(folder: Path) -> Ideogram4Pipeline:
    """Ideogram 4: a network for each half of guidance, whose weight goes by the step's number."""
    torch.manual_seed(10)
    tokenizer = qwen_tokenizer()
    text = Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 8,
            "intermediate_size": 16,
            # States of the 36th are taken.
            "num_hidden_layers": 36,
            "num_attention_heads": 1,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "rope_scaling": {"rope_type": "default", "mrope_section": [2, 1, 1]},
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 1,
            "out_hidden_size": 8,
            "deepstack_visual_indexes": [0],
        },
    )
    networks = [
        Ideogram4Transformer2DModel(
            in_channels=32,
            num_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            intermediate_size=32,
            adaln_dim=16,
            llm_features_dim=13 * 8,
            mrope_section=(4, 2, 2),
        ).eval()
        for _ in range(2)
    ]
    pipeline = Ideogram4Pipeline(
        FlowMatchEulerDiscreteScheduler(),
        small_flux_2_vae(),
        louder(Qwen3VLModel(text)),
        tokenizer,
        *networks,
    )
    pipeline.save_pretrained(folder)
    return pipeline
