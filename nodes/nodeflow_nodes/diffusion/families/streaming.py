"""Networks larger than what models may take: weights come when they are used, and go again.

On the CPU weights lie in mapped files, and behind each block its memory is given back; what there
is of it beside keeps the files at hand. To a GPU blocks come out of RAM, the next while one
computes, by diffusers' group offloading; those of text encoders, which lie deeper, one by one. (Its
way to stream from files would read a network whole before it begins, hold convolutions in another
order, and let no two networks share weights.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nodeflow import Device
from nodeflow_nodes.diffusion.families.blocks import in_blocks
from nodeflow_nodes.diffusion.families.changes import Part
from nodeflow_nodes.diffusion.families.mapped_weights import LARGE, MappedWeights

N = TypeVar("N", bound=nn.Module)

_OF_NETWORK = "letting_go"
"""The attribute of a network that streams."""


@dataclass(frozen=True)
class Resting(Device):
    """Where the weights of networks lie that stream.

    Attributes:
        weights: In which files; None for RAM.
    """

    weights: MappedWeights | None = field(default=None, compare=False)


class LettingGo:
    """Gives the memory of a network's weights back behind each of its blocks."""

    def __init__(self, weights: Sequence[MappedWeights]) -> None:
        """Where the weights lie; the last takes what is new."""
        self._weights = tuple(weights)

    def __deepcopy__(self, memo: object) -> LettingGo:
        # What a twin has of its own leaves with it.
        return LettingGo([*self._weights, MappedWeights(self._weights[-1].folder)])

    def behind(self, block: nn.Module, inputs: object, outputs: object) -> None:
        """A hook of a block."""
        for tensor in _large(block):
            for weights in self._weights:
                weights.let_go(tensor)

    def stored(self, tensor: Tensor) -> Tensor:
        """A weight that the network has beside those of the network whose twin it is."""
        return self._weights[-1].stored(tensor) if tensor.nbytes >= LARGE else tensor


def streaming(network: N, weights: MappedWeights) -> N:
    """A loaded network, in place, whose weights lie in files."""
    for tensor in _large(network):
        if not weights.holds(tensor):
            tensor.data = weights.stored(tensor.data)
    letting = LettingGo([weights])
    blocks: list[nn.Module] = [*_blocks(network), network]
    for block in blocks:
        block.register_forward_hook(letting.behind, always_call=True)
    setattr(network, _OF_NETWORK, letting)
    weights.held += sum(_at_once(network))
    for tensor in _large(network):
        weights.let_go(tensor)
    return network


def letting_go(network: nn.Module) -> LettingGo | None:
    """What a network streams by that lies in files; None if it lies in memory."""
    return getattr(network, _OF_NETWORK, None)


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _large(module: nn.Module) -> Iterator[Tensor]:
    return (tensor for tensor in _tensors(module) if tensor.nbytes >= LARGE)


def _blocks(network: nn.Module) -> Iterator[nn.Module]:
    for module in network.modules():
        if isinstance(module, nn.ModuleList | nn.Sequential):
            yield from module


def _at_once(module: nn.Module) -> tuple[int, int]:
    """Bytes of a module outside of its blocks, and most of those that one of its blocks needs."""
    own = sum(
        tensor.nbytes
        for tensor in (*module._parameters.values(), *module._buffers.values())
        if tensor is not None
    )
    inner = 0
    for child in module.children():
        if isinstance(child, nn.ModuleList | nn.Sequential):
            inner = max([inner, *(sum(_at_once(block)) for block in child)])
        else:
            outside, within = _at_once(child)
            own, inner = own + outside, max(inner, within)
    return own, inner


class StreamingToGpu:
    """Lets a network that rests in RAM stream to a GPU, in place: nobody else may have it.

    Attributes:
        held: Bytes of networks that are on it at once, at most.
    """

    def __init__(self, device: Device) -> None:
        """What computes."""
        self._device = torch.device(device.name)
        self.held = 0

    def __call__(self, part: Part) -> Any:
        network = part.network
        # It imports accelerate, which takes its time.
        from diffusers.hooks.group_offloading import apply_group_offloading

        within = _around_blocks(network)
        # diffusers can bring the next block while one computes only if no blocks lie deeper. Then
        # weights lie in pinned memory, which nobody has tried with the matrices of GGUF files.
        packed = any(map(in_blocks, network.parameters()))
        ahead = self._device.type == "cuda" and not within and not packed
        # Of several networks one computes at a time, and behind it nothing is left there.
        there = _one_by_one(network) if within else _with_the_rest(network, 1 + ahead)
        self.held = max(self.held, there)
        apply_group_offloading(
            network,
            onload_device=self._device,
            offload_device=torch.device("cpu"),
            offload_type="block_level",
            num_blocks_per_group=1,
            use_stream=ahead,
            block_modules=within or None,
        )
        if within:
            network.register_forward_pre_hook(self._inputs, with_kwargs=True)
        return network

    def _inputs(
        self, network: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What a network is given, where it computes: it has no weights of its own to follow."""
        from accelerate.utils import send_to_device  # type: ignore[import-untyped]  # no types

        return send_to_device(args, self._device), send_to_device(kwargs, self._device)


def _bytes(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in _tensors(module))


def _is_list(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleList | nn.Sequential)


def _around_blocks(network: nn.Module) -> list[str]:
    """Names of all that lies beside blocks where these lie deeper in a network, as in text
    encoders: each then comes and goes by itself. Empty where they are the network's own."""
    if any(map(_is_list, network.children())):
        return []
    around: set[str] = set()
    lists: set[str] = set()
    modules = [network]
    while modules:
        module = modules.pop()
        if not any(map(_is_list, module.modules())):
            continue
        for name, child in module.named_children():
            (lists if _is_list(child) else around).add(name)
            if not _is_list(child):
                modules.append(child)
    # By name alone a list could be taken for one that is no block.
    return sorted(around - lists)


def _one_by_one(module: nn.Module) -> int:
    """Bytes that are there at once, at most, if blocks and all beside them come one by one."""
    if not any(map(_is_list, module.modules())):
        return _bytes(module)
    own = sum(
        tensor.nbytes
        for tensor in (*module._parameters.values(), *module._buffers.values())
        if tensor is not None
    )
    children = (block for child in module.children() for block in _blocks_or_itself(child))
    return own + max((size for size in children), default=0)


def _blocks_or_itself(child: nn.Module) -> Iterator[int]:
    if _is_list(child):
        yield from map(_bytes, child.children())
    else:
        yield _one_by_one(child)


def _with_the_rest(network: nn.Module, blocks: int) -> int:
    """Bytes of all beside a network's blocks, and of so many of these."""
    lists = [child for child in network.children() if _is_list(child)]
    sizes = [_bytes(block) for child in lists for block in child.children()]
    return _bytes(network) - sum(sizes) + blocks * max(sizes, default=0)
