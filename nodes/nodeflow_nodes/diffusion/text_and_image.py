"""Prompts about a picture, for models that edit pictures or set them in motion."""

from __future__ import annotations

from dataclasses import replace

from nodeflow import (
    Conditioning,
    Device,
    Image,
    InputError,
    Latent,
    ModelMemory,
    Prompt,
    TextEncoder,
    Vae,
    node,
)
from nodeflow_nodes.diffusion.families.family import Referring, SeeingText
from nodeflow_nodes.diffusion.hooks import text_facts
from nodeflow_nodes.diffusion.latents import opaque
from nodeflow_nodes.diffusion.parts import autoencoder, text_model
from nodeflow_nodes.diffusion.room import in_room


@node(category="text", on="device", facts=text_facts)
def encode_text_and_image(
    encoder: TextEncoder,
    vae: Vae,
    text: Prompt,
    image: Image,
    latent: Latent,
    *,
    models: ModelMemory,
    device: Device,
) -> Conditioning:
    """Turn a prompt about a picture into what the network listens to.

    For models that draw on a picture: those that edit it, such as Qwen-Image-Edit, Flux Kontext and
    Flux 2, and those that set it in motion, such as Wan image to video.

    Args:
        encoder: The model's text encoder, which may look at the picture as well.
        vae: The model's autoencoder.
        text: The prompt.
        image: The picture; the first of several.
        latent: The empty latent that will be sampled; its size is the result's.
    """
    seeing, network = text_model(encoder, models, device), autoencoder(vae, models, device)
    if not isinstance(seeing, SeeingText) or not isinstance(network, Referring):
        raise InputError(
            "this model draws on no picture beside the prompt; use encode_text, and begin with the "
            "picture's latent, or hold the walk to it with a ControlNet or an IP-Adapter"
        )
    seen = opaque(image[:1])
    references = in_room(models, lambda: network.references(seen, latent))
    found = in_room(models, lambda: seeing.encode_seen(text, seen))
    return replace(found, states={**found.states, **references})
