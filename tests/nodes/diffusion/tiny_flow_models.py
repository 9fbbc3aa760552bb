"""Shrunk Stable Diffusion 3 and Flux 1 with random weights: as pipelines and as single files."""

from __future__ import annotations

import re
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

from tests.nodes.diffusion.original_layout import State, original_vae, plain_clip, prefixed
from tests.nodes.diffusion.tiny_models import VAE, make_clip, tokenizer


def t5_tokenizer() -> Any:
    letters = [(letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz"]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), *letters, ("▁red", -2.0)]
    inner = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"),
        ]
    )
    inner.post_processor = TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="</s>", unk_token="<unk>", pad_token="<pad>"
    )


def make_sd3(
    qk_norm: str | None = "rms_norm", dual: tuple[int, ...] = (0,), layers: int = 3
) -> Any:
    torch.manual_seed(3)
    t5 = T5EncoderModel(
        T5Config(
            vocab_size=40, d_model=224, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
            feed_forward_proj="gated-gelu",
        )
    )  # fmt: skip
    network = SD3Transformer2DModel(
        sample_size=16, num_layers=layers, attention_head_dim=64, num_attention_heads=2,
        joint_attention_dim=224, caption_projection_dim=128, pooled_projection_dim=192,
        pos_embed_max_size=16, dual_attention_layers=dual, qk_norm=qk_norm,
    )  # fmt: skip
    return StableDiffusion3Pipeline(
        transformer=network.eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=AutoencoderKL(
            **VAE, latent_channels=16, scaling_factor=1.5305, shift_factor=0.0609,
            use_quant_conv=False, use_post_quant_conv=False,
        ).eval(),
        text_encoder=make_clip(64, projected=True),
        tokenizer=tokenizer("<|endoftext|>"),
        text_encoder_2=make_clip(128, projected=True, act="gelu"),
        tokenizer_2=tokenizer("!"),
        text_encoder_3=t5.eval(),
        tokenizer_3=t5_tokenizer(),
    )  # fmt: skip


_SD3_ENDS = {
    "pos_embed.proj.": "x_embedder.proj.",
    "pos_embed.pos_embed": "pos_embed",
    "time_text_embed.timestep_embedder.linear_1.": "t_embedder.mlp.0.",
    "time_text_embed.timestep_embedder.linear_2.": "t_embedder.mlp.2.",
    "time_text_embed.text_embedder.linear_1.": "y_embedder.mlp.0.",
    "time_text_embed.text_embedder.linear_2.": "y_embedder.mlp.2.",
    "norm_out.linear.": "final_layer.adaLN_modulation.1.",
    "proj_out.": "final_layer.linear.",
}
_SD3_BLOCK = {
    "attn.to_out.0.": "x_block.attn.proj.",
    "attn.to_add_out.": "context_block.attn.proj.",
    "attn.norm_q.": "x_block.attn.ln_q.",
    "attn.norm_k.": "x_block.attn.ln_k.",
    "attn.norm_added_q.": "context_block.attn.ln_q.",
    "attn.norm_added_k.": "context_block.attn.ln_k.",
    "attn2.to_out.0.": "x_block.attn2.proj.",
    "attn2.norm_q.": "x_block.attn2.ln_q.",
    "attn2.norm_k.": "x_block.attn2.ln_k.",
    "norm1.linear.": "x_block.adaLN_modulation.1.",
    "norm1_context.linear.": "context_block.adaLN_modulation.1.",
    "ff.net.0.proj.": "x_block.mlp.fc1.",
    "ff.net.2.": "x_block.mlp.fc2.",
    "ff_context.net.0.proj.": "context_block.mlp.fc1.",
    "ff_context.net.2.": "context_block.mlp.fc2.",
}
_SD3_JOINED = {
    "attn.to_{}": "x_block.attn.qkv",
    "attn.add_{}_proj": "context_block.attn.qkv",
    "attn2.to_{}": "x_block.attn2.qkv",
}


def original_sd3(state: State) -> State:
    """Names of Stability's `MMDiT`, in which queries, keys and values are one."""
    found: State = {}
    last = max(int(n.split(".")[1]) for n in state if n.startswith("transformer_blocks."))
    for name, tensor in state.items():
        match = re.match(r"transformer_blocks\.(\d+)\.(.*)", name)
        if match is None:
            new = name
            for ours, theirs in _SD3_ENDS.items():
                new = theirs + name.removeprefix(ours) if name.startswith(ours) else new
            halves = name.startswith("norm_out.linear.")
        else:
            number, rest = int(match[1]), match[2]
            joined = [
                (plan.format("q"), plan, place)
                for plan, place in _SD3_JOINED.items()
                if re.fullmatch(
                    re.escape(plan).replace(r"\{\}", "[qkv]") + r"\.(weight|bias)", rest
                )
            ]
            if joined:
                first, plan, place = joined[0]
                if rest.startswith(first + "."):
                    end = rest.rsplit(".", 1)[1]
                    rows = [
                        state[f"transformer_blocks.{number}.{plan.format(p)}.{end}"] for p in "qkv"
                    ]
                    found[f"joint_blocks.{number}.{place}.{end}"] = torch.cat(rows)
                continue
            inner = next(rest.replace(o, t) for o, t in _SD3_BLOCK.items() if rest.startswith(o))
            new = f"joint_blocks.{number}.{inner}"
            halves = number == last and rest.startswith("norm1_context.linear.")
        found[new] = torch.cat(tensor.chunk(2)[::-1]) if halves else tensor
    return found


