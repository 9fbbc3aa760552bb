"""LoRA files for shrunk Stable Diffusion 3 and Flux 1, under their models' first names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from tests.nodes.diffusion.lora_files import ALPHA, CLIP, RANK, Layers
from tests.nodes.diffusion.original_layout import State

Originals = Callable[[State], State]
"""From diffusers' names to those of the model's own code, queries, keys and values as one."""


def shared_factors(network: nn.Module, original: Originals, seed: int = 0) -> Layers:
    """Random factors for every matrix of a network. Those that were one share what goes down, so
    that the same change can be written under either names."""
    draw = torch.Generator().manual_seed(seed)
    factors = {}
    for parts in first_names(network, original).values():
        columns = [network.get_submodule(part).weight for part in parts]
        down = torch.randn(RANK, *columns[0].shape[1:], generator=draw)
        down /= down[0].numel() ** 0.5 * 2
        for part, weight in zip(parts, columns, strict=True):
            ones = [1] * (weight.ndim - 2)
            factors[part] = (
                down.clone(),
                torch.randn(len(weight), RANK, *ones, generator=draw) / 4,
            )
    return {"transformer": factors}


def clip_factors(pipe: Any, *parts: str, seed: int = 0) -> Layers:
    """Random factors for text encoders."""
    draw = torch.Generator().manual_seed(seed)
    return {
        part: {
            name: (
                torch.randn(RANK, module.weight.shape[1], generator=draw) / 4,
                torch.randn(len(module.weight), RANK, generator=draw) / 4,
            )
            for name, module in getattr(pipe, part).named_modules()
            if CLIP.match(name)
        }
        for part in parts
    }


def first_names(network: nn.Module, original: Originals) -> dict[str, list[str]]:
    """A module's first name to those modules that it is of in diffusers, in order."""
    modules = {
        name: module.weight
        for name, module in network.named_modules()
        if getattr(module, "weight", None) is not None
    }
    marked = {name: torch.zeros(tensor.shape) for name, tensor in network.state_dict().items()}
    numbers = dict(enumerate(modules))
    for number, name in numbers.items():
        marked[f"{name}.weight"] = torch.full(modules[name].shape[:1], float(number))
    return {
        name.removesuffix(".weight"): [numbers[int(n)] for n in tensor.unique().tolist()]
        for name, tensor in original(marked).items()
        if name.endswith(".weight") and modules[numbers[int(tensor[0])]].ndim > 1
    }


def original_lora(
    network: nn.Module, original: Originals, layers: Layers
) -> dict[str, tuple[Tensor, Tensor]]:
    """The layers of a network under its first names: what goes down, and what goes up, fused."""
    ups = {name: torch.zeros(tensor.shape) for name, tensor in network.state_dict().items()}
    for name, (_, up) in layers["transformer"].items():
        ups[f"{name}.weight"] = up
    fused = original(ups)
    return {
        name: (layers["transformer"][parts[0]][0], fused[f"{name}.weight"])
        for name, parts in first_names(network, original).items()
        if parts[0] in layers["transformer"]
    }


def kohya_flow_state(
    network: Mapping[str, tuple[Tensor, Tensor]], texts: Layers, alpha: float = ALPHA
) -> State:
    """As kohya's scripts write it."""
    found = {f"lora_unet_{name.replace('.', '_')}": pair for name, pair in network.items()}
    for part, modules in texts.items():
        prefix = {"text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_"}[part]
        for name, pair in modules.items():
            place = "text_model." + name.removeprefix("text_model.")
            found[prefix + place.replace(".", "_")] = pair
    return {
        f"{name}.{end}": tensor
        for name, (down, up) in found.items()
        for end, tensor in (
            ("lora_down.weight", down),
            ("lora_up.weight", up),
            ("alpha", torch.tensor(alpha)),
        )
    }


def dotted_state(network: Mapping[str, tuple[Tensor, Tensor]], prefix: str) -> State:
    """Under first names with dots, as other trainers write it; what goes up is scaled already."""
    return {
        f"{prefix}{name}.lora_{side}.weight": tensor
        for name, (down, up) in network.items()
        for side, tensor in (("A", down), ("B", up * (ALPHA / RANK)))
    }
