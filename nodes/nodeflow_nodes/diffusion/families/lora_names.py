"""What LoRA files call the modules of a network.

Each kind of network may have, besides its own names, those of the model's first code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from nodeflow_nodes.diffusion.families.lora_target import Places, Target
from nodeflow_nodes.diffusion.families.transformer_names import flux_places, sd3_places

_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_MIDDLE = {"resnets.0": "0", "attentions.0": "1", "resnets.1": "2"}
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.([a-z]+)\.(\d+)\.(.+)")
_MIDDLE_BLOCK = re.compile(r"mid_block\.([a-z]+\.\d+)\.(.+)")


Targets = Mapping[str, tuple[Target, ...]]


def targets(kind: str, modules: Mapping[str, int]) -> Targets:
    """Every name of a module, with underscores, to what it stands for.

    Args:
        kind: Name of the network's class.
        modules: The network's modules to how many rows the weight of each has.
    """
    found: Places = {}
    if kind in _FIRST_NAMES:
        found |= _FIRST_NAMES[kind](modules)
    own = {name.removeprefix("text_model."): (Target(name),) for name in modules}
    return {name.replace(".", "_"): places for name, places in (found | own).items()}


def unet_names(modules: Collection[str]) -> Places:
    """The names of `openaimodel.UNetModel`, which Stable Diffusion was trained with."""
    resnets = {
        m[2] for name in modules if (m := re.match(r"(down_blocks\.0\.resnets\.)(\d+)", name))
    }
    attending = {m[0] for name in modules if (m := re.match(r"up_blocks\.\d+\.attentions", name))}
    found: Places = {}
    for name in modules:
        first = _UNET_ENDS.get(name) or _first_unet_name(name, len(resnets), attending)
        if first is not None:
            found[first] = (Target(name),)
    return found


def _first_unet_name(name: str, layers: int, attending: Collection[str]) -> str | None:
    if match := _MIDDLE_BLOCK.match(name):
        place, rest = match.groups()
        return f"middle_block.{_MIDDLE[place]}.{_RESNET.get(rest, rest)}"
    if not (match := _BLOCK.match(name)):
        return None
    side, block, kind, item, rest = match.groups()
    # A level has its layers and one more: the step to the next level, or one more layer.
    first = int(block) * (layers + 1)
    if kind == "downsamplers":
        return f"input_blocks.{first + layers + 1}.0.op"
    if kind == "upsamplers":
        place = 1 + (f"up_blocks.{block}.attentions" in attending)
        return f"output_blocks.{first + layers}.{place}.{rest}"
    place = int(kind == "attentions")
    inner = rest if place else _RESNET.get(rest, rest)
    start = (
        f"input_blocks.{first + 1 + int(item)}"
        if side == "down"
        else f"output_blocks.{first + int(item)}"
    )
    return f"{start}.{place}.{inner}"


_FIRST_NAMES: Mapping[str, Callable[[Mapping[str, int]], Places]] = {
    "UNet2DConditionModel": unet_names,
    "FluxTransformer2DModel": flux_places,
    "SD3Transformer2DModel": sd3_places,
}
"""Network's class to the names of the model's first code."""
