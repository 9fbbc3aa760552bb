"""Classifier-free guidance (Ho and Salimans 2022): a network and two prompts as one estimate."""

from __future__ import annotations

import torch
from torch import Tensor

from nodeflow import Conditioning, InputError
from nodeflow_nodes.diffusion.families.family import Denoiser
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
    hidden, pooled = _for_batch("positive", positive, denoiser, batch)
    if guidance == 1:
        return lambda x, sigma: denoiser.estimate(x, sigma, hidden, pooled)
    hidden_not, pooled_not = _for_batch("negative", negative, denoiser, batch)

    def together(x: Tensor, sigma: float) -> Tensor:
        pools = None if pooled is None or pooled_not is None else torch.cat([pooled_not, pooled])
        both = torch.cat([hidden_not, hidden])
        uncond, cond = denoiser.estimate(torch.cat([x, x]), sigma, both, pools).chunk(2)
        return uncond + guidance * (cond - uncond)

    def one_by_one(x: Tensor, sigma: float) -> Tensor:
        uncond = denoiser.estimate(x, sigma, hidden_not, pooled_not)
        cond = denoiser.estimate(x, sigma, hidden, pooled)
        return uncond + guidance * (cond - uncond)

    # Prompts of different numbers of chunks cannot share a batch, and padding would change them.
    return together if hidden.shape == hidden_not.shape else one_by_one


def _for_batch(
    name: str, conditioning: Conditioning, denoiser: Denoiser, batch: int
) -> tuple[Tensor, Tensor | None]:
    hidden, pooled = conditioning.hidden, conditioning.pooled
    if hidden.shape[-1] != denoiser.text_width:
        raise InputError(
            f"the {name} prompt has text width {hidden.shape[-1]}, and the model takes "
            f"{denoiser.text_width}; encode it with the text encoder of the same model"
        )
    if hidden.shape[0] not in (1, batch):
        raise InputError(
            f"the {name} prompt is for {hidden.shape[0]} pictures, and the latent holds {batch}; "
            "give one prompt, or as many as there are pictures"
        )
    rows = hidden.expand(batch, -1, -1)
    return rows, None if pooled is None else pooled.expand(batch, -1)
