"""Prompts: what they mean to a network, and the numbers that some networks take with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from nodeflow import Conditioning, Device, ModelMemory, Prompt, Recipe, TextEncoder, node
from nodeflow_nodes.diffusion.hooks import conditioned_facts, text_facts
from nodeflow_nodes.diffusion.lower_precision import precisions
from nodeflow_nodes.diffusion.parts import text_model
from nodeflow_nodes.diffusion.room import SMALLER_MODEL, by_some_way
from nodeflow_nodes.diffusion.text_checks import check_text


@node(category="text", on="device", check=check_text, facts=text_facts)
def encode_text(
    encoder: TextEncoder, text: Prompt, *, models: ModelMemory, device: Device
) -> Conditioning:
    """Turn a prompt into what the network listens to.

    Args:
        encoder: The model's text encoder.
        text: The prompt, of any length. `(words:1.3)` weighs words more, `(words:0.7)` less,
            `(words)` means 1.1; write a parenthesis itself with a backslash before it.
            `embedding:name` is a word that `load_embedding` has taught.
    """

    def encoded(encoder: Recipe, models: ModelMemory, device: Device) -> Conditioning:
        return text_model(encoder, models, device).encode(text)

    return by_some_way(models, precisions(encoder, models, device, encoded), SMALLER_MODEL)


Pixels = Annotated[int, Field(ge=0, le=16384)]


@node(category="text", facts=conditioned_facts)
def size_conditioning(
    conditioning: Conditioning,
    width: Pixels | None = None,
    height: Pixels | None = None,
    crop_left: Pixels = 0,
    crop_top: Pixels = 0,
    target_width: Pixels | None = None,
    target_height: Pixels | None = None,
    aesthetic_score: Annotated[float, Field(ge=0, le=10)] | None = None,
) -> Conditioning:
    """Tell a network that was trained on sizes, such as an XL one, which size to draw for.

    Other networks pass over these numbers. What is left empty follows the latent when it is
    sampled.

    Args:
        conditioning: The prompt.
        width: Width in pixels of the picture that the result is to seem made from; small ones
            look blurred.
        height: Height of that picture.
        crop_left: How many pixels seem cut off at the left; 0 keeps things in the middle.
        crop_top: How many seem cut off at the top.
        target_width: Width in pixels that the result is to seem made for.
        target_height: Height that it is to seem made for.
        aesthetic_score: How well people are to like the picture; read by refiners only, which take
            6 for a positive and 2.5 for a negative prompt by themselves.
    """
    numbers = {
        "width": width,
        "height": height,
        "crop_left": crop_left,
        "crop_top": crop_top,
        "target_width": target_width,
        "target_height": target_height,
        "aesthetic_score": aesthetic_score,
    }
    given = {name: float(number) for name, number in numbers.items() if number is not None}
    return replace(conditioning, extra={**conditioning.extra, **given})


@node(category="text", facts=conditioned_facts)
def distilled_guidance(
    conditioning: Conditioning, guidance: Annotated[float, Field(ge=0, le=100)] = 3.5
) -> Conditioning:
    """Tell a network that was distilled to it, such as Flux dev, how firmly to follow the prompt.

    Other networks pass over it. `sample` then wants a guidance of 1, which costs half the time.

    Args:
        conditioning: The prompt.
        guidance: 3.5 is usual; lower looks more natural, higher keeps closer to the words.
    """
    return replace(conditioning, extra={**conditioning.extra, "guidance": guidance})
