"""Weights of few bits: smaller, nearly the same, and told what is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.families.step_caches import CachedDenoiser
from nodeflow_nodes.diffusion.hooks import denoiser_facts
from nodeflow_nodes.diffusion.load import load_denoiser
from nodeflow_nodes.diffusion.lora import load_lora_model
from nodeflow_nodes.diffusion.quantize import quantize
from nodeflow_nodes.diffusion.quantize_checks import LIBRARIES, check_quantize, quantize_facts
from nodeflow_nodes.diffusion.step_cache import first_block_cache
from torch import Tensor

from nodeflow import InputError, ModelMemory, Precision
from tests.nodes.diffusion.gguf_writing import write_gguf
from tests.nodes.diffusion.lora_files import diffusers_state, make_layers, write
from tests.nodes.diffusion.original_layout import original_unet
from tests.nodes.diffusion.test_gguf import apart, estimate
from tests.nodes.diffusion.tiny_flow_models import make_flux, make_sd3, original_flux, original_sd3
from tests.nodes.diffusion.tiny_models import make_pipeline, save

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def unet() -> Any:
    return make_pipeline("1")


@pytest.fixture(scope="module")
def states(unet: Any) -> dict[str, State]:
    return {
        "1": original_unet(unet.unet.state_dict(), 1),
        "sd3": original_sd3(make_sd3().transformer.state_dict()),
        "flux": original_flux(make_flux("dev").transformer.state_dict()),
    }


@pytest.mark.quantized
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["1", "sd3", "flux"])
@pytest.mark.parametrize("weights", list(LIBRARIES))
def test_it_is_smaller_and_gives_nearly_the_same(
    states: dict[str, State], tmp_path: Path, kind: str, weights: str
) -> None:
    memory = ModelMemory()
    model = load_denoiser(save(states[kind], tmp_path / "model.safetensors"))
    small = quantize(model, weights)
    quantized, found = estimate(small, memory, Precision.BF16)
    # The plain network is not kept beside it.
    assert memory.used == quantized.size
    plain, expected = estimate(model, memory, Precision.BF16)
    limit = {"int8": 0.02, "fp8": 0.06, "nf4": 0.2}[weights]
    assert 0 < apart(found, expected) < limit
    if kind != "1":
        assert quantized.size < {"int8": 0.7, "fp8": 0.7, "nf4": 0.55}[weights] * plain.size
    assert quantized.size < plain.size
    assert torch.equal(estimate(small, memory, Precision.BF16)[1], found)


@pytest.mark.quantized
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("weights", ["int8"])
def test_loras_are_laid_before_the_rounding_and_step_caches_over_it(
    unet: Any, states: dict[str, State], tmp_path: Path, weights: str
) -> None:
    memory = ModelMemory()
    model = load_denoiser(save(states["1"], tmp_path / "model.safetensors"))
    state, metadata = diffusers_state(make_layers(unet, only="attn"))
    lora = write(state, tmp_path / "lora.safetensors", metadata)
    _, expected = estimate(load_lora_model(model, lora, 4.0), memory)
    for small in (
        quantize(load_lora_model(model, lora, 4.0), weights),
        load_lora_model(quantize(model, weights), lora, 4.0),
    ):
        assert 0 < apart(estimate(small, memory)[1], expected) < 0.02
    flux = quantize(load_denoiser(save(states["flux"], tmp_path / "flux.safetensors")), weights)
    cached, found = estimate(first_block_cache(flux), memory)
    assert isinstance(cached, CachedDenoiser)
    assert torch.allclose(found, estimate(flux, memory)[1], atol=1e-4)


@pytest.mark.parametrize(("weights", "library"), list(LIBRARIES.items()))
def test_a_library_that_is_missing_is_named_before_the_run(
    monkeypatch: pytest.MonkeyPatch, weights: str, library: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = f"{weights} weights need the package {library}.*python -m pip install {library}"
    with pytest.raises(InputError, match=message):
        check_quantize(None, weights)


@pytest.fixture
def with_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


@pytest.mark.usefixtures("with_libraries")
def test_weights_in_few_bits_are_refused_before_the_run(
    states: dict[str, State], tmp_path: Path
) -> None:
    facts = denoiser_facts(write_gguf(states["flux"], tmp_path / "model.gguf"))["model"]
    with pytest.raises(InputError, match=r"in few bits already \(q8_0\)"):
        check_quantize(facts, "int8")
    plain = denoiser_facts(save(states["flux"], tmp_path / "model.safetensors"))["model"]
    check_quantize(plain, "int8")
    assert quantize_facts(plain) == {"model": plain}


@pytest.mark.usefixtures("with_libraries")
def test_the_last_choice_counts_and_others_are_other_models(
    states: dict[str, State], tmp_path: Path
) -> None:
    model = load_denoiser(save(states["flux"], tmp_path / "model.safetensors"))
    assert quantize(quantize(model, "fp8"), "int8") == quantize(model, "int8")
    assert len({model, quantize(model, "int8"), quantize(model, "fp8")}) == 3
