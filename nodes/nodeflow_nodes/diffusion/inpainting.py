"""Walks that may change a part of the picture only."""

from __future__ import annotations

import torch
from torch import Tensor

from nodeflow import InputError, Latent
from nodeflow_nodes.diffusion.families.family import Denoiser
from nodeflow_nodes.diffusion.hooks import blind_to_masks
from nodeflow_nodes.diffusion.samplers.step import Denoise

_GREY = (0.8223, -0.6876, 0.6364, 0.1380)
"""A grey picture, as holes are painted for training, by Stable Diffusion's autoencoder, scaled. So
ComfyUI has it, for XL too."""


def mask_of(latent: Latent) -> Tensor | None:
    """The latent's mask as float32 [batch, 1, height, width], in latent pixels.

    Raises:
        InputError: It is for another number of pictures.
    """
    if latent.mask is None:
        return None
    batch, _, height, width = latent.samples.shape
    if len(latent.mask) not in (1, batch):
        raise InputError(
            f"the latent's mask is for {len(latent.mask)} pictures, and the latent holds {batch}; "
            "give one mask, or as many as there are pictures"
        )
    mask = latent.mask.float().unsqueeze(1)
    if mask.shape[2:] != (height, width):
        mask = torch.nn.functional.interpolate(mask, size=(height, width), mode="bilinear")
    return mask.expand(batch, -1, -1, -1).to(latent.samples.device)


def beside(latent: Latent, mask: Tensor | None, network: Denoiser) -> Tensor | None:
    """What a network that was trained to fill holes sees beside x: the mask, and the picture
    around it as a scaled latent. None for other networks.

    Raises:
        InputError: The network wants channels that are not known here.
    """
    more = network.inputs - network.channels
    if more == 0:
        return None
    for_mask = more - network.channels
    if for_mask not in (1, network.downscale**2):
        raise InputError(
            f"the model takes {network.inputs} channels, and its latents have {network.channels}; "
            "of such models only those that fill holes, with a mask and a picture beside it, are "
            "supported"
        )
    if mask is None:
        # Everything may change: there is nothing around to go by.
        mask = torch.ones_like(latent.samples[:, :1])
    if latent.surroundings is None:
        around = torch.where(mask > 0.5, _hole(latent, network), network.scaled(latent.samples))
    else:
        around = network.scaled(latent.surroundings.to(latent.samples.device, torch.float32))
    if for_mask == 1:
        return torch.cat([mask.round(), around], dim=1)
    return torch.cat([around, _folded(latent, network.downscale)], dim=1)


def require_hole_filling(around: Tensor | None) -> None:
    """Only a network that sees the mask can go by it where nothing is kept.

    Raises:
        InputError: It sees none.
    """
    if around is None:
        raise InputError(blind_to_masks("the model"))


def _hole(latent: Latent, network: Denoiser) -> Tensor:
    """What stands in a hole of a scaled latent that was encoded without one."""
    if network.channels == len(_GREY):
        return latent.samples.new_tensor(_GREY).view(1, -1, 1, 1)
    return network.scaled(torch.zeros_like(latent.samples))


def _folded(latent: Latent, downscale: int) -> Tensor:
    """The mask pixel by pixel, those of a latent pixel as its channels."""
    batch, _, height, width = latent.samples.shape
    if latent.mask is None:
        return latent.samples.new_ones(batch, downscale**2, height, width)
    sides = (height * downscale, width * downscale)
    mask = latent.mask.float().unsqueeze(1)
    if mask.shape[2:] != sides:
        mask = torch.nn.functional.interpolate(mask, size=sides, mode="bilinear")
    blocks = mask.round().view(len(mask), height, downscale, width, downscale)
    folded = blocks.permute(0, 2, 4, 1, 3).reshape(len(mask), downscale**2, height, width)
    return folded.expand(batch, -1, -1, -1).to(latent.samples.device)


def kept_outside(
    denoise: Denoise, mask: Tensor, latent: Tensor, noise: Tensor, network: Denoiser
) -> Denoise:
    """An estimate that outside of `mask` leads back to the latent as it was.

    Before the network is asked, x is laid over with the latent at the same noise level, so that it
    sees what is around the hole; where the mask is 0 the walk ends at the latent exactly.

    Args:
        denoise: The estimate.
        mask: 1 where the walk may change something, [batch, 1, height, width].
        latent: Scaled.
        noise: Lies over the latent as the network sees it.
        network: It knows how noise and latent mix.
    """

    def masked(x: Tensor, sigma: float) -> Tensor:
        there = network.levels.mixed(latent, noise, sigma)
        seen = x * mask + there * (1 - mask)
        return denoise(seen, sigma) * mask + latent * (1 - mask)

    return masked
