"""What is known of quantised weights before a run. Quick to import."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Literal

from nodeflow import InputError, Patch
from nodeflow_nodes.diffusion.hooks import Facts, Known

Weights = Literal["int8", "fp8", "nf4"]

QUANTIZED = "quantized_"
"""Begins the kinds of patch, which end with the name of the weights."""
SMALLEST = 4096
"""Numbers that a matrix must have to be worth it."""
LIBRARIES: Mapping[str, str] = {"int8": "torchao", "fp8": "torchao", "nf4": "bitsandbytes"}


def quantized_weights(patches: Sequence[Patch]) -> str:
    """In which weights the network is to be kept; empty if as they are. Of several the last."""
    kinds = [patch.kind for patch in patches if patch.kind.startswith(QUANTIZED)]
    return kinds[-1].removeprefix(QUANTIZED) if kinds else ""


def check_quantize(model: Known, weights: Known) -> None:
    """The library must be there, and the weights must not be in few bits already."""
    library = LIBRARIES.get(weights) if isinstance(weights, str) else None
    if library is not None and importlib.util.find_spec(library) is None:
        raise InputError(
            f"{weights} weights need the package {library}, which is not installed: "
            f"python -m pip install {library}"
        )
    facts = model if isinstance(model, Mapping) else {}
    stored = facts.get("precision")
    if isinstance(stored, str) and stored.startswith(("q", "iq")):
        raise InputError(
            f"the model's weights are in few bits already ({stored}); link it without this node, "
            "or take a file with fp16 or bf16 weights"
        )


def quantize_facts(model: Known) -> dict[str, Facts]:
    """Facts of `quantize`: those of the model."""
    return {"model": model if isinstance(model, Mapping) else {}}
