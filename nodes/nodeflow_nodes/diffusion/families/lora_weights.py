"""Weights with LoRA files laid over them: computed from the plain weights, which stay as they are.

Low-rank products (Hu et al. 2021, arXiv 2106.09685), of convolutions too, also through a core
(LoCon); Hadamard products of two (LoHa) and Kronecker products (LoKr), both of LyCORIS (Yeh et al.
2023, arXiv 2309.14859); magnitudes apart from directions (DoRA, Liu et al. 2024, arXiv 2402.09353).
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from nodeflow import InputError, Patch
from nodeflow_nodes.diffusion.families.changes import Convert, Part
from nodeflow_nodes.diffusion.families.lora_layers import LORA, LoraFile, layers_of
from nodeflow_nodes.diffusion.families.lora_names import targets
from nodeflow_nodes.diffusion.families.lora_target import Target
from nodeflow_nodes.diffusion.families.packing import plain
from nodeflow_nodes.diffusion.families.streaming import letting_go

N = TypeVar("N", bound=nn.Module)
Layer = Mapping[str, Tensor]

_CONFUSED = (
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What converters raise for files that they do not know: they assert, pop, index and parse."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Laid:
    """A layer of a LoRA as it goes onto one weight."""

    layer: Layer
    scale: float
    strength: float
    target: Target
    where: str


class Laying:
    """Lays LoRA files over the networks of a model, one after the other.

    Attributes:
        fresh: Bytes in memory of the weights that were computed; all others are the plain
            networks' own.
    """

    def __init__(self, patches: Sequence[Patch]) -> None:
        self._patches = [patch for patch in patches if patch.kind == LORA]
        self.fresh = 0

    def __call__(self, part: Part) -> Any:
        patches = [patch for patch in self._patches if patch.name in ("", part.noise)]
        changed = with_loras(part.network, part.name, patches, part.convert)
        shared = {id(tensor) for tensor in part.network.parameters()}
        fresh = [tensor for tensor in changed.parameters() if id(tensor) not in shared]
        if letting_go(changed) is None:
            self.fresh += sum(tensor.nbytes for tensor in fresh)
        if part.noise and self._patches:
            # Files may be for one of two networks, by their own names or by choice.
            _log.info("LoRA files changed %d weights of %s", len(fresh), part.called)
        return changed


def with_loras(
    network: N, part: str, patches: Sequence[Patch], convert: Convert | None = None
) -> N:
    """A network with LoRA files laid over it; the network itself if they do not change it.

    What stays as it was is shared with the network, whose own weights are never written to: each
    weight that changes is computed anew, in float32, and rounded once.

    Args:
        network: The plain network.
        part: Which part of its model it is: `denoiser`, `text_encoder`, `text_encoder_2`, ...
        patches: Of kind `lora`, in order.
        convert: For files that name modules in ways which are not known here.

    Raises:
        InputError: A file does not fit the network, or cannot be read.
    """
    laid: dict[str, list[_Laid]] = {}
    for patch in patches:
        for name, one in _laid(
            network, part, LoraFile.read(Path(patch.path)), patch.amount, convert
        ):
            laid.setdefault(name, []).append(one)
    changed = (
        (name, reduce(_with_layer, layers, plain(network.get_parameter(name)).float()))
        for name, layers in laid.items()
    )
    return twin(network, changed) if laid else network


def twin(network: N, changed: Iterable[tuple[str, Tensor]]) -> N:
    """A network that shares every tensor with another but those that are given.

    Args:
        network: The other one.
        changed: Names of parameters and new tensors, which are cast to the old one's format.
    """
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    copied: N = copy.deepcopy(network, memo=dict(shared))
    letting = letting_go(copied)
    for name, tensor in changed:
        module, _, own = name.rpartition(".")
        old = network.get_parameter(name)
        # As `old` lies in memory: convolutions are fastest with channels last.
        new = torch.empty_like(plain(old)).copy_(tensor)
        new = new if letting is None else letting.stored(new)
        copied.get_submodule(module).register_parameter(own, nn.Parameter(new, requires_grad=False))
    return copied


def _laid(
    network: nn.Module, part: str, file: LoraFile, strength: float, convert: Convert | None
) -> Iterator[tuple[str, _Laid]]:
    """What a file lays over which parameters of a network."""
    layers = file.layers.get(part, {})
    rows = {
        name: len(module.weight)
        for name, module in network.named_modules()
        if isinstance(getattr(module, "weight", None), Tensor)
    }
    places = targets(type(network).__name__, rows)
    read: Callable[[Mapping[str, str]], dict[str, Tensor]] = partial(_read, file)
    known = places.keys() & layers.keys()
    if convert is not None and len(known) < len(layers):
        tensors = _converted(file, convert)
        renamed = layers_of(tensors)[0].get(part, {})
        # A converter may drop what it does not know, or all of a file for one stranger in it.
        if len(places.keys() & renamed.keys()) > len(known):
            layers, read = renamed, partial(_taken, tensors)
    _tell_unknown(file, part, len(layers), [module for module in layers if module not in places])
    parameters = dict(network.named_parameters())
    for module, names in layers.items():
        layer = read(names)
        for target in places.get(module, ()):
            where = f"the LoRA {file.table.path}, layer '{module}'"
            if set(layer) - {"diff_b"}:
                scale = _scale(file, part, module, layer)
                yield f"{target.module}.weight", _Laid(layer, scale, strength, target, where)
            if "diff_b" in layer:
                bias = f"{target.module}.bias"
                if bias not in parameters:
                    raise InputError(
                        f"{where} changes a bias that the model has not; it is for another model"
                    )
                yield bias, _Laid({"diff": layer["diff_b"]}, 1.0, strength, target, where)


def _converted(file: LoraFile, convert: Convert) -> Mapping[str, Tensor]:
    """The file's tensors under other names; none where the converter does not know the file."""
    tensors = _read(file, {name: name for name in file.table.entries})
    try:
        return convert(tensors)
    except _CONFUSED:
        _log.debug("diffusers converts nothing of %s", file.table.path, exc_info=True)
        return {}


