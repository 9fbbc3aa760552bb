"""Networks with weights of few bits."""

from __future__ import annotations

from dataclasses import replace

from nodeflow import Model, Patch, node
from nodeflow_nodes.diffusion.quantize_checks import (
    QUANTIZED,
    Weights,
    check_quantize,
    quantize_facts,
)


@node(category="models", check=check_quantize, facts=quantize_facts)
def quantize(model: Model, weights: Weights = "int8") -> Model:
    """Keep the matrices of a network in few bits, so that it takes less memory. They are rounded
    when the model is loaded, after LoRA files are laid over it.

    Convolutions, and what lies outside of the network's layers, stay as they are: transformers
    become about half as large, UNets less.

    Args:
        model: The network, with weights in fp32, fp16 or bf16.
        weights: int8 and fp8 (e4m3) need the package torchao, nf4 needs bitsandbytes. int8 is the
            closest; nf4 the smallest.
    """
    check_quantize(None, weights)
    patches = [patch for patch in model.patches if not patch.kind.startswith(QUANTIZED)]
    return replace(model, patches=(*patches, Patch(QUANTIZED + weights)))
