"""The samplers by name, and what each needs besides the estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from torch import Tensor

from nodeflow_nodes.diffusion.samplers.dpm_solver import (
    dpm_2,
    dpm_2_ancestral,
    dpmpp_2m,
    dpmpp_2m_sde,
    dpmpp_sde,
)
from nodeflow_nodes.diffusion.samplers.euler import ddim, euler, euler_ancestral, heun, lcm
from nodeflow_nodes.diffusion.samplers.fading import Faded
from nodeflow_nodes.diffusion.samplers.multistep import deis, ipndm, lms
from nodeflow_nodes.diffusion.samplers.noise import Seeds, brownian_noise, step_noise
from nodeflow_nodes.diffusion.samplers.step import Denoise, Noise, OnStep, Sigmas, silent
from nodeflow_nodes.diffusion.samplers.unipc import Variant, unipc

MethodName = Literal[
    "euler",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpm_2_ancestral",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_sde",
    "ddim",
    "lms",
    "unipc",
    "unipc_bh2",
    "deis",
    "ipndm",
    "lcm",
]
NoiseSource = Callable[[Tensor, Sigmas, Seeds], Noise]
Steady = Callable[[Denoise, Tensor, Sigmas, OnStep], Tensor]
Noisy = Callable[[Denoise, Tensor, Sigmas, Noise, OnStep], Tensor]
Sampler = Callable[[Denoise, Tensor, Sigmas, "Noise | None", OnStep], Tensor]


@dataclass(frozen=True)
class Method:
    """A sampler, ready to walk.

    Attributes:
        sampler: (denoise, x, sigmas, noise, on_step) -> x at the last sigma.
        noise: Where it has its noise from; None if it takes none.
        by_ratio: It reckons with the ratio of noise to picture, or adds noise to the picture. Where
            the picture fades it walks over x / (1 - sigma).
        drops_last_but_one: It takes the schedule of one step more without its last but one sigma.
        other_noise_outside: Around a mask the network sees the latent under noise of another seed
            than the walk's own.
    """

    sampler: Sampler
    noise: NoiseSource | None = None
    by_ratio: bool = False
    drops_last_but_one: bool = False
    other_noise_outside: bool = False

    def walk(
        self,
        denoise: Denoise,
        x: Tensor,
        sigmas: Sigmas,
        seeds: Seeds,
        on_step: OnStep = silent,
        *,
        fades: bool = False,
    ) -> Tensor:
        """Walk from sigmas[0] to the last.

        Args:
            denoise: The denoised estimate.
            x: Noisy latent at sigmas[0].
            sigmas: Descending levels.
            seeds: Of the noise.
            on_step: Called after each step.
            fades: x is (1 - sigma) x0 + sigma noise, not x0 + sigma noise.
        """
        noise = None if self.noise is None else self.noise(x, sigmas, seeds)
        if not (fades and self.by_ratio):
            return self.sampler(denoise, x, sigmas, noise, on_step)
        faded = Faded(sigmas)
        y = self.sampler(
            faded.denoise(denoise),
            faded.begin(x),
            faded.ratios,
            None if noise is None else faded.noise(noise),
            on_step,
        )
        return faded.end(y)


def _steady(sampler: Steady, *, by_ratio: bool = False, drops_last_but_one: bool = False) -> Method:
    def walk(
        denoise: Denoise, x: Tensor, sigmas: Sigmas, noise: Noise | None, on_step: OnStep
    ) -> Tensor:
        return sampler(denoise, x, sigmas, on_step)

    return Method(walk, by_ratio=by_ratio, drops_last_but_one=drops_last_but_one)


def _noisy(sampler: Noisy, source: NoiseSource, *, drops_last_but_one: bool = False) -> Method:
    def walk(
        denoise: Denoise, x: Tensor, sigmas: Sigmas, noise: Noise | None, on_step: OnStep
    ) -> Tensor:
        assert noise is not None
        return sampler(denoise, x, sigmas, noise, on_step)

    return Method(walk, source, by_ratio=True, drops_last_but_one=drops_last_but_one)


def _unipc(variant: Variant) -> Method:
    """Of the third order, as tools that have both under these names walk it."""
    sampler = partial(unipc, order=3, variant=variant)
    return _steady(sampler, by_ratio=True, drops_last_but_one=True)


METHODS: Mapping[MethodName, Method] = {
    "euler": _steady(euler),
    "euler_ancestral": _noisy(euler_ancestral, step_noise),
    "heun": _steady(heun),
    "dpm_2": _steady(dpm_2, drops_last_but_one=True),
    "dpm_2_ancestral": _noisy(dpm_2_ancestral, step_noise, drops_last_but_one=True),
    "dpmpp_2m": _steady(dpmpp_2m, by_ratio=True),
    "dpmpp_2m_sde": _noisy(dpmpp_2m_sde, brownian_noise),
    "dpmpp_sde": _noisy(dpmpp_sde, brownian_noise),
    # As in ComfyUI, which has none of this for its other samplers.
    "ddim": replace(_steady(ddim), other_noise_outside=True),
    "lms": _steady(lms),
    "unipc": _unipc("bh1"),
    "unipc_bh2": _unipc("bh2"),
    "deis": _steady(deis),
    "ipndm": _steady(ipndm),
    "lcm": _noisy(lcm, step_noise),
}
