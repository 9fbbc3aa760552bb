"""Pictures of latents by a small decoder: `decode_taesd`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch

from nodeflow import Device, File, Image, InputError, Latent, Model, ModelMemory, node
from nodeflow_nodes.diffusion.families.tiny_decoder import KIND
from nodeflow_nodes.diffusion.latents import finite
from nodeflow_nodes.diffusion.parts import denoiser
from nodeflow_nodes.diffusion.preview import kept_decoder
from nodeflow_nodes.diffusion.tiny_decoder_checks import check_decode_taesd, decode_taesd_facts


@node(
    title="Decode (TAESD)",
    category="latent",
    on="device",
    output="image",
    check=check_decode_taesd,
    facts=decode_taesd_facts,
)
def decode_taesd(
    file: Annotated[Path, File(KIND)],
    model: Model,
    latent: Latent,
    *,
    models: ModelMemory,
    device: Device,
) -> Image:
    """Turn latents into pictures by a small decoder (TAESD): quickly, in little memory, and with
    less detail than `decode` gives them.

    Args:
        file: A small decoder for the model's family: taesd, taesdxl, taesd3 or taef1.
        model: The model that the latents were sampled with; it says how they are scaled.
        latent: The latents, of pictures; those of videos need `decode`.
    """
    if latent.samples.ndim != 4:
        raise InputError(
            f"the latent is of a video, and the small decoder {file} makes single pictures; use "
            "decode, with the model's autoencoder"
        )
    network = denoiser(model, models, device)
    kind = {"channels": latent.samples.shape[1], "downscale": latent.downscale}
    check_decode_taesd(file, {"channels": network.channels}, kind)
    decoder = kept_decoder(file, model, models, device)
    # One by one: pictures need much more room than their latents.
    pictures = [decoder.decode(one) for one in torch.split(network.scaled(latent.samples), 1)]
    return finite(torch.cat(pictures).cpu(), latent)
