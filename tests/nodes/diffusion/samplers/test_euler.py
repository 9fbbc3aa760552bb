from __future__ import annotations

from typing import Any

import pytest
from diffusers import (
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
)
from nodeflow_nodes.diffusion.samplers.euler import ddim, euler, euler_ancestral, heun, lcm

PAIRS = [(euler, EulerDiscreteScheduler), (heun, HeunDiscreteScheduler), (ddim, DDIMScheduler)]


@pytest.mark.parametrize(("sampler", "scheduler"), PAIRS)
@pytest.mark.parametrize("guidance", [1.0, 5.0])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_text_to_image_equals_diffusers(
    compare: Any, sampler: Any, scheduler: Any, guidance: float, prediction: str
) -> None:
    both = compare(sampler, scheduler, guidance=guidance, prediction=prediction)
    assert both.difference <= 1e-4


@pytest.mark.parametrize(("sampler", "scheduler"), PAIRS)
@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_image_to_image_equals_diffusers(
    compare: Any, sampler: Any, scheduler: Any, guidance: float
) -> None:
    both = compare(sampler, scheduler, guidance=guidance, strength=0.6)
    assert both.difference <= 1e-4


def test_euler_equals_diffusers_at_times_between_trained_ones(compare: Any) -> None:
    both = compare(euler, EulerDiscreteScheduler, timestep_spacing="linspace", guidance=3.0)
    assert both.difference <= 1e-4


def test_guidance_changes_the_result(compare: Any) -> None:
    plain, strong = (compare(euler, EulerDiscreteScheduler, guidance=g) for g in (1.0, 5.0))
    assert (plain.ours - strong.ours).abs().max() > 1e-2


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_euler_ancestral_equals_diffusers_with_the_same_noise(
    compare: Any, drawn_in_turn: Any, prediction: str
) -> None:
    both = compare(
        euler_ancestral,
        EulerAncestralDiscreteScheduler,
        prediction=prediction,
        guidance=3.0,
        noise=drawn_in_turn,
    )
    assert both.difference <= 1e-4


def test_lcm_equals_diffusers_with_the_same_noise(compare: Any, drawn_in_turn: Any) -> None:
    # Their boundary condition leaves a trace of x in the estimate, which this scaling makes vanish.
    both = compare(
        lcm, LCMScheduler, steps=4, noise=drawn_in_turn, timestep_scaling=1e6, set_alpha_to_one=True
    )
    assert both.difference <= 1e-4