def _taken(tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    return {role: tensors[name].float() for role, name in names.items()}


def _tell_unknown(file: LoraFile, part: str, count: int, missing: Sequence[str]) -> None:
    path = file.table.path
    if count and len(missing) == count:
        raise InputError(
            f"the LoRA {path} is for another model, or names its modules in a way that is not "
            f"known: this model has no '{missing[0]}', nor any other of the {count} modules that "
            "it changes; choose one of the model's family"
        )
    # A file is read for each part of a model; its strangers need not be told twice.
    strangers = [*missing, *(file.unknown if part == min(file.layers) else ())]
    if strangers:
        _log.warning(
            "the LoRA %s holds %d layers that are for nothing in this model, such as '%s'; they "
            "are left out",
            path,
            len(strangers),
            strangers[0],
        )


def _read(file: LoraFile, names: Mapping[str, str]) -> dict[str, Tensor]:
    try:
        with safe_open(file.table.path, framework="pt") as opened:
            return {role: opened.get_tensor(name).float() for role, name in names.items()}
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"the LoRA {file.table.path} cannot be read ({error}); fetch it again"
        ) from error


def _scale(file: LoraFile, part: str, module: str, layer: Layer) -> float:
    rank = _rank(layer)
    if rank is None:
        return 1.0
    if "alpha" in layer:
        return float(layer["alpha"]) / rank
    return file.scale(part, module, rank)


def _rank(layer: Layer) -> int | None:
    """Inner side of the products; None where nothing is a product."""
    for role in ("down", "hada_w1_b", "lokr_w2_b", "lokr_w1_b"):
        if role in layer:
            return layer[role].shape[0]
    return None


def _with_layer(weight: Tensor, laid: _Laid) -> Tensor:
    """A weight in float32 with one layer over it."""
    try:
        delta = laid.scale * _delta(laid.layer)
        delta = _own_rows(delta.to(weight.device), laid.target).reshape(weight.shape)
        direction = _magnitude(laid.layer, weight)
        if direction is None:
            return weight + laid.strength * delta
        magnitude, sides = direction
        whole: Tensor = weight + delta
        norm: Tensor = torch.linalg.vector_norm(whole, dim=sides, keepdim=True)
        own = _own_rows(magnitude, laid.target) if len(magnitude) > 1 else magnitude
        whole = whole * own / norm
        return weight + laid.strength * (whole - weight)
    except (RuntimeError, KeyError, IndexError) as error:
        shapes = ", ".join(f"{role} {list(t.shape)}" for role, t in sorted(laid.layer.items()))
        raise InputError(
            f"{laid.where} ({shapes}) does not fit the model, which has {list(weight.shape)} "
            f"there; choose a LoRA of the model's family"
        ) from error


def _own_rows(rows: Tensor, target: Target) -> Tensor:
    """Those of a layer's rows that are a module's, as the module has them."""
    own = rows[target.start : target.stop]
    return torch.cat(own.chunk(2)[::-1]) if target.swapped else own


def _delta(layer: Layer) -> Tensor:
    """What is added to a weight, before it is scaled."""
    if "diff" in layer:
        return layer["diff"]
    if "hada_w1_a" in layer:
        first, second = (
            _product(layer[f"hada_w{n}_a"], layer[f"hada_w{n}_b"], layer.get(f"hada_t{n}"))
            for n in (1, 2)
        )
        return first * second
    if any(role.startswith("lokr_") for role in layer):
        return _kronecker(layer)
    up, down = layer["up"], layer["down"]
    if "mid" in layer:
        return torch.einsum("or,rskl,si->oikl", up.flatten(1), layer["mid"], down.flatten(1))
    return up.flatten(1) @ down.flatten(1)


def _product(a: Tensor, b: Tensor, core: Tensor | None) -> Tensor:
    """Two factors as one, through a core if there is one (Tucker)."""
    if core is None:
        return a @ b.flatten(1)
    return torch.einsum("ijkl,jr,ip->prkl", core, b, a)


def _kronecker(layer: Layer) -> Tensor:
    def factor(name: str) -> Tensor:
        if name in layer:
            return layer[name]
        core = layer.get("lokr_t2") if name == "lokr_w2" else None
        return _product(layer[f"{name}_a"], layer[f"{name}_b"], core)

    first, second = factor("lokr_w1"), factor("lokr_w2")
    for _ in range(second.ndim - first.ndim):
        first = first.unsqueeze(-1)
    return torch.kron(first.contiguous(), second.contiguous())


def _magnitude(layer: Layer, weight: Tensor) -> tuple[Tensor, tuple[int, ...]] | None:
    """Lengths of a weight's rows, or of its columns, and which sides a length is taken over."""
    found = layer.get("magnitude")
    if found is not None:  # peft's, always of rows
        return found.to(weight.device).reshape(-1, *[1] * (weight.ndim - 1)), tuple(
            range(1, weight.ndim)
        )
    found = layer.get("dora")
    if found is None:
        return None
    columns = found.ndim > 1 and found.shape[0] == 1 and weight.shape[0] != 1
    shape = [1] * weight.ndim
    shape[int(columns)] = -1
    sides = tuple(side for side in range(weight.ndim) if side != int(columns))
    return found.to(weight.device).reshape(shape), sides
