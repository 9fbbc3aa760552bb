"""Matrices that lie in blocks of few bits, as GGUF files have them: diffusers' `GGUFParameter`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def in_blocks(tensor: Tensor) -> bool:
    """Whether a tensor is a matrix in blocks."""
    return hasattr(tensor, "quant_type")


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """The shape of a tensor, or of the matrix that its blocks hold."""
    return tuple(getattr(tensor, "quant_shape", tensor.shape))


def shapes(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors without content, for those who ask for shapes only."""
    return {
        name: torch.empty(shape_of(tensor), device="meta") if in_blocks(tensor) else tensor
        for name, tensor in state.items()
    }


def unpacked(tensor: Tensor) -> Tensor:
    """A tensor without blocks."""
    # diffusers has no types there, and it wants the package gguf.
    utils: Any = importlib.import_module("diffusers.quantizers.gguf.utils")
    found: Tensor = utils.dequantize_gguf_tensor(tensor)
    return found
