from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from diffusers import IPNDMScheduler, LMSDiscreteScheduler
from nodeflow_nodes.diffusion.samplers.multistep import (
    deis_time,
    deis_weights,
    ipndm,
    lms,
    lms_weights,
)
from scipy import integrate, optimize

from tests.nodes.diffusion.samplers.conftest import forgiving_numpy


def test_lms_equals_diffusers_and_ends_at_the_estimate() -> None:
    """Theirs has no step of its own down to 0."""
    with forgiving_numpy():
        scheduler = LMSDiscreteScheduler(beta_schedule="scaled_linear", beta_start=0.00085)
        scheduler.set_timesteps(9)
    sigmas = scheduler.sigmas.tolist()
    asked: list[torch.Tensor] = []

    def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
        asked.append(torch.tanh(x / (1 + sigma)))
        return asked[-1]

    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)) * sigmas[0]
    theirs = noise
    for sigma, t in zip(sigmas[:-2], scheduler.timesteps, strict=False):
        scheduler.scale_model_input(theirs, t)
        eps = (theirs - denoise(theirs, sigma)) / sigma
        theirs = scheduler.step(eps, t, theirs).prev_sample
    assert torch.allclose(lms(denoise, noise, sigmas[:-1]), theirs, atol=1e-4)
    assert torch.equal(lms(denoise, noise, sigmas), asked[-1])


def test_ipndm_equals_diffusers() -> None:
    """Their noise levels are given as sines of an angle; the network gives the velocity."""
    angles = torch.linspace(1.4, 0.05, 11)
    scheduler = IPNDMScheduler(num_train_timesteps=10, trained_betas=torch.sin(angles).tolist())
    scheduler.set_timesteps(10)
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))

    def velocity(x: torch.Tensor, sigma: float) -> torch.Tensor:
        return torch.tanh(x * 1.3 + sigma)

    theirs = noise
    for i, t in enumerate(scheduler.timesteps):
        sigma = math.tan(float(angles[i]))
        scaled, scale = theirs, math.sqrt(1 + sigma**2)
        eps = (velocity(scaled, sigma) + scaled * sigma) / scale
        # With alpha the cosine and sigma the sine, IPNDMScheduler makes eps of what it is given.
        given = (eps - float(scheduler.betas[i]) * scaled) / float(scheduler.alphas[i])
        theirs = scheduler.step(given, t, scaled).prev_sample

    def denoise(x: torch.Tensor, sigma: float) -> torch.Tensor:
        scale = math.sqrt(1 + sigma**2)
        scaled = x / scale
        return x - sigma * (velocity(scaled, sigma) + scaled * sigma) / scale

    sigmas = [math.tan(angle) for angle in angles.tolist()]
    ours = ipndm(denoise, noise * math.sqrt(1 + sigmas[0] ** 2), sigmas)
    assert torch.allclose(ours / math.sqrt(1 + sigmas[-1] ** 2), theirs, atol=1e-4)


def _lagrange(nodes: list[float], j: int, at: float) -> float:
    return math.prod((at - other) / (nodes[j] - other) for k, other in enumerate(nodes) if k != j)


LEVELS = [2.0, 3.5, 6.0, 14.0]


@pytest.mark.parametrize("known", [1, 2, 3, 4])
@pytest.mark.parametrize("target", [1.1, 0.5])
def test_lms_weights_are_integrals_of_lagrange_polynomials(known: int, target: float) -> None:
    nodes = LEVELS[:known]
    expected = [
        integrate.quad(lambda s, j=j: _lagrange(nodes, j, s), nodes[0], target)[0]
        for j in range(known)
    ]
    np.testing.assert_allclose(lms_weights(nodes, target), expected, rtol=1e-9)


@pytest.mark.parametrize("known", [2, 3, 4])
def test_deis_weights_are_integrals_of_polynomials_in_time(known: int) -> None:
    """Their equation 15, with eps / sqrt(1 - abar) as the slope and sigma as its time's rate."""
    nodes = LEVELS[:known]
    times = [time_of(node) for node in nodes]
    expected = [
        integrate.quad(lambda t, j=j: _lagrange(times, j, t) * rate(t), times[0], time_of(1.1))[0]
        for j in range(known)
    ]
    np.testing.assert_allclose(deis_weights(nodes, 1.1), expected, rtol=1e-6)


def test_they_begin_and_end_with_eulers_step() -> None:
    assert lms_weights([3.0, 4.0], 0.0) == [-3.0, 0.0]
    assert deis_weights([3.0], 1.0) == [-2.0]
    assert deis_weights([3.0, 4.0], 0.0) == [-3.0, 0.0]


def test_time_of_deis_has_karras_range() -> None:
    assert deis_time(0.002) == pytest.approx(0.001)
    assert deis_time(80.0) == pytest.approx(1.0)


def log_bar(t: float) -> float:
    """ln of alpha bar, minus the integral of a beta that grows linearly."""
    slope = 2 * (math.log(6401.0) - math.log1p(4e-6) * 1000) / 0.999
    return -(math.log(6401.0) - slope / 2) * t - slope * t * t / 2


def rate(t: float) -> float:
    """d sigma / dt = -(1/2) (ln abar)' / sqrt(abar (1 - abar))."""
    bar = math.exp(log_bar(t))
    slope = (log_bar(t + 1e-6) - log_bar(t - 1e-6)) / 2e-6
    return -0.5 * slope / math.sqrt(bar * (1 - bar))


def time_of(sigma: float) -> float:
    return optimize.brentq(lambda t: -log_bar(t) - math.log1p(sigma**2), 1e-3, 1.0, xtol=1e-14)
