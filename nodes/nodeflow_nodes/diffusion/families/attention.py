"""Changes to the attention of networks, for as long as they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from diffusers.models.attention_processor import Attention
from torch import Tensor, nn


class OwnPlace:
    """Self-attention in which every place looks at itself alone: the attention map is the identity
    (Ahn et al. 2024, arXiv 2403.17377, eq. 8)."""

    def __call__(
        self, attention: Attention, hidden_states: Tensor, *args: Any, **kwargs: Any
    ) -> Tensor:
        out: Any = attention.to_out
        result: Tensor = out[1](out[0](attention.to_v(hidden_states)))
        return result / attention.rescale_output_factor


@contextmanager
def own_place_only(block: nn.Module | None) -> Iterator[None]:
    """While it is open, the self-attentions of transformers in `block` are `OwnPlace`."""
    found = [] if block is None else list(block.named_modules())
    changed = [
        (module, module.processor)
        for name, module in found
        if isinstance(module, Attention) and name.endswith("attn1")
    ]
    try:
        for module, _ in changed:
            module.set_processor(OwnPlace())  # type: ignore[arg-type]  # it lists its own only
        yield
    finally:
        for module, processor in changed:
            module.set_processor(processor)
