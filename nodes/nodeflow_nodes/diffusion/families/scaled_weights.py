"""Weights in eight bits that stand beside the numbers they are to be multiplied by.

As ComfyUI writes them: `layer.weight` in fp8 with `layer.scale_weight`, in later files with
`layer.weight_scale`. What is meant for multiplying in eight bits itself is passed over.
"""

from __future__ import annotations

from torch import Tensor

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable

_WEIGHT = ".weight"
_SCALES = (".scale_weight", ".weight_scale")
_MARKS = (*_SCALES, ".weight_scale_2", ".scale_input", ".input_scale", ".comfy_quant")
_WHOLE = "scaled_fp8"
"""Says of all of a network that it is stored so; it has no numbers of its own."""


def is_mark(name: str) -> bool:
    """Whether a tensor tells how others are stored, and is none of the network's."""
    return name.endswith(_MARKS) or name.rpartition(".")[2] == _WHOLE


def scale_of(table: TensorTable, name: str) -> str | None:
    """The name of the tensor that a weight is to be multiplied by; None for a plain weight.

    Raises:
        InputError: The weight is packed in a way that is not known here.
    """
    if not name.endswith(_WEIGHT):
        return None
    base = name.removesuffix(_WEIGHT)
    scale = next((base + end for end in _SCALES if base + end in table), None)
    stored = table.entries[name].dtype
    if scale is not None and stored in ("U8", "I8", "U32", "I32"):
        raise InputError(
            f"the weight '{name}' in {table.path} is packed into whole numbers ({stored}), which "
            "is not supported; choose a file in fp8, bf16 or fp16"
        )
    return scale


def multiplied(weight: Tensor, scale: Tensor) -> Tensor:
    """The weight as it is meant, float32: times one number, or times one for each of its rows."""
    factor = scale.float()
    factor = factor.reshape(-1, *[1] * (weight.ndim - 1)) if factor.numel() > 1 else factor.mean()
    return weight.float() * factor
