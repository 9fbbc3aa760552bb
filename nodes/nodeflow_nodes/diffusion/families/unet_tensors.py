"""Which tensors a UNet of Stable Diffusion has, by its config: every name and shape. Without torch.

The names are diffusers' and those of the original code; configs are those of `unet_config`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
"""Parts of a block by diffusers' name to the original one; all others are called the same."""
_INPUT = re.compile(r"input_blocks\.(\d+)\.(\d)\.(.*)")
_ENDS = {
    "input_blocks.0.0.": "conv_in.",
    "out.2.": "conv_out.",
    "label_emb.0.0.": "add_embedding.linear_1.",
    "middle_block.1.": "mid_block.attentions.0.",
}


@dataclass(frozen=True)
class Module:
    """A part of the network.

    Attributes:
        name: Where it stands, as diffusers calls it.
        original: The same, as the original code does.
        weight: Shape of its weight.
        bias: Whether it has a bias too, one number for each row.
    """

    name: str
    original: str
    weight: Shape
    bias: bool = True

    def tensors(self, original: bool) -> Iterator[tuple[str, Shape]]:
        """Names and shapes, in either layout."""
        name = self.original if original else self.name
        yield f"{name}.weight", self.weight
        if self.bias:
            yield f"{name}.bias", self.weight[:1]


def unet_tensors(config: Mapping[str, Any], *, original: bool) -> dict[str, Shape]:
    """Every tensor of the network, by its name in a layout."""
    return dict(pair for module in _modules(config) for pair in module.tensors(original))


def input_names(names: Mapping[str, Any], layers: int) -> dict[str, Any]:
    """What `unet_config` asks for out of a network in its original layout, under diffusers' names.

    Args:
        names: Tensors, or whatever has shapes, by their original names.
        layers: How many blocks each level has.
    """
    found = {}
    for name, value in names.items():
        start = next((start for start in _ENDS if name.startswith(start)), None)
        if start is not None:
            found[_ENDS[start] + name.removeprefix(start)] = value
            continue
        match = _INPUT.match(name)
        if match is not None:
            level, item = divmod(int(match[1]) - 1, layers + 1)
            kind = "attentions" if match[2] == "1" else "resnets"
            rest = match[3].replace("in_layers.2.", "conv1.")
            if not rest.startswith("op."):
                found[f"down_blocks.{level}.{kind}.{item}.{rest}"] = value
    return found


def layers_of(names: Mapping[str, Any]) -> int:
    """How many blocks each level of a network in its original layout has."""
    smaller = (i for i in range(1, 99) if f"input_blocks.{i}.0.op.weight" in names)
    blocks = len({name.split(".")[1] for name in names if name.startswith("input_blocks.")})
    return next(smaller, blocks) - 1


def _modules(config: Mapping[str, Any]) -> Iterator[Module]:
    widths: list[int] = list(config["block_out_channels"])
    time = 4 * widths[0]
    yield Module("conv_in", "input_blocks.0.0", (widths[0], config["in_channels"], 3, 3))
    yield from _embedding("time_embedding", "time_embed", widths[0], time)
    if "projection_class_embeddings_input_dim" in config:
        given = config["projection_class_embeddings_input_dim"]
        yield from _embedding("add_embedding", "label_emb.0", given, time)
    yield from _down(config, widths, time)
    last = widths[-1]
    yield from _resnet("mid_block.resnets.0", "middle_block.0", last, last, time)
    depth = config["transformer_layers_per_block"][-1]
    yield from _attention("mid_block.attentions.0", "middle_block.1", last, depth, config)
    yield from _resnet("mid_block.resnets.1", "middle_block.2", last, last, time)
    yield from _up(config, widths, time)
    yield Module("conv_norm_out", "out.0", (widths[0],))
    yield Module("conv_out", "out.2", (config["out_channels"], widths[0], 3, 3))


