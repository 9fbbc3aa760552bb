"""What LoRA files call the modules of transformers by their models' first code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nodeflow_nodes.diffusion.families.flux_names import DOUBLE, ENDS, SINGLE, SPLIT
from nodeflow_nodes.diffusion.families.lora_target import Places, Target

_XLABS_DOUBLE = {
    "qkv_lora1": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "qkv_lora2": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "proj_lora1": ("attn.to_out.0",),
    "proj_lora2": ("attn.to_add_out",),
}
_XLABS_SINGLE = {"qkv": ("attn.to_q", "attn.to_k", "attn.to_v"), "proj": ("proj_out",)}
"""XLabs trains layers of its own beside the attention; those of single blocks leave the rest."""

_SD3_ENDS = {
    "x_embedder.proj": "pos_embed.proj",
    "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_SD3_BLOCK = {
    "x_block.adaLN_modulation.1": ("norm1.linear",),
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "x_block.attn.proj": ("attn.to_out.0",),
    "x_block.attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
    "x_block.attn2.proj": ("attn2.to_out.0",),
    "x_block.mlp.fc1": ("ff.net.0.proj",),
    "x_block.mlp.fc2": ("ff.net.2",),
    "context_block.adaLN_modulation.1": ("norm1_context.linear",),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "context_block.attn.proj": ("attn.to_add_out",),
    "context_block.mlp.fc1": ("ff_context.net.0.proj",),
    "context_block.mlp.fc2": ("ff_context.net.2",),
}

Rows = Mapping[str, int]
"""A network's modules to how many rows the weight of each has."""


def flux_places(modules: Rows) -> Places:
    """The names of Black Forest Labs' code, and of XLabs' trainer."""
    found: Places = {}
    for theirs, ours in ENDS.items():
        found |= _placed(theirs, ("", (ours,)), modules, "adaLN" in theirs)
    double = {theirs: (ours,) for theirs, ours in DOUBLE.items()}
    single = {theirs: (ours,) for theirs, ours in SINGLE.items()}
    kinds = (
        ("", "double", {**double, **SPLIT, **_XLABS_DOUBLE}),
        ("single_", "single", {**single, **SPLIT, **_XLABS_SINGLE}),
    )
    for ours, theirs, names in kinds:
        for i in _numbers(modules, rf"{ours}transformer_blocks\.(\d+)\."):
            for name, parts in names.items():
                block = f"{ours}transformer_blocks.{i}."
                found |= _placed(f"{theirs}_blocks.{i}.{name}", (block, parts), modules)
    return found


def sd3_places(modules: Rows) -> Places:
    """The names of Stability's code."""
    found: Places = {}
    for theirs, ours in _SD3_ENDS.items():
        found |= _placed(theirs, ("", (ours,)), modules, "adaLN" in theirs)
    numbers = _numbers(modules, r"transformer_blocks\.(\d+)\.")
    for i in numbers:
        for theirs, parts in _SD3_BLOCK.items():
            # The prompt's last norm has no gates, and is turned round as that of the end is.
            swapped = i == numbers[-1] and theirs.startswith("context_block.adaLN")
            block = f"transformer_blocks.{i}."
            found |= _placed(f"joint_blocks.{i}.{theirs}", (block, parts), modules, swapped)
    return found


def _placed(
    name: str, place: tuple[str, Iterable[str]], modules: Rows, swapped: bool = False
) -> Places:
    """A name, and the modules below a place whose rows lie one after the other in its matrix."""
    block, parts = place
    targets, row = [], 0
    for part in parts:
        module = (block + part).removesuffix(".weight").removesuffix(".")
        if module not in modules:
            return {}
        targets.append(Target(module, row, row + modules[module], swapped))
        row += modules[module]
    return {name.removesuffix(".scale").removesuffix("."): tuple(targets)}


def _numbers(modules: Rows, pattern: str) -> list[int]:
    found = {int(match[1]) for name in modules if (match := re.match(pattern, name))}
    return sorted(found)
