"""Guidance: a network and what it is told, as one estimate of x0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.family import Denoiser, Guiding, Weakening
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels
from nodeflow_nodes.diffusion.samplers.step import Denoise
from nodeflow_nodes.diffusion.voices import Span, Voice, answers, blended


@dataclass(frozen=True)
class Push:
    """Guidance away from what a weakened network would draw.

    Attributes:
        weakening: What the network must do without.
        scale: How strongly: scale * (cond - weakened) is added.
        span: When.
    """

    weakening: Weakening
    scale: float
    span: Span


@dataclass(frozen=True)
class Guidance:
    """How estimates for the two prompts, and for weakened networks, become one.

    Attributes:
        scale: Classifier-free guidance (Ho and Salimans 2022); 1 turns it off.
        rescale: How far the result gets the deviation of the positive estimate back, 0..1
            (Lin et al. 2024, arXiv 2305.08891, section 3.4).
        pushes: What else guides.
    """

    scale: float = 1.0
    rescale: float = 0.0
    pushes: tuple[Push, ...] = ()


def guided(
    denoiser: Denoiser,
    positive: Sequence[Voice],
    negative: Sequence[Voice],
    guidance: Guidance,
) -> Denoise:
    """uncond + scale * (cond - uncond), and what else guides; all in few calls of the network.

    Args:
        denoiser: The network.
        positive: What the pictures are to show.
        negative: What they are not to show; not asked for if the scale is 1. Where it is silent
            nothing leads away from it.
        guidance: How the estimates become one.
    """

    def estimate(x: Tensor, sigma: float) -> Tensor:
        wanted = [voice for voice in positive if voice.span.holds(sigma)]
        if not wanted:
            raise InputError(
                f"no positive prompt is heard at noise level {sigma:.4g}; let their parts of the "
                "walk meet, or combine them with one that is heard all the time"
            )
        unwanted = [v for v in negative if v.span.holds(sigma) and guidance.scale != 1]
        if isinstance(denoiser, Guiding) and denoiser.guides and not guidance.rescale:
            alone = len(wanted) == len(unwanted) == 1 and not guidance.pushes
            if alone and wanted[0].region is None and unwanted[0].region is None:
                pair = wanted[0].at(sigma), unwanted[0].at(sigma)
                return denoiser.guided_estimate(x, sigma, *pair, guidance.scale)
        # The negative half comes first, as in the paper's code and everywhere since.
        found = answers(denoiser, x, sigma, [*unwanted, *wanted])
        cond = blended(x, found[len(unwanted) :])
        if not unwanted:
            result = cond
        else:
            uncond = blended(x, found[: len(unwanted)])
            result = uncond + guidance.scale * (cond - uncond)
            if guidance.rescale:
                result = _rescaled(denoiser.levels, x, sigma, cond, result, guidance.rescale)
        for push in guidance.pushes:
            if push.span.holds(sigma):
                with denoiser.weakened(push.weakening):
                    weak = blended(x, answers(denoiser, x, sigma, wanted))
                result = result + push.scale * (cond - weak)
        return result

    return estimate


def _rescaled(
    levels: NoiseLevels, x: Tensor, sigma: float, cond: Tensor, result: Tensor, amount: float
) -> Tensor:
    """The result with the deviation that the positive estimate has, both taken as velocities."""
    wanted, got = (levels.velocity(x, estimate, sigma) for estimate in (cond, result))
    over = tuple(range(1, x.ndim))
    # A velocity of no deviation at all stays as it is.
    factor = wanted.std(dim=over, keepdim=True) / got.std(dim=over, keepdim=True).clamp_min(
        torch.finfo(x.dtype).tiny
    )
    return levels.estimate(x, got * (amount * factor + 1 - amount), sigma)
