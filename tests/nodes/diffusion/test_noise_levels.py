from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from nodeflow_nodes.diffusion.noise_levels import (
    FlowLevels,
    NoiseLevels,
    discrete_levels,
    exponential_shift,
    linear_betas,
    rational_shift,
    scaled_linear_betas,
)

LEVELS = discrete_levels(scaled_linear_betas(0.00085, 0.012, 1000))


def test_the_table_is_that_of_stable_diffusion() -> None:
    betas = np.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=np.float64) ** 2
    bars = np.cumprod(1 - betas)
    np.testing.assert_allclose(LEVELS.table.numpy(), np.sqrt((1 - bars) / bars), rtol=1e-12)
    assert float(LEVELS.table[0]) == pytest.approx(0.02916, abs=1e-5)
    assert float(LEVELS.table[-1]) == pytest.approx(14.6146, abs=1e-4)


@pytest.mark.parametrize("index", [0, 1, 500, 998, 999])
def test_time_and_sigma_are_inverse_at_trained_levels(index: int) -> None:
    sigma = float(LEVELS.table[index])
    assert LEVELS.t(sigma) == index
    assert LEVELS.sigma(index) == pytest.approx(sigma, rel=1e-12)


def test_between_times_ln_sigma_is_linear() -> None:
    low, high = float(LEVELS.table[10]), float(LEVELS.table[11])
    assert math.log(LEVELS.sigma(10.25)) == pytest.approx(
        0.75 * math.log(low) + 0.25 * math.log(high)
    )


def test_time_is_the_nearest_in_ln_sigma_and_never_outside() -> None:
    low, high = float(LEVELS.table[10]), float(LEVELS.table[11])
    middle = math.sqrt(low * high)
    assert (LEVELS.t(middle * 0.9999), LEVELS.t(middle * 1.0001)) == (10, 11)
    assert (LEVELS.t(1e-9), LEVELS.t(1e9)) == (0, 999)


def test_zero_terminal_snr_keeps_the_first_level_and_lifts_the_last() -> None:
    rescaled = discrete_levels(scaled_linear_betas(0.00085, 0.012, 1000), zero_terminal_snr=True)
    assert float(rescaled.table[0]) == pytest.approx(float(LEVELS.table[0]), rel=1e-6)
    assert float(rescaled.table[-1]) == pytest.approx(4518.77, abs=0.01)
    assert bool((rescaled.table.diff() > 0).all())


def test_zero_terminal_snr_equals_diffusers() -> None:
    from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr

    betas = scaled_linear_betas(0.00085, 0.012, 1000)
    bars = (1 - rescale_zero_terminal_snr(betas)).cumprod(0)[:-1]
    table = discrete_levels(betas, zero_terminal_snr=True).table[:-1]
    assert torch.allclose(table, ((1 - bars) / bars).sqrt(), rtol=1e-9)


def test_linear_betas_are_evenly_spaced() -> None:
    assert torch.allclose(
        linear_betas(0.1, 0.3, 3), torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    )


FLOWS = {
    "shift 3": FlowLevels(rational_shift(3.0), 1000, 1000.0),
    "mu 1.15": FlowLevels(exponential_shift(1.15), 10000),
}


def test_flow_levels_are_shifted_times() -> None:
    t = torch.arange(1, 1001, dtype=torch.float64) / 1000
    torch.testing.assert_close(FLOWS["shift 3"].table, 3 * t / (1 + 2 * t))
    t, mu = torch.arange(1, 10001, dtype=torch.float64) / 10000, math.e**1.15
    torch.testing.assert_close(FLOWS["mu 1.15"].table, mu / (mu + 1 / t - 1))


def test_the_time_of_a_flow_is_in_proportion_to_sigma() -> None:
    assert FLOWS["shift 3"].t(0.25) == 250
    assert FLOWS["shift 3"].sigma(500) == pytest.approx(0.75)
    assert FLOWS["mu 1.15"].t(0.25) == 0.25
    assert [levels.sigma(0) for levels in FLOWS.values()] == [0, 0]


@pytest.mark.parametrize("levels", [LEVELS, *FLOWS.values()])
@pytest.mark.parametrize("sigma", [0.1, 0.9])
def test_a_walk_begins_with_latent_and_noise_mixed(levels: NoiseLevels, sigma: float) -> None:
    latent, noise = torch.full((2, 2), 3.0), torch.full((2, 2), 5.0)
    mixed = ((1 - sigma) if levels.fades else 1) * latent + sigma * noise
    torch.testing.assert_close(levels.start(latent, noise, sigma), mixed)


@pytest.mark.parametrize("levels", [LEVELS, *FLOWS.values()])
def test_a_walk_that_stops_can_go_on(levels: NoiseLevels) -> None:
    x = torch.full((2, 2), 3.0)
    again = levels.start(levels.finish(x, 0.4), torch.zeros(2, 2), 0.4)
    torch.testing.assert_close(again, x)
    torch.testing.assert_close(levels.finish(x, 0), x)


def test_a_flow_at_its_highest_level_is_noise_alone() -> None:
    latent, noise = torch.full((2, 2), 3.0), torch.full((2, 2), 5.0)
    torch.testing.assert_close(FLOWS["shift 3"].start(latent, noise, 1.0), noise)
