"""The noise schedule, its training weights, and sampling with diffusers."""

from __future__ import annotations

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from torch import Tensor

TRAIN_STEPS = 1000


def build_scheduler() -> DDIMScheduler:
    """Stable Diffusion's schedule with v-prediction.

    `trailing` begins at the last step trained, where there is (almost) only noise.
    """
    scheduler: DDIMScheduler = DDIMScheduler(
        num_train_timesteps=TRAIN_STEPS,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    return scheduler


def sample_timesteps(count: int, high_part: float, generator: torch.Generator) -> Tensor:
    """Training steps (count,): uniform, but `high_part` of them from the noisiest fifth.

    A latent has only 1,024 numbers, so that at a signal-to-noise ratio of 0.02 (step 870) a picture
    can already be told by its noisy latent. Only above does the network have to listen to the
    caption, so the caption is learned there.
    """
    uniform = torch.rand(count, generator=generator)
    high = torch.rand(count, generator=generator) < high_part
    return torch.where(high, 0.8 + 0.2 * uniform, uniform).mul(TRAIN_STEPS).long()


def loss_weights(alphas: Tensor) -> Tensor:
    """Weights of the v-prediction loss (T,) from the cumulated alphas: min(SNR + 1, 5)/(SNR + 1).

    Min-SNR (Hang et al. 2023, arXiv 2303.09556) with the SNR counted from 1: their
    min(SNR, 5)/(SNR + 1) all but drops the noisiest steps, which decide what is drawn.
    """
    snr_plus_one = 1 / (1 - alphas)
    return snr_plus_one.clamp(max=5.0) / snr_plus_one


def noised(latents: Tensor, noise: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
    """The noisy latents and their velocity target (Salimans & Ho 2022, appendix D)."""
    a, s = alpha.sqrt().view(-1, 1, 1, 1), (1 - alpha).sqrt().view(-1, 1, 1, 1)
    return a * latents + s * noise, a * noise - s * latents


def seeded_latents(seeds: list[int]) -> Tensor:
    """Standard normal noise (N, 16, 8, 8), each row drawn from its own seed."""
    rows = [torch.randn(16, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(rows)


@torch.no_grad()
def sample(
    unet: UNet2DConditionModel,
    caption: Tensor,
    empty: Tensor,
    noise: Tensor,
    steps: int = 20,
    guidance: float = 4.0,
) -> Tensor:
    """Draw scaled latents with DDIM; captions (N, L, C), the empty caption (1, L, C)."""
    scheduler = build_scheduler()
    scheduler.set_timesteps(steps)
    context = torch.cat([empty.expand_as(caption), caption])
    latents = noise
    for step in scheduler.timesteps:
        velocity = unet(torch.cat([latents, latents]), step, encoder_hidden_states=context).sample
        unguided, guided = velocity.float().chunk(2)
        velocity = unguided + guidance * (guided - unguided)
        latents = scheduler.step(velocity, step, latents, return_dict=False)[0]
    return latents
