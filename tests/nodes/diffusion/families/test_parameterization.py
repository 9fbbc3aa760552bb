from __future__ import annotations

import math

import pytest
import torch
from nodeflow_nodes.diffusion.families.parameterization import (
    Prediction,
    estimate_of,
    network_input,
)

X0 = torch.randn(2, 3, generator=torch.Generator().manual_seed(0))
NOISE = torch.randn(2, 3, generator=torch.Generator().manual_seed(1))
SIGMA = 0.7
ALPHA = 1 / math.sqrt(1 + SIGMA**2)


@pytest.mark.parametrize(
    ("prediction", "x", "target"),
    [
        ("epsilon", X0 + SIGMA * NOISE, NOISE),
        # alpha eps - sigma x0, in the variance-preserving space where both are squared to 1
        ("v_prediction", X0 + SIGMA * NOISE, ALPHA * NOISE - ALPHA * SIGMA * X0),
        ("flow", (1 - SIGMA) * X0 + SIGMA * NOISE, NOISE - X0),
    ],
)
def test_a_perfect_answer_gives_x0(
    prediction: Prediction, x: torch.Tensor, target: torch.Tensor
) -> None:
    torch.testing.assert_close(estimate_of(prediction, x, target, SIGMA), X0)


def test_only_networks_that_add_noise_to_the_whole_see_it_scaled() -> None:
    torch.testing.assert_close(network_input("epsilon", X0, SIGMA), X0 * ALPHA)
    assert network_input("flow", X0, SIGMA) is X0
