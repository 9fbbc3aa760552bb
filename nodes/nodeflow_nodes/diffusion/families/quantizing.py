"""Networks whose matrices are kept in few bits by torchao or bitsandbytes."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import nn

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.blocks import in_blocks
from nodeflow_nodes.diffusion.families.changes import Part
from nodeflow_nodes.diffusion.families.lora_layers import DENOISER
from nodeflow_nodes.diffusion.families.pretrained import dtype_of
from nodeflow_nodes.diffusion.quantize_checks import SMALLEST, check_quantize

_BLOCK, _ROWS = 64, 32
"""Numbers of a row that share a scale in NF4, and rows that are multiplied at once: on CPUs there
must be whole ones only."""


class Quantizing:
    """Replaces the matrices of a network, in place: nobody else may have it."""

    def __init__(self, weights: str, device: Device) -> None:
        """Which weights, and what computes with them."""
        self._weights = weights
        self._device = device

    def __call__(self, part: Part) -> Any:
        """The network, if it is one that estimates; others are small beside it.

        Raises:
            InputError: The library is not installed, or the weights are in few bits already.
        """
        network = part.network
        if part.name != DENOISER:
            return network
        check_quantize(None, self._weights)
        if any(map(in_blocks, network.parameters())):
            raise InputError(
                "the model's weights are in few bits already, as its GGUF file has them; leave "
                "quantize out"
            )
        if self._weights == "nf4":
            self._in_nf4(network)
        else:
            self._by_torchao(network)
        return network

    def _by_torchao(self, network: nn.Module) -> None:
        torchao: Any = importlib.import_module("torchao.quantization")
        kinds = {"int8": torchao.Int8WeightOnlyConfig, "fp8": torchao.Float8WeightOnlyConfig}
        torchao.quantize_(network, kinds[self._weights](), filter_fn=_is_worth_it)
        network.requires_grad_(False)

    def _in_nf4(self, network: nn.Module) -> None:
        library: Any = importlib.import_module("bitsandbytes")
        for name, module in list(network.named_modules()):
            old: Any = module
            if not _is_worth_it(module, name):
                continue
            if old.in_features % _BLOCK or old.out_features % _ROWS:
                continue
            with torch.device("meta"):
                linear = library.nn.Linear4bit(
                    old.in_features,
                    old.out_features,
                    bias=old.bias is not None,
                    compute_dtype=dtype_of(self._device),
                    quant_type="nf4",
                )
            weight = library.nn.Params4bit(
                old.weight.data.contiguous(), requires_grad=False, quant_type="nf4"
            )
            # It is rounded when it is brought to a device.
            linear.weight, linear.bias = weight.to(self._device.name), old.bias
            network.set_submodule(name, linear.eval())


def _is_worth_it(module: nn.Module, name: str) -> bool:
    """Matrices of the layers; what lies before and after them is small, and all depends on it."""
    in_a_layer = any(part.isdigit() for part in name.split("."))
    return in_a_layer and type(module) is nn.Linear and module.weight.numel() >= SMALLEST
