from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from nodeflow_nodes.diffusion.noise_levels import (
    discrete_levels,
    linear_betas,
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
    assert float(rescaled.table[-1]) == pytest.approx(4096, rel=1e-6)
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
