"""Weights of Flux 1 in their original layout, under diffusers' names.

diffusers' own conversion knows one width of the network only, and copies what it splits; here the
parts of a matrix stay views of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import torch
from torch import Tensor

ENDS = {
    "time_in.in_layer.": "time_text_embed.timestep_embedder.linear_1.",
    "time_in.out_layer.": "time_text_embed.timestep_embedder.linear_2.",
    "vector_in.in_layer.": "time_text_embed.text_embedder.linear_1.",
    "vector_in.out_layer.": "time_text_embed.text_embedder.linear_2.",
    "guidance_in.in_layer.": "time_text_embed.guidance_embedder.linear_1.",
    "guidance_in.out_layer.": "time_text_embed.guidance_embedder.linear_2.",
    "img_in.": "x_embedder.",
    "txt_in.": "context_embedder.",
    "final_layer.linear.": "proj_out.",
    "final_layer.adaLN_modulation.1.": "norm_out.linear.",
}
DOUBLE = {
    "img_mod.lin.": "norm1.linear.",
    "txt_mod.lin.": "norm1_context.linear.",
    "img_attn.norm.query_norm.scale": "attn.norm_q.weight",
    "img_attn.norm.key_norm.scale": "attn.norm_k.weight",
    "txt_attn.norm.query_norm.scale": "attn.norm_added_q.weight",
    "txt_attn.norm.key_norm.scale": "attn.norm_added_k.weight",
    "img_attn.proj.": "attn.to_out.0.",
    "txt_attn.proj.": "attn.to_add_out.",
    "img_mlp.0.": "ff.net.0.proj.",
    "img_mlp.2.": "ff.net.2.",
    "txt_mlp.0.": "ff_context.net.0.proj.",
    "txt_mlp.2.": "ff_context.net.2.",
}
SINGLE = {
    "modulation.lin.": "norm.linear.",
    "norm.query_norm.scale": "attn.norm_q.weight",
    "norm.key_norm.scale": "attn.norm_k.weight",
    "linear2.": "proj_out.",
}
SPLIT = {
    "img_attn.qkv.": ("attn.to_q.", "attn.to_k.", "attn.to_v."),
    "txt_attn.qkv.": ("attn.add_q_proj.", "attn.add_k_proj.", "attn.add_v_proj."),
    "linear1.": ("attn.to_q.", "attn.to_k.", "attn.to_v.", "proj_mlp."),
}
"""Parts of names in the original layout to theirs in diffusers', or to those of several parts."""
_GUIDANCE = "guidance_in."
_BLOCK = re.compile(r"(double|single)_blocks\.(\d+)\.(.+)")


def flux_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under diffusers' names; raises KeyError if the network's input is missing."""
    width = state["img_in.weight"].shape[0]
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        match = _BLOCK.match(name)
        if match is None:
            swapped = name.startswith("final_layer.adaLN_modulation.1.")
            # The original gives shift before scale here. Matrices in blocks want a list.
            halves = list(tensor.chunk(2)[::-1]) if swapped else []
            found[_renamed(name, ENDS)] = torch.cat(halves) if swapped else tensor
            continue
        kind, number, rest = match.groups()
        block = f"{'single_' if kind == 'single' else ''}transformer_blocks.{number}."
        place = next((start for start in SPLIT if rest.startswith(start)), None)
        if place is None:
            found[block + _renamed(rest, SINGLE if kind == "single" else DOUBLE)] = tensor
            continue
        parts = SPLIT[place]
        sizes = [width] * 3 + [len(tensor) - 3 * width] * (len(parts) - 3)
        for part, rows in zip(parts, torch.split(tensor, sizes), strict=True):
            found[block + part + rest.removeprefix(place)] = rows
    return found


def lacking(names: Collection[str]) -> list[str]:
    """What a whole network of as many blocks has under its original names, and these leave out."""
    guided = any(name.startswith(_GUIDANCE) for name in names)
    wanted = [name for name in ENDS if guided or not name.startswith(_GUIDANCE)]
    double, single = (*DOUBLE, "img_attn.qkv.", "txt_attn.qkv."), (*SINGLE, "linear1.")
    for kind, parts in (("double", double), ("single", single)):
        numbers = [int(m[2]) for name in names if (m := _BLOCK.match(name)) and m[1] == kind]
        blocks = range(max(numbers, default=0) + 1)
        wanted += [f"{kind}_blocks.{i}.{part}" for i in blocks for part in parts]
    ends = {True: ("weight", "bias"), False: ("",)}
    whole = [name + end for name in wanted for end in ends[name.endswith(".")]]
    return [name for name in whole if name not in names]


def _renamed(name: str, names: Mapping[str, str]) -> str:
    for theirs, ours in names.items():
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return name
