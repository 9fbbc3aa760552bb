"""`encode_text`: what a prompt means to a network."""

from __future__ import annotations

from nodeflow import Conditioning, Device, ModelMemory, Prompt, TextEncoder, node
from nodeflow_nodes.diffusion.hooks import text_facts
from nodeflow_nodes.diffusion.parts import text_model


@node(category="text", on="device", facts=text_facts)
def encode_text(
    encoder: TextEncoder, text: Prompt, *, models: ModelMemory, device: Device
) -> Conditioning:
    """Turn a prompt into what the network listens to.

    Args:
        encoder: The model's text encoder.
        text: The prompt, of any length. `(words:1.3)` weighs words more, `(words:0.7)` less,
            `(words)` means 1.1; write a parenthesis itself with a backslash before it.
    """
    return text_model(encoder, models, device).encode(text)