def _down(config: Mapping[str, Any], widths: list[int], time: int) -> Iterator[Module]:
    layers = config["layers_per_block"]
    before = widths[0]
    for level, width in enumerate(widths):
        first = level * (layers + 1) + 1
        attends = config["down_block_types"][level].startswith("CrossAttn")
        depth = config["transformer_layers_per_block"][level]
        for i in range(layers):
            name, place = f"down_blocks.{level}", f"input_blocks.{first + i}"
            yield from _resnet(f"{name}.resnets.{i}", f"{place}.0", before, width, time)
            if attends:
                yield from _attention(f"{name}.attentions.{i}", f"{place}.1", width, depth, config)
            before = width
        if level < len(widths) - 1:
            place = f"input_blocks.{first + layers}.0.op"
            name = f"down_blocks.{level}.downsamplers.0.conv"
            yield Module(name, place, (width, width, 3, 3))


def _up(config: Mapping[str, Any], widths: list[int], time: int) -> Iterator[Module]:
    """Each of its blocks takes what one of the way down has left besides."""
    layers = config["layers_per_block"]
    left = [widths[0]]
    for level, width in enumerate(widths):
        left += [width] * (layers + (level < len(widths) - 1))
    before = widths[-1]
    for block, width in enumerate(reversed(widths)):
        attends = config["up_block_types"][block].startswith("CrossAttn")
        depth = config["transformer_layers_per_block"][len(widths) - 1 - block]
        for i in range(layers + 1):
            name, place = f"up_blocks.{block}", f"output_blocks.{block * (layers + 1) + i}"
            taken = before + left.pop()
            yield from _resnet(f"{name}.resnets.{i}", f"{place}.0", taken, width, time)
            if attends:
                yield from _attention(f"{name}.attentions.{i}", f"{place}.1", width, depth, config)
            before = width
        if block < len(widths) - 1:
            place = f"output_blocks.{block * (layers + 1) + layers}.{1 + attends}.conv"
            name = f"up_blocks.{block}.upsamplers.0.conv"
            yield Module(name, place, (width, width, 3, 3))


def _embedding(name: str, place: str, taken: int, width: int) -> Iterator[Module]:
    yield Module(f"{name}.linear_1", f"{place}.0", (width, taken))
    yield Module(f"{name}.linear_2", f"{place}.2", (width, width))


def _resnet(name: str, place: str, taken: int, width: int, time: int) -> Iterator[Module]:
    shapes: dict[str, Shape] = {
        "norm1": (taken,),
        "conv1": (width, taken, 3, 3),
        "time_emb_proj": (width, time),
        "norm2": (width,),
        "conv2": (width, width, 3, 3),
    }
    if taken != width:
        shapes["conv_shortcut"] = (width, taken, 1, 1)
    for part, shape in shapes.items():
        yield Module(f"{name}.{part}", f"{place}.{_RESNET[part]}", shape)


def _attention(
    name: str, place: str, width: int, depth: int, config: Mapping[str, Any]
) -> Iterator[Module]:
    text = config["cross_attention_dim"]
    through: Shape = (width, width) if config["use_linear_projection"] else (width, width, 1, 1)
    shapes: dict[str, Shape] = {"norm": (width,), "proj_in": through, "proj_out": through}
    plain: set[str] = set()
    for i in range(depth):
        block = f"transformer_blocks.{i}"
        shapes |= {f"{block}.norm{k}": (width,) for k in (1, 2, 3)}
        for attention, taken in (("attn1", width), ("attn2", text)):
            shapes[f"{block}.{attention}.to_q"] = (width, width)
            shapes |= {f"{block}.{attention}.to_{k}": (width, taken) for k in "kv"}
            shapes[f"{block}.{attention}.to_out.0"] = (width, width)
            plain |= {f"{block}.{attention}.to_{k}" for k in "qkv"}
        shapes[f"{block}.ff.net.0.proj"] = (8 * width, width)
        shapes[f"{block}.ff.net.2"] = (width, 4 * width)
    for part, shape in shapes.items():
        yield Module(f"{name}.{part}", f"{place}.{part}", shape, part not in plain)
