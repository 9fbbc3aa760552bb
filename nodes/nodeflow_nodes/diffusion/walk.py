"""The walk from noise to a latent, whatever guides it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from nodeflow import (
    Conditioning,
    Control,
    Device,
    InputError,
    Latent,
    Model,
    ModelFolders,
    ModelMemory,
    NodeflowError,
    Precision,
    Progress,
    Recipe,
)
from nodeflow_nodes.diffusion.calls_in_parts import InParts
from nodeflow_nodes.diffusion.families.family import Denoiser
from nodeflow_nodes.diffusion.families.hints import Adapter, ControlNetwork, Encode
from nodeflow_nodes.diffusion.families.step_caches import CachedDenoiser
from nodeflow_nodes.diffusion.guidance import Guidance, guided
from nodeflow_nodes.diffusion.hooks import check_sample
from nodeflow_nodes.diffusion.inpainting import (
    beside,
    kept_outside,
    mask_of,
    require_hole_filling,
)
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.parts import autoencoder, control_network, ip_adapter
from nodeflow_nodes.diffusion.preview import look_at
from nodeflow_nodes.diffusion.room import encoded_whole_or_not
from nodeflow_nodes.diffusion.samplers.methods import METHODS, MethodName
from nodeflow_nodes.diffusion.samplers.noise import Seeds, other_noise, start_noise
from nodeflow_nodes.diffusion.samplers.step import Denoise, Sigmas
from nodeflow_nodes.diffusion.voices import Role, Voice, voices_of

NO_FOLDERS = ModelFolders()
"""For whoever calls a node outside of an engine."""


@dataclass(frozen=True)
class Services:
    """What a node that walks is given by the engine."""

    progress: Progress
    models: ModelMemory
    device: Device
    folders: ModelFolders


@dataclass(frozen=True)
class Plan:
    """How to walk.

    Attributes:
        method: The sampler.
        sigmas: Descending noise levels; the walk ends at the last.
        seed: Of the noise, where the latent has no seeds of its own.
        add_noise: Begin with noise; without it the latent has what is left of an earlier walk.
        on_estimate: Called after each step with its number and the estimate of x0, unscaled.
    """

    method: MethodName
    sigmas: Sigmas
    seed: int
    add_noise: bool = True
    on_estimate: Callable[[int, Tensor], None] = lambda step, denoised: None


def network_of(model: Model, latent: Latent, services: Services) -> InParts:
    """The model's network, which takes latents of this kind.

    Raises:
        InputError: It does not.
    """
    network = InParts.of(model, services.models, services.device)
    # What the check before the run could not know.
    check_sample(
        {"channels": network.channels, "downscale": network.downscale},
        None,
        None,
        {"channels": latent.samples.shape[1], "downscale": latent.downscale},
    )
    return network


def walked(
    model: Model,
    network: InParts,
    prompts: tuple[Conditioning, Conditioning],
    guidance: Guidance,
    latent: Latent,
    plan: Plan,
    services: Services,
) -> Latent:
    """Where a walk from a latent ends.

    Args:
        model: Whose network it is; its autoencoder shows previews.
        network: The network that `network_of` gave.
        prompts: The positive and the negative one.
        guidance: How the estimates for them become one.
        latent: Where to begin.
        plan: How to walk.
        services: What the engine gives.

    Raises:
        InputError: The prompts, the latent and the network do not fit together.
        NodeflowError: A step gave numbers that are not finite.
    """
    samples = latent.samples.to(services.device.name, torch.float32)
    # A video's frames are among the channels, so that places are the last two dimensions always.
    scaled = network.scaled(samples)
    begin = replace(latent, samples=samples.reshape(scaled.shape))
    mask = mask_of(begin)
    around = beside(begin, mask, network)
    if not latent.keeps:
        require_hole_filling(around)
        mask = None
    heard = partial(_heard, model, network, scaled, around, services)
    positive = heard("positive", prompts[0])
    negative = heard("negative", prompts[1]) if guidance.scale != 1 else []
    estimate = guided(network, positive, negative, guidance)
    seeds = seeds_of(latent, plan.seed)
    noise = start_noise(scaled, seeds) if plan.add_noise else torch.zeros_like(scaled)
    if mask is not None:
        other = METHODS[plan.method].other_noise_outside
        seen = other_noise(scaled, seeds) if other else noise
        estimate = kept_outside(estimate, mask, scaled, seen, network)
    levels, last = network.levels, plan.sigmas[-1]
    x = levels.start(scaled, noise, plan.sigmas[0])
    x = _stepped(model, network, estimate, x, seeds, plan, services)
    if mask is not None and last > 0:
        x = torch.where(mask == 0, levels.mixed(scaled, noise, last), x)
    ended = network.unscaled(levels.finish(x, last)).reshape(scaled.shape)
    if mask is not None and last == 0:
        # Where nothing may change, no rounding counts either.
        ended = torch.where(mask == 0, begin.samples, ended)
    return replace(latent, samples=ended.reshape(samples.shape))


def _stepped(
    model: Model,
    network: InParts,
    estimate: Denoise,
    x: Tensor,
    seeds: Seeds,
    plan: Plan,
    services: Services,
) -> Tensor:
    """Where the steps of a plan lead from x, watched and told; scaled, as x is."""
    steps = len(plan.sigmas) - 1
    services.progress(0, steps)
    watch, fades = _watcher(model, network, plan, services), network.levels.fades
    # In float64: guidance multiplies what an estimate was rounded by, and the steps sum it up.
    ended = METHODS[plan.method].walk(estimate, x.double(), plan.sigmas, seeds, watch, fades=fades)
    ended = ended.float()
    require_finite(ended, steps, steps, services.device)
    say_what_was_cached(network)
    return ended


def _heard(
    model: Model,
    network: Denoiser,
    scaled: Tensor,
    around: Tensor | None,
    services: Services,
    role: Role,
    prompt: Conditioning,
) -> list[Voice]:
    """What a prompt says, and what of its networks."""

    def load(control: Control) -> tuple[ControlNetwork, Encode]:
        found = control_network(control.network, services.models, services.device)
        return found, _encoder(control, model, services)

    def load_adapter(adapter: Recipe) -> Adapter:
        return ip_adapter(adapter, services.models, services.device)

    return voices_of(role, prompt, network, scaled, load, around, load_adapter)


def _encoder(control: Control, model: Model, services: Services) -> Encode:
    """What makes latents of a control's picture: its own autoencoder, or the model's."""

    def encode(images: Tensor) -> Tensor:
        vae = control.vae
        if vae is None and "vae" in inspect_model(Path(model.path)).parts:
            vae = replace(model, part="vae", patches=())
        if vae is None:
            raise InputError(
                "the control network sees its picture as a latent, and the model's file has no "
                "autoencoder; give apply_controlnet the one of load_vae"
            )
        network = autoencoder(vae, services.models, services.device)
        latents = encoded_whole_or_not(network, images, None, services.models)
        return latents.to(services.device.name)

    return encode


def say_what_was_cached(network: InParts) -> None:
    """Behind a walk with a step cache."""
    if isinstance(network.whole, CachedDenoiser):
        # What is printed stands in the node's log.
        print(network.whole.summary())


def seeds_of(latent: Latent, seed: int) -> Seeds:
    """The seeds of a batch: the latent's own, or one for all.

    Raises:
        InputError: It has some, but not one for each picture.
    """
    if not latent.seeds:
        return (seed,)
    if len(latent.seeds) != len(latent.samples):
        raise InputError(
            f"the latent holds {len(latent.samples)} pictures and {len(latent.seeds)} seeds; "
            "use seed_batch last, after what changes the number of pictures"
        )
    return latent.seeds


def _watcher(
    model: Model, network: Denoiser, plan: Plan, services: Services
) -> Callable[[int, int, Tensor], None]:
    look = look_at(model, network, services.models, services.device, services.folders)

    def on_step(step: int, total: int, denoised: Tensor) -> None:
        denoised = denoised.float()
        require_finite(denoised, step, total, services.device)
        plan.on_estimate(step, network.unscaled(denoised))
        picture = None if look is None else partial(look, denoised)
        services.progress(step, total, preview=picture)

    return on_step


def require_finite(tensor: Tensor, step: int, total: int, device: Device) -> None:
    """Raises:
    NodeflowError: Some of its numbers are not finite.
    """
    if not bool(tensor.isfinite().all()):
        cause = (
            "The latent or the model's weights may be broken: fetch the model's file again"
            if device.precision is Precision.FP32
            else "The precision may be too small for this model: run with --precision fp32"
        )
        raise NodeflowError(
            f"step {step} of {total} gave numbers that are not finite (NaN or infinity). {cause}, "
            "or try another method or a lower guidance"
        )
