"""Convolutions whose weights lie as the processor multiplies them.

oneDNN, which computes convolutions on the CPU, wants the weights in blocks that depend on the shape
of the input, and makes these anew at every call: of Stable Diffusion 1.5 in bf16 at 256 pixels that
is a quarter of a step. Here the blocks are kept, in place of the weights as they were. What is
computed stays the same, bit for bit, where pictures and weights lie by channels, as those of loaded
networks do. A plain convolution of 1 x 1 goes by how the picture lies, since its weight can be
taken for either layout: of a picture that does not lie by channels it takes sums in another order,
unless `by_channels` has decided for it. (In fp32 the blocks would change that order everywhere.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

import torch
from torch import Tensor, nn

from nodeflow import Device, Precision
from nodeflow_nodes.diffusion.families.blocks import in_blocks, unpacked

N = TypeVar("N", bound=nn.Module)

Shape = tuple[int, ...]


def packed(network: N, device: Device) -> N:
    """The network, whose convolutions keep their weights in blocks where that is faster.

    Its parameters stay the same objects; read those of convolutions through `plain`.
    """
    if packs(device):
        for module in _convolutions(network):
            module.__class__ = PackedConv2d
    return network


def unpacking(network: N) -> N:
    """The network, before its first call, whose convolutions keep no blocks any more."""
    keeping: list[nn.Module] = [one for one in network.modules() if type(one) is PackedConv2d]
    for module in keeping:
        module.__class__ = nn.Conv2d
    return network


def by_channels(network: N, device: Device) -> N:
    """The network, not packed, whose convolutions give the same as packed ones.

    They lay what they give out by the weight, and one of 1 x 1 may be taken for either layout.
    """
    if packs(device):
        for module in _convolutions(network):
            weight = module.weight
            if weight.shape[2:] == (1, 1):
                width = weight.shape[1]
                weight.data = weight.data.as_strided(weight.shape, (width, 1, width, width))
    return network


def _convolutions(network: nn.Module) -> Iterator[nn.Conv2d]:
    for module in network.modules():
        # Others, such as those of packs, may read their weight by themselves.
        if type(module) is not nn.Conv2d or module.padding_mode != "zeros":
            continue
        if isinstance(module.padding, tuple):
            yield module


def packs(device: Device) -> bool:
    """Whether there are blocks to keep: what is compiled whole has its own, a GPU has none."""
    if device.name != "cpu" or device.precision is not Precision.BF16 or device.compiled is True:
        return False
    found = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(
        found
        and hasattr(torch.ops.mkldnn, "_reorder_convolution_weight")
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )


def plain(weight: Tensor) -> Tensor:
    """A weight as others know it, whether it lies in blocks or not."""
    if in_blocks(weight):
        return unpacked(weight)
    return weight.to_dense() if weight.is_mkldnn else weight


class PackedConv2d(nn.Conv2d):
    """A convolution that packs its weight for the shape that it is asked with."""

    _last: Shape = ()

    def forward(self, input: Tensor) -> Tensor:
        shape, weight = tuple(input.shape), self.weight
        if input.dtype is not weight.dtype or len(shape) != 4:
            return super().forward(input)
        # A shape that comes once, as the last tile of a picture, is not worth the change.
        if not weight.is_mkldnn or (shape == self._last != getattr(weight, "fits", shape)):
            _pack(self, shape)
        self._last = shape
        if not self.weight.is_mkldnn:
            return super().forward(input)
        found: Tensor = torch.ops.mkldnn._convolution_pointwise(
            input,
            self.weight,
            self.bias,
            self.padding,
            self.stride,
            self.dilation,
            self.groups,
            "none",
            [],
            "",
        )
        return found


def _pack(module: PackedConv2d, shape: Shape) -> None:
    """Put blocks in the place of a weight, for all that share it."""
    weight = module.weight
    blocks = torch.ops.mkldnn._reorder_convolution_weight(
        plain(weight),
        module.padding,
        module.stride,
        module.dilation,
        module.groups,
        shape,
    )
    fresh = nn.Parameter(blocks, requires_grad=False)
    fresh.fits = shape  # type: ignore[attr-defined]  # it goes where the blocks go
    # It is refused while somebody else has hold of the weight; the next call tries again.
    with suppress(RuntimeError):
        torch.utils.swap_tensors(weight, fresh)  # type: ignore[no-untyped-call]
