"""How much room pipelines need, before they are loaded."""

from __future__ import annotations

from typing import Any

import pytest
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.part_sizes import expected_bytes

from nodeflow import Device, ModelMemory


@pytest.mark.parametrize("kind", ["z_image", "wan_of_two", "ideogram"])
def test_what_all_networks_of_a_pipeline_will_take_is_known(made: Any, kind: str) -> None:
    model, device = load_model(made(kind)[0]).model, Device()
    size = parts.denoiser(model, ModelMemory(), device).size
    assert expected_bytes(model, device)() == pytest.approx(size, rel=0.05)
