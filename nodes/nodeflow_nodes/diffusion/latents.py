"""Latents: empty ones, those of pictures, and the pictures of latents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from nodeflow import (
    Device,
    Image,
    InputError,
    Latent,
    Model,
    ModelMemory,
    NodeflowError,
    Seed,
    Vae,
    node,
)
from nodeflow_nodes.diffusion.families.family import Autoencoder, SizingFamily
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.hooks import (
    check_decode,
    check_size,
    empty_latent_facts,
    image_latent_facts,
)
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.parts import autoencoder
from nodeflow_nodes.diffusion.room import decoded, encoded_whole_or_not
from nodeflow_nodes.diffusion.samplers.noise import start_noise

Side = Annotated[int, Field(ge=8, le=16384, multiple_of=8)]


@node(category="latent", check=check_size, facts=empty_latent_facts)
def empty_latent(
    model: Model,
    width: Side = 64,
    height: Side = 64,
    batch: Annotated[int, Field(ge=1, le=256)] = 1,
    frames: Annotated[int, Field(ge=1, le=1025)] = 1,
) -> Latent:
    """Begin with nothing: the latent that text to image, or to video, starts from.

    Args:
        model: The model that will sample; it says what a latent of its kind is.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        batch: How many pictures are made at once.
        frames: How many frames each has, for models that make videos.
    """
    family = family_of(model)
    if isinstance(family, SizingFamily):
        return family.empty(model, batch, width, height, frames)
    if frames > 1:
        raise InputError(f"this model makes pictures, so it has no {frames} frames; take 1")
    known = inspect_model(Path(model.path))
    check_size({"downscale": known.downscale}, width, height)
    rows, columns = height // known.downscale, width // known.downscale
    return Latent(torch.zeros(batch, known.channels, rows, columns), known.downscale)


@node(category="latent", on="device", facts=image_latent_facts)
def encode_image(
    vae: Vae,
    image: Image,
    sample: bool = False,
    seed: Seed = 0,
    *,
    models: ModelMemory,
    device: Device,
) -> Latent:
    """Turn pictures into latents, to begin image to image with.

    Args:
        vae: The model's autoencoder.
        image: Pictures; what is transparent is laid over white.
        sample: Draw from the distribution that the encoder gives, instead of taking its mean.
        seed: Seed of that drawing.
    """
    network = autoencoder(vae, models, device)
    pixels = opaque(image)
    return Latent(encoded(network, pixels, seed if sample else None, models), network.downscale)


@node(category="latent", on="device", check=check_decode)
def decode(vae: Vae, latent: Latent, *, models: ModelMemory, device: Device) -> Image:
    """Turn latents into pictures.

    Where memory is too small for whole pictures, they are made in tiles, as by `decode_tiled`; the
    run's log says so.

    Args:
        vae: The model's autoencoder.
        latent: The latents.
    """
    network = autoencoder(vae, models, device)
    check_decode(
        {"channels": network.channels, "downscale": network.downscale},
        {"channels": latent.samples.shape[1], "downscale": latent.downscale},
    )
    return finite(decoded(network, latent.samples, models), latent)


def finite(picture: Tensor, latent: Latent) -> Image:
    """A picture as an autoencoder made it of a latent.

    Raises:
        NodeflowError: Some of its numbers are none: it would be black there.
    """
    if bool(picture.isfinite().all()):
        return Image(picture)
    if not bool(latent.samples.isfinite().all()):
        raise NodeflowError(
            "the latent holds numbers that are not finite (NaN or infinity), which make no "
            "picture; look at what comes before this node"
        )
    raise NodeflowError(
        "the autoencoder gave numbers that are not finite (NaN or infinity). The precision may be "
        "too small for it: run with --precision fp32, or take another autoencoder by load_vae"
    )


def encoded(network: Autoencoder, pixels: Tensor, seed: int | None, models: ModelMemory) -> Tensor:
    """The latents of pictures [batch, height, width, 3].

    Args:
        network: The autoencoder.
        pixels: In 0..1.
        seed: Draws from the distribution that the encoder gives; None takes its mean.
        models: What is loaded; what is not in use leaves if memory runs out.

    Raises:
        InputError: A side is not a whole number of latent pixels.
        NodeflowError: Memory is too small even for tiles.
    """
    noise = drawing_noise(network, pixels, seed)
    return encoded_whole_or_not(network, pixels, noise, models)


def drawing_noise(network: Autoencoder, pixels: Tensor, seed: int | None) -> Tensor | None:
    """What `Autoencoder.encode` takes besides pictures, to draw latents from a seed.

    Raises:
        InputError: A side is not a whole number of latent pixels, or of what is made of several.
    """
    # Some networks take several latent pixels at once, which their autoencoders would not mind.
    multiple = getattr(network, "multiple", network.downscale)
    check_size({"downscale": multiple}, pixels.shape[2], pixels.shape[1])
    if seed is None:
        return None
    batch, height, width, _ = pixels.shape
    rows, columns = height // network.downscale, width // network.downscale
    return start_noise(torch.empty(batch, network.channels, rows, columns), (seed,))


def opaque(image: Tensor) -> Tensor:
    """Pictures of 1, 3 or 4 channels as red, green and blue."""
    channels = image.shape[-1]
    if channels == 4:
        colour, alpha = image[..., :3], image[..., 3:]
        return colour * alpha + (1 - alpha)
    if channels not in (1, 3):
        raise InputError(f"a picture of {channels} channels cannot be encoded; give it 1, 3 or 4")
    return image.expand(*image.shape[:-1], 3)
