"""Classifier-free guidance (Ho and Salimans 2022): a network and two prompts as one estimate."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from nodeflow import Conditioning, InputError
from nodeflow_nodes.diffusion.families.family import Denoiser, PromptBatch
from nodeflow_nodes.diffusion.samplers.step import Denoise


def guided(
    denoiser: Denoiser,
    positive: Conditioning,
    negative: Conditioning,
    guidance: float,
    batch: int,
) -> Denoise:
    """uncond + guidance * (cond - uncond), both halves in one batch where that is possible.

    Args:
        denoiser: The network.
        positive: What the pictures are to show, for one picture or for each of them.
        negative: What they are not to show; not asked for if guidance is 1.
        guidance: 1 turns it off.
        batch: Number of pictures.

    Raises:
        InputError: A prompt is for another model, or for another number of pictures.
    """
    wanted = prompt_batch("positive", positive, denoiser, batch)
    if guidance == 1:
        return lambda x, sigma: denoiser.estimate(x, sigma, wanted)
    unwanted = prompt_batch("negative", negative, denoiser, batch)

    def mixed(uncond: Tensor, cond: Tensor) -> Tensor:
        return uncond + guidance * (cond - uncond)

    if not unwanted.joins(wanted):
        return lambda x, sigma: mixed(
            denoiser.estimate(x, sigma, unwanted), denoiser.estimate(x, sigma, wanted)
        )
    both = unwanted.joined(wanted)

    def together(x: Tensor, sigma: float) -> Tensor:
        uncond, cond = denoiser.estimate(torch.cat([x, x]), sigma, both).chunk(2)
        return mixed(uncond, cond)

    return together


def prompt_batch(
    role: Literal["positive", "negative"],
    conditioning: Conditioning,
    denoiser: Denoiser,
    batch: int,
) -> PromptBatch:
    """A prompt for each picture, with the network's own numbers where it gives none.

    Args:
        role: Which of the two prompts it is; networks may have other defaults for each.
        conditioning: For one picture, or for each of them.
        denoiser: The network that will be asked.
        batch: Number of pictures.

    Raises:
        InputError: The prompt is for another model, or for another number of pictures.
    """
    hidden, pooled = conditioning.hidden, conditioning.pooled
    if hidden.shape[-1] != denoiser.text_width:
        raise InputError(
            f"the {role} prompt has text width {hidden.shape[-1]}, and the model takes "
            f"{denoiser.text_width}; encode it with the text encoder of the same model"
        )
    if hidden.shape[0] not in (1, batch):
        raise InputError(
            f"the {role} prompt is for {hidden.shape[0]} pictures, and the latent holds {batch}; "
            "give one prompt, or as many as there are pictures"
        )
    numbers = {**denoiser.defaults(role == "negative"), **conditioning.extra}
    return PromptBatch(
        hidden.expand(batch, -1, -1),
        None if pooled is None else pooled.expand(batch, -1),
        {name: torch.full((batch,), float(number)) for name, number in numbers.items()},
    )
