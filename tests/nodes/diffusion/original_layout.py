"""Weights under the names of the models' own code: the way back from diffusers' names.

Written from the original sources' module names, apart from the conversions that are under test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

State = dict[str, Tensor]

_UNET_ENDS = {
    "time_embedding.linear_1.": "time_embed.0.",
    "time_embedding.linear_2.": "time_embed.2.",
    "add_embedding.linear_1.": "label_emb.0.0.",
    "add_embedding.linear_2.": "label_emb.0.2.",
    "conv_in.": "input_blocks.0.0.",
    "conv_norm_out.": "out.0.",
    "conv_out.": "out.2.",
    "mid_block.resnets.0.": "middle_block.0.",
    "mid_block.attentions.0.": "middle_block.1.",
    "mid_block.resnets.1.": "middle_block.2.",
}
_RESNET = {
    ".norm1.": ".in_layers.0.",
    ".conv1.": ".in_layers.2.",
    ".norm2.": ".out_layers.0.",
    ".conv2.": ".out_layers.3.",
    ".time_emb_proj.": ".emb_layers.1.",
    ".conv_shortcut.": ".skip_connection.",
}


def original_unet(state: Mapping[str, Tensor], layers: int) -> State:
    """Names of `openaimodel.UNetModel`; `layers` as diffusers' `layers_per_block`."""
    return {_unet_name(name, layers, state): tensor for name, tensor in state.items()}


def _unet_name(name: str, layers: int, state: Mapping[str, Tensor]) -> str:
    inner = _renamed(name, _RESNET) if "resnets" in name else name
    for theirs, ours in _UNET_ENDS.items():
        if inner.startswith(theirs):
            return ours + inner.removeprefix(theirs)
    match = re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", inner)
    assert match, name
    side, block, kind, item, rest = match.groups()
    first = int(block) * (layers + 1)
    if side == "down":
        if kind == "downsamplers":
            return f"input_blocks.{first + layers + 1}.0.op.{rest.removeprefix('conv.')}"
        return f"input_blocks.{first + 1 + int(item)}.{int(kind == 'attentions')}.{rest}"
    if kind == "upsamplers":
        attends = any(n.startswith(f"up_blocks.{block}.attentions.") for n in state)
        return f"output_blocks.{first + layers}.{1 + attends}.{rest}"
    return f"output_blocks.{first + int(item)}.{int(kind == 'attentions')}.{rest}"


_VAE = {
    ".downsamplers.0.": ".downsample.",
    ".upsamplers.0.": ".upsample.",
    ".conv_shortcut.": ".nin_shortcut.",
    ".conv_norm_out.": ".norm_out.",
    ".mid_block.resnets.0.": ".mid.block_1.",
    ".mid_block.resnets.1.": ".mid.block_2.",
    ".mid_block.attentions.0.": ".mid.attn_1.",
    ".group_norm.": ".norm.",
    ".to_q.": ".q.",
    ".to_k.": ".k.",
    ".to_v.": ".v.",
    ".to_out.0.": ".proj_out.",
}


def original_vae(state: Mapping[str, Tensor]) -> State:
    """Names of `AutoencoderKL` of latent diffusion; its attention is made of convolutions."""
    levels = len({name.split(".")[2] for name in state if name.startswith("encoder.down_blocks.")})

    def block(match: re.Match[str]) -> str:
        number = int(match[2])
        return f".{match[1]}.{number if match[1] == 'down' else levels - 1 - number}."

    found: State = {}
    for name, tensor in state.items():
        new = re.sub(r"\.(down|up)_blocks\.(\d+)\.", block, _renamed(name, _VAE))
        matrix = ".attn_1." in new and tensor.ndim == 2
        found[new.replace(".resnets.", ".block.")] = tensor[..., None, None] if matrix else tensor
    return found


def plain_clip(state: Mapping[str, Tensor]) -> State:
    """Names of transformers' encoder inside of its wrapper."""
    return {f"text_model.{name.removeprefix('text_model.')}": t for name, t in state.items()}


_OPEN_CLIP = {
    "embeddings.token_embedding.": "token_embedding.",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm.": "ln_final.",
    "encoder.layers.": "transformer.resblocks.",
    ".layer_norm1.": ".ln_1.",
    ".layer_norm2.": ".ln_2.",
    ".mlp.fc1.": ".mlp.c_fc.",
    ".mlp.fc2.": ".mlp.c_proj.",
    ".self_attn.out_proj.": ".attn.out_proj.",
}


def open_clip(state: Mapping[str, Tensor], *, extra_layer: bool = False) -> State:
    """Names of OpenCLIP; `extra_layer` puts one at the end that is to be left out again."""
    plain = {name.removeprefix("text_model."): tensor for name, tensor in state.items()}
    found: State = {}
    for name, tensor in plain.items():
        if name == "text_projection.weight":
            found["text_projection"] = tensor.T.contiguous()
        elif match := re.match(r"(encoder\.layers\.\d+)\.self_attn\.q_proj\.(\w+)", name):
            rows = [plain[f"{match[1]}.self_attn.{part}_proj.{match[2]}"] for part in "qkv"]
            place = _renamed(match[1] + ".", _OPEN_CLIP)
            found[f"{place}attn.in_proj_{match[2]}"] = torch.cat(rows)
        elif not re.search(r"\.self_attn\.[kv]_proj\.", name):
            found[_renamed(name, _OPEN_CLIP)] = tensor
    if extra_layer:
        blocks = [n for n in found if n.startswith("transformer.resblocks.")]
        last = max(int(n.split(".")[2]) for n in blocks)
        for name in [n for n in blocks if n.startswith(f"transformer.resblocks.{last}.")]:
            higher = name.replace(f".{last}.", f".{last + 1}.", 1)
            found[higher] = torch.randn(found[name].shape, device=found[name].device)
    return found


def prefixed(prefix: str, state: Mapping[str, Tensor]) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def _renamed(name: str, names: Mapping[str, str]) -> str:
    for theirs, ours in names.items():
        name = name.replace(theirs, ours)
    return name
