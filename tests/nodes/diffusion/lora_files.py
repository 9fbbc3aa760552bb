"""LoRA files with random weights for shrunk models, in the layouts that people have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from tests.nodes.diffusion.original_layout import State, original_unet

RANK, ALPHA = 4, 2.0

UNET = re.compile(
    r".*(attn[12]\.to_[qkv]|attn[12]\.to_out\.0|proj_in|ff\.net\.2|resnets\.0\.conv[12]"
    r"|time_emb_proj|conv_shortcut|downsamplers\.0\.conv|upsamplers\.0\.conv)$"
)
CLIP = re.compile(r".*(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])$")

Layers = dict[str, dict[str, tuple[torch.Tensor, torch.Tensor]]]
"""Part to module to its two factors, down and up."""


def make_layers(pipe: Any, seed: int = 0, *, only: str = "") -> Layers:
    """Random factors for the modules of a pipeline whose names hold `only`."""
    draw = torch.Generator().manual_seed(seed)

    def factors(module: Any) -> tuple[torch.Tensor, torch.Tensor]:
        rows, columns, *sides = module.weight.shape
        down = torch.randn(RANK, columns, *sides, generator=draw) / columns**0.5 / 2
        return down, torch.randn(rows, RANK, *[1] * len(sides), generator=draw) / 4

    found: Layers = {}
    for part, wanted in (("unet", UNET), ("text_encoder", CLIP), ("text_encoder_2", CLIP)):
        network: nn.Module | None = getattr(pipe, part, None)
        for name, module in () if network is None else network.named_modules():
            if wanted.match(name) and only in name:
                found.setdefault(part, {})[name] = factors(module)
    return found


def diffusers_state(layers: Layers, alpha: float = ALPHA) -> tuple[State, dict[str, str]]:
    """As `save_lora_weights` writes it, with peft's names; the header tells the alpha."""
    state: State = {}
    config: dict[str, object] = {}
    for part, modules in layers.items():
        for name, (down, up) in modules.items():
            text = part.startswith("text_encoder") and not name.startswith("text_model.")
            start = f"{part}.{'text_model.' * text}{name}"
            state |= {f"{start}.lora_A.weight": down, f"{start}.lora_B.weight": up}
        names = sorted(modules)
        config |= {f"{part}.r": RANK, f"{part}.lora_alpha": alpha, f"{part}.target_modules": names}
    return state, {"format": "pt", "lora_adapter_metadata": json.dumps(config)}


def kohya_state(layers: Layers, first_names_of: nn.Module | None = None) -> State:
    """As kohya's scripts write it; XL networks go by their first names there."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te_", "text_encoder_2": "lora_te2_"}
    if "text_encoder_2" in layers:
        prefixes["text_encoder"] = "lora_te1_"
    first: dict[str, str] = {}
    if first_names_of is not None:
        names: Any = {name: name for name in first_names_of.state_dict()}
        first = {str(name): was for was, name in original_unet(names, 1).items()}
    state: State = {}
    for part, modules in layers.items():
        for name, (down, up) in modules.items():
            place = first.get(f"{name}.weight", f"{name}.weight").removesuffix(".weight")
            if part != "unet":
                place = "text_model." + place.removeprefix("text_model.")
            start = prefixes[part] + place.replace(".", "_")
            state |= {f"{start}.lora_down.weight": down, f"{start}.lora_up.weight": up}
            state[f"{start}.alpha"] = torch.tensor(ALPHA)
    return state


def write(state: State, path: Path, metadata: dict[str, str] | None = None) -> Path:
    save_file({n: t.contiguous() for n, t in state.items()}, path, metadata)
    return path
