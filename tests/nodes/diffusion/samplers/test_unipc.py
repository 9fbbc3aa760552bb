from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from diffusers import UniPCMultistepScheduler
from nodeflow_nodes.diffusion.samplers.unipc import unipc


@pytest.mark.parametrize("guidance", [1.0, 5.0])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("strength", [None, 0.6])
@pytest.mark.parametrize("variant", ["bh1", "bh2"])
def test_unipc_equals_diffusers(
    compare: Any, guidance: float, prediction: str, strength: float | None, variant: str
) -> None:
    both = compare(
        partial(unipc, variant=variant),
        UniPCMultistepScheduler,
        guidance=guidance,
        prediction=prediction,
        strength=strength,
        solver_type=variant,
        # Down to 0, bh1 of diffusers multiplies infinity by zero.
        final_sigmas_type="sigma_min" if variant == "bh1" else "zero",
    )
    assert both.difference <= 1e-4


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("variant", ["bh1", "bh2"])
def test_unipc_of_other_orders_equals_diffusers(compare: Any, order: int, variant: str) -> None:
    both = compare(
        partial(unipc, variant=variant, order=order),
        UniPCMultistepScheduler,
        guidance=3.0,
        solver_type=variant,
        solver_order=order,
        final_sigmas_type="sigma_min",
    )
    assert both.difference <= 1e-4
