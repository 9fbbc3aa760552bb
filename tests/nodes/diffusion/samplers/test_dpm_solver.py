from __future__ import annotations

from typing import Any

import pytest
from diffusers import (
    DPMSolverMultistepScheduler,
    DPMSolverSDEScheduler,
    KDPM2AncestralDiscreteScheduler,
    KDPM2DiscreteScheduler,
)
from nodeflow_nodes.diffusion.samplers.dpm_solver import (
    dpm_2,
    dpm_2_ancestral,
    dpmpp_2m,
    dpmpp_2m_sde,
    dpmpp_sde,
)
from nodeflow_nodes.diffusion.samplers.noise import brownian_noise


@pytest.mark.parametrize("guidance", [1.0, 5.0])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("strength", [None, 0.6])
def test_dpmpp_2m_equals_diffusers(
    compare: Any, guidance: float, prediction: str, strength: float | None
) -> None:
    both = compare(
        dpmpp_2m,
        DPMSolverMultistepScheduler,
        guidance=guidance,
        prediction=prediction,
        strength=strength,
    )
    assert both.difference <= 1e-4


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("strength", [None, 0.6])
def test_dpm_2_equals_diffusers(compare: Any, prediction: str, strength: float | None) -> None:
    both = compare(
        dpm_2, KDPM2DiscreteScheduler, guidance=3.0, prediction=prediction, strength=strength
    )
    assert both.difference <= 1e-4


def test_dpm_2_ancestral_equals_diffusers_with_the_same_noise(
    compare: Any, drawn_in_turn: Any
) -> None:
    both = compare(
        dpm_2_ancestral, KDPM2AncestralDiscreteScheduler, guidance=3.0, noise=drawn_in_turn
    )
    assert both.difference <= 1e-4


def test_dpmpp_2m_sde_equals_diffusers_with_the_same_noise(
    compare: Any, drawn_in_turn: Any
) -> None:
    both = compare(
        dpmpp_2m_sde,
        DPMSolverMultistepScheduler,
        guidance=3.0,
        noise=drawn_in_turn,
        algorithm_type="sde-dpmsolver++",
    )
    assert both.difference <= 1e-4


def test_dpmpp_sde_equals_diffusers_on_the_same_brownian_motion(compare: Any) -> None:
    both = compare(
        dpmpp_sde,
        DPMSolverSDEScheduler,
        guidance=3.0,
        noise=lambda x, generator, sigmas: brownian_noise(x, sigmas, (11,)),
        noise_sampler_seed=11,
    )
    assert both.difference <= 1e-4
