"""What networks were trained to give, and how an estimate of x0 comes from it."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

Prediction = Literal["epsilon", "v_prediction", "flow"]
"""The noise; the velocity (Salimans and Ho 2022, appendix D); noise minus x0 (rectified flow)."""


def network_input(prediction: Prediction, x: Tensor, sigma: float) -> Tensor:
    """x as the network has seen it in training: with unit variance where noise is added to x0."""
    return x if prediction == "flow" else x / math.sqrt(sigma**2 + 1)


def estimate_of(prediction: Prediction, x: Tensor, out: Tensor, sigma: float) -> Tensor:
    """x0 by what the network gave for x at level `sigma`; all tensors of one shape."""
    if prediction == "v_prediction":
        return x / (sigma**2 + 1) - out * (sigma / math.sqrt(sigma**2 + 1))
    return x - sigma * out
