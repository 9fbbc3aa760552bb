"""Walks that a model's own pipeline makes."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from nodeflow import Conditioning, InputError, Latent
from nodeflow_nodes.diffusion.calls_in_parts import InParts
from nodeflow_nodes.diffusion.families.family import Denoiser, OwnWalk, SelfWalking
from nodeflow_nodes.diffusion.voices import Role, prompt_batch
from nodeflow_nodes.diffusion.walk import Services, require_finite, say_what_was_cached, seeds_of


def walked_natively(
    network: InParts,
    prompts: tuple[Conditioning, Conditioning],
    latent: Latent,
    told: tuple[int, int, float, float],
    services: Services,
) -> Latent:
    """Where the walk of a model's own pipeline ends.

    Args:
        network: The network.
        prompts: The positive and the negative one.
        latent: Its size; what it holds is not begun with.
        told: Seed, steps, guidance, and how much of the way is walked.
        services: What the engine gives.

    Raises:
        InputError: The model has no walk of its own, or it cannot do what it is asked for.
    """
    seed, steps, guidance, denoise = told
    if not isinstance(network.whole, SelfWalking):
        raise InputError(
            "the method native is the own walk of models that run by diffusers' pipelines, and "
            "this one has none; choose another method, such as euler"
        )
    if denoise < 1 or latent.mask is not None or bool(latent.samples.any()):
        raise InputError(
            "the method native begins with noise alone; take an empty latent without a mask and "
            "denoise 1, or choose another method"
        )
    roles: tuple[Role, Role] = ("positive", "negative")
    for role, prompt in zip(roles, prompts, strict=True):
        placed = prompt.mask is not None or prompt.area is not None or prompt.controls
        if prompt.also or placed or prompt.start > 0 or prompt.end < 1:
            raise InputError(
                f"the method native hears one prompt everywhere and always, and the {role} one is "
                "combined, placed or timed; choose another method"
            )
    samples = latent.samples.to(services.device.name)
    batches = [
        prompt_batch(role, prompt, network, len(samples))
        for role, prompt in zip(roles, prompts, strict=True)
    ]
    services.progress(0, steps)

    def on_step(done: int, total: int) -> None:
        services.progress(min(done, total), total)

    own = OwnWalk(guidance, steps, seeds_of(latent, seed), on_step)
    pair = batches[0], batches[1]

    def walk(whole: Denoiser) -> Tensor:
        assert isinstance(whole, SelfWalking)
        return whole.own_walk(samples, *pair, own)

    ended = network.undivided(walk)
    require_finite(ended, steps, steps, services.device)
    say_what_was_cached(network)
    return replace(latent, samples=ended)
