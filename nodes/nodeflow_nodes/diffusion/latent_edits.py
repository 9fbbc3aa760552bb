"""Latents changed, mixed, masked and counted without their autoencoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from nodeflow import Device, InputError, Latent, Mask, Model, ModelMemory, Seed, node
from nodeflow_nodes.diffusion.hooks import check_blend, check_noise, latent_facts, noise_facts
from nodeflow_nodes.diffusion.parts import denoiser
from nodeflow_nodes.diffusion.samplers.noise import start_noise
from nodeflow_nodes.diffusion.voices import span_of

Method = Literal["nearest", "bilinear", "bicubic", "area"]
Part = Annotated[float, Field(ge=0, le=1)]


@node(category="latent", facts=latent_facts)
def upscale_latent(
    latent: Latent,
    scale: Annotated[float, Field(gt=0, le=8)] = 1.5,
    method: Method = "nearest",
) -> Latent:
    """Enlarge latents, for a second walk at a higher resolution with `denoise` at about a half.

    Args:
        latent: The latents.
        scale: How many times as large; sides are rounded to whole latent pixels, two at a time.
        method: How the values between are found.
    """
    height, width = (max(round(side * scale / 2) * 2, 2) for side in latent.samples.shape[-2:])
    # What torch calls nearest is not: it takes the pixel before, and shifts the picture by that.
    mode = "nearest-exact" if method == "nearest" else method

    def resized(tensor: Tensor, mode: str) -> Tensor:
        # Frames of videos are pictures each.
        pictures = tensor.flatten(1, -3) if tensor.ndim > 4 else tensor
        found = torch.nn.functional.interpolate(pictures, size=(height, width), mode=mode)
        return found.reshape(*tensor.shape[:-2], height, width)

    around = latent.surroundings
    mask = latent.mask
    return replace(
        latent,
        samples=resized(latent.samples, mode),
        surroundings=None if around is None else resized(around, mode),
        mask=None if mask is None else resized(mask.unsqueeze(1), "bilinear")[:, 0],
    )


@node(category="latent", facts=latent_facts, check=check_blend)
def blend_latents(latent: Latent, other: Latent, amount: Part = 0.5) -> Latent:
    """Mix two latents of one size.

    Args:
        latent: A latent.
        other: The latent that is mixed into it.
        amount: How much of the other is in the result: 0 is the first, 1 the other.
    """
    one, two = latent.samples, other.samples.to(latent.samples.device)
    if one.shape[1:] != two.shape[1:] or (len(one) != len(two) and 1 not in (len(one), len(two))):
        raise InputError(
            f"latents of shape {list(one.shape)} and {list(two.shape)} cannot be mixed; they must "
            "have the same channels and size, and as many pictures or one"
        )
    return replace(latent, samples=(1 - amount) * one + amount * two)


@node(category="latent", on="device", facts=noise_facts, check=check_noise)
def add_noise(
    model: Model,
    latent: Latent,
    seed: Seed = 0,
    amount: Annotated[float, Field(gt=0, lt=1)] = 0.5,
    *,
    models: ModelMemory,
    device: Device,
) -> Latent:
    """Lay noise over latents, as if a walk had come to that part of its way.

    A walk with `add_noise` off goes on from there.

    Args:
        model: The network that will walk; it says how noise and picture mix.
        latent: The latents.
        seed: Seed of the noise.
        amount: How far from the picture: 0 is the picture itself, 1 nothing but noise.
    """
    network = denoiser(model, models, device)
    check_noise({"channels": network.channels}, {"channels": latent.samples.shape[1]})
    samples = latent.samples.to(device.name, torch.float32)
    sigma = span_of(network.levels, 1 - amount, 1.0).first
    scaled = network.scaled(samples)
    noise = start_noise(scaled, latent.seeds or (seed,))
    x = network.levels.mixed(scaled, noise, sigma)
    return replace(latent, samples=network.unscaled(network.levels.finish(x, sigma)))


@node(category="latent", facts=latent_facts)
def mask_latent(latent: Latent, mask: Mask) -> Latent:
    """Let a walk change a part of the latent only; the rest of the picture stays as it is.

    Args:
        latent: The latent of the picture.
        mask: Where it may be changed; it is stretched over the picture.
    """
    return replace(latent, mask=mask, keeps=True)


@node(category="latent", facts=latent_facts)
def seed_batch(latent: Latent, seeds: list[int]) -> Latent:
    """Give each picture of a batch a seed of its own: it becomes what it would be alone.

    Args:
        latent: A latent of one picture, which is repeated, or of as many as there are seeds.
        seeds: The seeds; they count instead of the seed of the sampler.
    """
    for seed in seeds:
        if not 0 <= seed < 2**53:
            raise InputError(f"the seed {seed} is not between 0 and 2^53 - 1")
    count = len(latent.samples)
    if not seeds or count not in (1, len(seeds)):
        raise InputError(
            f"{len(seeds)} seeds do not fit {count} pictures; give one for each picture"
        )
    return replace(
        latent,
        samples=latent.samples.expand(len(seeds), *latent.samples.shape[1:]),
        seeds=tuple(seeds),
    )


@node(category="latent", facts=latent_facts)
def repeat_latent(latent: Latent, times: Annotated[int, Field(ge=1, le=256)] = 2) -> Latent:
    """Put copies of latents behind each other into one batch.

    Args:
        latent: The latents.
        times: How often each is there.
    """

    def repeated(tensor: Tensor | None) -> Tensor | None:
        if tensor is None or (tensor is latent.mask and len(tensor) == 1):
            return tensor
        return tensor.repeat_interleave(times, dim=0)

    samples = latent.samples.repeat_interleave(times, dim=0)
    return replace(
        latent,
        samples=samples,
        mask=repeated(latent.mask),
        surroundings=repeated(latent.surroundings),
        seeds=tuple(seed for seed in latent.seeds for _ in range(times)),
    )


@node(category="latent", facts=latent_facts)
def pick_latent(latent: Latent, index: Annotated[int, Field(ge=0, le=255)] = 0) -> Latent:
    """One picture out of a batch.

    Args:
        latent: The batch.
        index: Which; the first is 0.
    """
    count = len(latent.samples)
    if index >= count:
        raise InputError(f"the batch holds {count} pictures, so there is no number {index}")

    def one(tensor: Tensor | None) -> Tensor | None:
        return tensor if tensor is None or len(tensor) == 1 else tensor[index : index + 1]

    return replace(
        latent,
        samples=latent.samples[index : index + 1],
        mask=one(latent.mask),
        surroundings=one(latent.surroundings),
        seeds=latent.seeds[index : index + 1],
    )
