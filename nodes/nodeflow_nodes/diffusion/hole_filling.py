"""Pictures with a part to be drawn anew, as latents."""

from __future__ import annotations

from dataclasses import replace

import torch

from nodeflow import Device, Image, InputError, Latent, Mask, ModelMemory, Vae, node
from nodeflow_nodes.diffusion.hooks import hole_latent_facts
from nodeflow_nodes.diffusion.latents import encoded, opaque
from nodeflow_nodes.diffusion.parts import autoencoder


@node(category="latent", on="device", facts=hole_latent_facts)
def encode_for_inpainting(
    vae: Vae,
    image: Image,
    mask: Mask,
    keep_outside: bool = True,
    *,
    models: ModelMemory,
    device: Device,
) -> Latent:
    """Turn pictures into latents of which a walk draws only what the mask chooses.

    For every model: those that were trained to fill holes also get the picture with the hole
    painted grey. With them `denoise` 1 is best; with others somewhat less keeps to the picture.

    Args:
        vae: The model's autoencoder.
        image: The pictures; of those with alpha the colours count alone, since a painted mask is
            kept there.
        mask: What is drawn anew, stretched over the picture; grow and feather it first, so that no
            seam is seen.
        keep_outside: Hold the picture where the mask is 0. Off, a model that was trained to fill
            holes draws all of it, with the surroundings before its eyes, as diffusers lets it.
    """
    network = autoencoder(vae, models, device)
    pixels = opaque(Image(image[..., :3] if image.shape[-1] == 4 else image))
    if len(mask) not in (1, len(pixels)):
        raise InputError(
            f"the mask is for {len(mask)} pictures, and the image holds {len(pixels)}; give one "
            "mask, or as many as there are pictures"
        )
    latent = Latent(
        encoded(network, pixels, None, models), network.downscale, mask, keeps=keep_outside
    )
    stretched = torch.nn.functional.interpolate(
        mask.float().unsqueeze(1), size=pixels.shape[1:3], mode="bilinear"
    )[:, 0]
    hole = (stretched > 0.5).unsqueeze(-1).to(pixels.device)
    # Grey is the middle of what the autoencoder takes: the networks were trained with it.
    around = torch.where(hole, 0.5, pixels)
    return replace(latent, surroundings=encoded(network, around, None, models))
