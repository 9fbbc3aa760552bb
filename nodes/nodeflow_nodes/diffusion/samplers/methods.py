"""The samplers by name, and what each needs besides the estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from nodeflow_nodes.diffusion.samplers.multistep import deis, ipndm, lms
from nodeflow_nodes.diffusion.samplers.noise import Seeds, brownian_noise, step_noise
from nodeflow_nodes.diffusion.samplers.step import Denoise, Noise, OnStep, Sigmas, silent
from nodeflow_nodes.diffusion.samplers.unipc import unipc

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
    "deis",
    "ipndm",
    "lcm",
]
NoiseSource = Callable[[Tensor, Sigmas, Seeds], Noise]
Walk = Callable[[Denoise, Tensor, Sigmas, Seeds, OnStep], Tensor]


@dataclass(frozen=True)
class Method:
    """A sampler, ready to walk.

    Attributes:
        walk: (denoise, x, sigmas, seeds, on_step) -> x at the last sigma.
        drops_last_but_one: It takes the schedule of one step more without its last but one sigma.
    """

    walk: Walk
    drops_last_but_one: bool = False


def _steady(sampler: Callable[[Denoise, Tensor, Sigmas, OnStep], Tensor]) -> Walk:
    def walk(
        denoise: Denoise, x: Tensor, sigmas: Sigmas, seeds: Seeds, on_step: OnStep = silent
    ) -> Tensor:
        return sampler(denoise, x, sigmas, on_step)

    return walk


def _noisy(
    sampler: Callable[[Denoise, Tensor, Sigmas, Noise, OnStep], Tensor], source: NoiseSource
) -> Walk:
    def walk(
        denoise: Denoise, x: Tensor, sigmas: Sigmas, seeds: Seeds, on_step: OnStep = silent
    ) -> Tensor:
        return sampler(denoise, x, sigmas, source(x, sigmas, seeds), on_step)

    return walk


METHODS: Mapping[MethodName, Method] = {
    "euler": Method(_steady(euler)),
    "euler_ancestral": Method(_noisy(euler_ancestral, step_noise)),
    "heun": Method(_steady(heun)),
    "dpm_2": Method(_steady(dpm_2), drops_last_but_one=True),
    "dpm_2_ancestral": Method(_noisy(dpm_2_ancestral, step_noise), drops_last_but_one=True),
    "dpmpp_2m": Method(_steady(dpmpp_2m)),
    "dpmpp_2m_sde": Method(_noisy(dpmpp_2m_sde, brownian_noise)),
    "dpmpp_sde": Method(_noisy(dpmpp_sde, brownian_noise)),
    "ddim": Method(_steady(ddim)),
    "lms": Method(_steady(lms)),
    "unipc": Method(_steady(unipc), drops_last_but_one=True),
    "deis": Method(_steady(deis)),
    "ipndm": Method(_steady(ipndm)),
    "lcm": Method(_noisy(lcm, step_noise)),
}
