"""Whether the network in a file has all its tensors, told before the run. Without torch.

A network is measured by the architecture that its own shapes give, as its loader does: what passes
here is loaded, and what is there besides does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.fingerprints import UNETS
from nodeflow_nodes.diffusion.families.shapes import unet_config
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import UNET_PREFIXES
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.unet_tensors import (
    Shape,
    input_names,
    layers_of,
    unet_tensors,
)
from nodeflow_nodes.diffusion.headers import Entry
from nodeflow_nodes.diffusion.model_file import ModelFile

_SHOWN = 3
_MIDDLE = ("middle_block.1.", "mid_block.attentions.")
"""Begins the names of the attention in the middle, in either layout."""
_HEADS = {"heads": 8}
"""Any: the shapes of tensors do not go by it."""
_PUBLISHED: tuple[tuple[list[int], list[bool], list[int], int, int], ...] = (
    ([320, 640, 1280, 1280], [True, True, True, False], [1, 1, 1, 1], 768, 0),
    ([320, 640, 1280, 1280], [True, True, True, False], [1, 1, 1, 1], 1024, 0),
    ([320, 640, 1280], [False, True, True], [1, 2, 10], 2048, 2816),
    ([384, 768, 1536, 1536], [False, True, True, False], [4, 4, 4, 4], 1280, 2560),
)
"""Stable Diffusion 1, 2, XL and its refiner: widths of the levels, which of them have attention,
how deep it is, and the lengths of the text and of the added numbers that it listens to."""


class _Faults(NamedTuple):
    missing: list[str]
    wrong: dict[str, Shape]
    wanted: dict[str, Shape]

    @property
    def number(self) -> int:
        return len(self.missing) + len(self.wrong)


def require_whole(table: TensorTable, model: ModelFile) -> None:
    """The network in a file must have every tensor of its architecture, in its shape.

    Only UNets are looked at; whether a transformer is whole shows when it is loaded.

    Raises:
        InputError: Tensors are missing, or have another shape.
    """
    if model.family not in UNETS or "denoiser" not in model.parts:
        return
    prefix = ""
    if model.layout == "original":
        prefix = next(p for p in UNET_PREFIXES if table.starts(f"{p}input_blocks."))
    own = {
        name.removeprefix(prefix): entry
        for name, entry in table.entries.items()
        if name.startswith(prefix)
    }
    original = model.layout == "original"
    reason = ""
    found: list[_Faults] = []
    try:
        config = unet_config(input_names(own, layers_of(own)) if original else own, _HEADS)
    except (KeyError, IndexError, StopIteration, ZeroDivisionError) as error:
        reason = str(error)
    else:
        found = [_faults(own, config, original)]
        if not found[0].number:
            return
    # A tensor by which the architecture is told may be the one that is missing.
    found += [_faults(own, config, original) for config in _published(model)]
    best = min(found, key=lambda faults: faults.number)
    if reason and 2 * best.number > len(best.wanted):
        raise InputError(
            f"the network in {table.path} lacks tensors of its architecture ({reason}); fetch the "
            "file again, or choose another"
        )
    raise InputError(_sentence(table, prefix, own, best))


def _faults(own: Mapping[str, Entry], config: Mapping[str, Any], original: bool) -> _Faults:
    wanted = unet_tensors(config, original=original)
    missing = [name for name in wanted if name not in own]
    wrong = {n: shape for n, shape in wanted.items() if n in own and own[n].shape != shape}
    return _Faults(missing, wrong, wanted)


def _published(model: ModelFile) -> Iterator[dict[str, Any]]:
    for widths, attending, depths, text, added in _PUBLISHED:
        config = {
            "in_channels": model.inputs,
            "out_channels": model.channels,
            "block_out_channels": widths,
            "layers_per_block": 2,
            "down_block_types": ["CrossAttn" if attends else "" for attends in attending],
            "up_block_types": ["CrossAttn" if attends else "" for attends in reversed(attending)],
            "transformer_layers_per_block": depths,
            "cross_attention_dim": text,
            "use_linear_projection": text != 768,
        }
        yield config | ({"projection_class_embeddings_input_dim": added} if added else {})


def _sentence(table: TensorTable, prefix: str, own: Mapping[str, Entry], faults: _Faults) -> str:
    way_out = "fetch the file again, or choose another"
    if not any(name.startswith(_MIDDLE) for name in own):
        way_out = (
            "it has no attention in its middle at all, so it is a smaller network made of that "
            "one, as SSD-1B and Segmind-Vega are, which cannot be loaded; choose another"
        )
    if faults.missing:
        few = ", ".join(f"'{prefix}{name}'" for name in faults.missing[:_SHOWN])
        such = "such as " if len(faults.missing) > _SHOWN else ""
        return (
            f"the network in {table.path} lacks {len(faults.missing)} of the {len(faults.wanted)} "
            f"tensors that its architecture has: {such}{few}; {way_out}"
        )
    name, shape = next(iter(faults.wrong.items()))
    more = f" ({len(faults.wrong) - 1} more are wrong)" if len(faults.wrong) > 1 else ""
    return (
        f"the network in {table.path} has a tensor '{prefix}{name}' of shape "
        f"{list(own[name].shape)}, and its architecture wants {list(shape)}{more}; {way_out}"
    )
