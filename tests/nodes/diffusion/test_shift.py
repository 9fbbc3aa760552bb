"""Noise levels of rectified flows, shifted as diffusers' pipelines shift them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from nodeflow_nodes.diffusion import hooks, parts, shift
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.schedules import noise_schedule
from nodeflow_nodes.diffusion.shift import shift_noise, shift_noise_for_size
from nodeflow_nodes.diffusion.shift_checks import check_shift
from nodeflow_nodes.diffusion.step_cache import taylor_seer_cache
from nodeflow_nodes.diffusion.text import distilled_guidance, encode_text

from nodeflow import Device, InputError, ModelMemory, Progress
from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED
from tests.nodes.diffusion.tiny_flow_models import flux_state, make_flux, make_sd3, sd3_state
from tests.nodes.diffusion.tiny_models import make_pipeline, original_state, save

PROMPT, STEPS, DEVICE = "a red apple on a table", 5, Device()


@pytest.fixture(scope="module", params=["flux", "sd3"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp(request.param)
    pipe, state = (
        (make_flux("dev"), flux_state) if request.param == "flux" else (make_sd3(), sd3_state)
    )
    if request.param == "sd3":
        pipe.text_encoder.text_projection.weight.data.copy_(torch.eye(64))
    pipe.scheduler = FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15
    )
    pipe.set_progress_bar_config(disable=True)
    (pipe.tokenizer_2 if request.param == "flux" else pipe.tokenizer_3).save_pretrained(folder)
    return pipe, load_model(save(state(pipe), folder / "model.safetensors"))


def drawn(model: Any, loaded: LoadedModel, memory: ModelMemory, width: int) -> torch.Tensor:
    words = encode_text(loaded.text_encoder, PROMPT, models=memory, device=DEVICE)
    words = distilled_guidance(words, 3.5)
    found = sample(
        model, words, words, empty_latent(model, width, 64), seed=7, steps=STEPS, guidance=1.0,
        schedule="simple", progress=Progress(), models=memory, device=DEVICE,
    )  # fmt: skip
    return parts.denoiser(model, memory, DEVICE).scaled(found.samples)


@pytest.mark.parametrize("node", [shift_noise, shift_noise_for_size])
def test_the_nodes_are_described(node: Any) -> None:
    spec = read_node(node, "diffusion", {socket.of: socket.name for socket in SHARED})
    assert spec.description
    assert [item.name for item in spec.inputs if not item.description] == []


@pytest.mark.parametrize("width", [64, 192])
def test_the_nodes_alone_draw_what_the_pipeline_draws_at_a_size(
    made: Any, memory: ModelMemory, width: int
) -> None:
    pipe, loaded = made
    flux = "Flux" in type(pipe).__name__
    noise = torch.randn(1, 16, 8, width // 8, generator=torch.Generator().manual_seed(7))
    expected = pipe(
        PROMPT, guidance_scale=3.5 if flux else 1.0, num_inference_steps=STEPS, height=64,
        width=width, output_type="latent",
        latents=pipe._pack_latents(noise, 1, 16, 8, width // 8) if flux else noise,
        sigmas=[1 - k / STEPS for k in range(STEPS)],
    ).images  # fmt: skip
    expected = pipe._unpack_latents(expected, 64, width, 8) if flux else expected
    model = shift_noise_for_size(loaded.model, width, 64)
    assert float((drawn(model, loaded, memory, width) - expected).abs().max()) <= 1e-4
    plain = drawn(loaded.model, loaded, memory, width)
    assert float((plain - expected).abs().max()) > 1e-2


def test_a_shift_may_be_chosen_and_the_last_counts(made: Any, memory: ModelMemory) -> None:
    _, loaded = made
    model = shift_noise(shift_noise_for_size(loaded.model), 2.0)
    network: Any = parts.denoiser(model, memory, DEVICE)
    sigmas = noise_schedule("simple", network.levels, 4)
    assert sigmas == pytest.approx([2 * t / (1 + t) for t in (1, 0.75, 0.5, 0.25)] + [0])
    assert network.levels.t(0.5) == parts.denoiser(loaded.model, memory, DEVICE).levels.t(0.5)
    # The weights are there once, and a step cache may lie over it.
    assert network.network is parts.denoiser(loaded.model, memory, DEVICE).network  # type: ignore[attr-defined]
    cached = parts.denoiser(taylor_seer_cache(model), memory, DEVICE)
    assert noise_schedule("simple", cached.levels, 4) == sigmas


def test_models_without_a_shift_are_refused_before_the_run(
    tmp_path: Path, memory: ModelMemory
) -> None:
    file = save(original_state("1", make_pipeline("1")), tmp_path / "1.safetensors")
    with pytest.raises(InputError, match="have a shift, and this one is of the family stable_diff"):
        check_shift(hooks.model_facts(file)["model"])
    check_shift({"prediction": "flow"})
    check_shift({})
    model = shift.shift_noise(load_model(file).model)
    with pytest.raises(InputError, match="only models of rectified flows"):
        parts.denoiser(model, memory, DEVICE)
