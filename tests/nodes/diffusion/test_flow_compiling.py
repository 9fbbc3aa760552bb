"""Stable Diffusion 3 and Flux with their networks compiled."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.load import load_denoiser

from nodeflow import Device, ModelMemory
from tests.nodes.diffusion.tiny_flow_models import make_flux, make_sd3
from tests.nodes.diffusion.tiny_models import save

# Each kind of block once: a block more takes seconds more to compile.
MAKERS: dict[str, Any] = {
    "flux": lambda: make_flux("dev", layers=1),
    "sd3": lambda: make_sd3(layers=2),
}
WIDTHS = {"flux": (96, 64), "sd3": (224, 192)}


@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", MAKERS)
def test_a_compiled_network_gives_the_same_estimates(tmp_path: Path, kind: str) -> None:
    file = save(MAKERS[kind]().transformer.state_dict(), tmp_path / "network.safetensors")
    model = load_denoiser(file)
    plain: Any = parts.denoiser(model, ModelMemory(), Device())
    network: Any = parts.denoiser(model, ModelMemory(), Device(compiled=True))
    calls: list[int] = []
    network.network.transformer_blocks[0].register_forward_pre_hook(
        lambda block, inputs: None if torch.compiler.is_compiling() else calls.append(1)
    )
    width, pooled = WIDTHS[kind]
    prompt = PromptBatch(
        torch.randn(1, 9, width), torch.randn(1, pooled), {"guidance": torch.tensor([3.5])}
    )
    x = torch.randn(1, 16, 8, 8)
    found, expected = (one.estimate(x, 0.9, prompt) for one in (network, plain))
    assert torch.allclose(found, expected, atol=1e-4)
    assert calls == []