def sd3_state(pipe: Any) -> State:
    state = prefixed("model.diffusion_model.", original_sd3(pipe.transformer.state_dict()))
    state |= prefixed("first_stage_model.", original_vae(pipe.vae.state_dict()))
    for name, encoder in (("clip_l", pipe.text_encoder), ("clip_g", pipe.text_encoder_2)):
        wrapped = {
            n if n.startswith("text_") else f"text_model.{n}": t
            for n, t in encoder.state_dict().items()
            if name == "clip_g" or not n.startswith("text_projection")
        }
        state |= prefixed(f"text_encoders.{name}.transformer.", wrapped)
    return state | prefixed("text_encoders.t5xxl.transformer.", t5_state(pipe.text_encoder_3))


def make_flux(kind: str, layers: int = 2) -> Any:
    torch.manual_seed(3)
    dev = kind == "dev"
    made = FluxPipeline(
        transformer=FluxTransformer2DModel(
            in_channels=64, num_layers=layers, num_single_layers=layers, attention_head_dim=32,
            num_attention_heads=2, joint_attention_dim=96, pooled_projection_dim=64,
            guidance_embeds=dev, axes_dims_rope=(4, 14, 14),
        ).eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(
            shift=3.0 if dev else 1.0, use_dynamic_shifting=dev, base_shift=0.5, max_shift=1.15
        ),
        vae=AutoencoderKL(
            **VAE, latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159,
            use_quant_conv=False, use_post_quant_conv=False,
        ).eval(),
        text_encoder=make_clip(64),
        tokenizer=tokenizer("<|endoftext|>"),
        text_encoder_2=T5EncoderModel(
            T5Config(
                vocab_size=40, d_model=96, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
                feed_forward_proj="gated-gelu",
            )
        ).eval(),
        tokenizer_2=t5_tokenizer(),
    )  # fmt: skip
    made.set_progress_bar_config(disable=True)
    return made


_FLUX_ENDS = {
    "time_text_embed.timestep_embedder.linear_1.": "time_in.in_layer.",
    "time_text_embed.timestep_embedder.linear_2.": "time_in.out_layer.",
    "time_text_embed.text_embedder.linear_1.": "vector_in.in_layer.",
    "time_text_embed.text_embedder.linear_2.": "vector_in.out_layer.",
    "time_text_embed.guidance_embedder.linear_1.": "guidance_in.in_layer.",
    "time_text_embed.guidance_embedder.linear_2.": "guidance_in.out_layer.",
    "x_embedder.": "img_in.",
    "context_embedder.": "txt_in.",
}
_FLUX_DOUBLE = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
}
_FLUX_NORMS = {
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
}


def original_flux(state: State) -> State:
    """Names of Black Forest Labs' own code."""
    found = {
        theirs + name.removeprefix(ours): tensor
        for name, tensor in state.items()
        for ours, theirs in _FLUX_ENDS.items()
        if name.startswith(ours)
    }
    for end in ("weight", "bias"):
        found[f"final_layer.linear.{end}"] = state[f"proj_out.{end}"]
        scale, shift = state[f"norm_out.linear.{end}"].chunk(2)
        found[f"final_layer.adaLN_modulation.1.{end}"] = torch.cat([shift, scale])
    for i in range(2):
        old, single = f"transformer_blocks.{i}.", f"single_transformer_blocks.{i}."
        new, one = f"double_blocks.{i}.", f"single_blocks.{i}."
        for end in ("weight", "bias"):
            for theirs, ours in _FLUX_DOUBLE.items():
                found[f"{new}{theirs}.{end}"] = state[f"{old}{ours}.{end}"]
            for theirs, ours in (("img", "to_{}"), ("txt", "add_{}_proj")):
                rows = [state[f"{old}attn.{ours.format(part)}.{end}"] for part in "qkv"]
                found[f"{new}{theirs}_attn.qkv.{end}"] = torch.cat(rows)
            names = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
            found[f"{one}linear1.{end}"] = torch.cat([state[f"{single}{n}.{end}"] for n in names])
            found[f"{one}linear2.{end}"] = state[f"{single}proj_out.{end}"]
            found[f"{one}modulation.lin.{end}"] = state[f"{single}norm.linear.{end}"]
        for theirs, ours in _FLUX_NORMS.items():
            found[f"{new}{theirs}.scale"] = state[f"{old}{ours}.weight"]
        for theirs, ours in (("query", "q"), ("key", "k")):
            found[f"{one}norm.{theirs}_norm.scale"] = state[f"{single}attn.norm_{ours}.weight"]
    return found


def flux_state(pipe: Any) -> State:
    """All weights of a pipeline in one file, as other tools write it."""
    whole = prefixed("model.diffusion_model.", original_flux(pipe.transformer.state_dict()))
    whole |= prefixed("vae.", original_vae(pipe.vae.state_dict()))
    clip = plain_clip(pipe.text_encoder.state_dict())
    whole |= prefixed("text_encoders.clip_l.transformer.", clip)
    return whole | prefixed("text_encoders.t5xxl.transformer.", t5_state(pipe.text_encoder_2))


def t5_state(encoder: Any) -> State:
    """T5's weights without what is only another name of them."""
    return {n: t for n, t in encoder.state_dict().items() if "embed_tokens" not in n}
