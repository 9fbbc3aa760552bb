"""Small networks of real architectures, with random weights that make a difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from spandrel.architectures.Compact import Compact
from spandrel.architectures.DAT import DAT
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.HAT import HAT
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwinIR import SwinIR

_TRANSFORMER: dict[str, Any] = {
    "embed_dim": 24,
    "num_heads": [2, 2],
    "upscale": 2,
    "upsampler": "pixelshuffle",
}
_ARCHITECTURES: Mapping[str, Callable[[], torch.nn.Module]] = {
    "compact": lambda: Compact(num_feat=16, num_conv=8, upscale=4),
    "esrgan": lambda: ESRGAN(num_filters=16, num_blocks=4, scale=4),
    "swinir": lambda: SwinIR(window_size=8, depths=[2, 2], resi_connection="1conv", **_TRANSFORMER),
    "dat": lambda: DAT(split_size=[8, 16], depth=[2, 2], resi_connection="1conv", **_TRANSFORMER),
    "hat": lambda: HAT(
        window_size=8, depths=[2, 2], compress_ratio=3, squeeze_factor=6, **_TRANSFORMER
    ),
    "span": lambda: SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=2),
}
NAMES = tuple(_ARCHITECTURES)
_GAIN = 1.5
"""Above what training begins with, so that the networks do more than interpolate."""


def architecture(name: str) -> dict[str, torch.Tensor]:
    """The weights of a network, as its file holds them."""
    torch.manual_seed(1)
    network = _ARCHITECTURES[name]()
    for weight in network.parameters():
        if weight.ndim > 1:
            weight.data *= _GAIN
    return {n: t.detach().clone().contiguous() for n, t in network.state_dict().items()}
