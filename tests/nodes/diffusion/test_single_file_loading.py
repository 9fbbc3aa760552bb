"""Single files beside diffusers' own `from_single_file`, and in every precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.load import load_denoiser, load_model, load_vae
from nodeflow_nodes.diffusion.text import encode_text
from nodeflow_nodes.diffusion.voices import prompt_batch

from nodeflow import Device, ModelMemory, Precision
from tests.nodes.diffusion.tiny_models import make_pipeline, original_state, save

X = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", ["1", "2", "xl"])
@pytest.mark.parametrize("part", ["unet", "vae"])
def test_diffusers_reads_the_same_weights_from_the_file(
    pipes: dict[str, Any], tmp_path: Path, kind: str, part: str
) -> None:
    """The files of these tests are of the layout that diffusers takes for the original one."""
    file = save(original_state(kind, pipes[kind]), tmp_path / "model.safetensors")
    pipes[kind].save_config(tmp_path)
    module = getattr(pipes[kind], part)
    module.save_config(tmp_path / part)
    reader: Any = UNet2DConditionModel if part == "unet" else AutoencoderKL
    expected = reader.from_single_file(
        str(file), config=str(tmp_path), subfolder=part, local_files_only=True
    ).state_dict()
    ours: Any = (
        parts.denoiser(load_denoiser(file), ModelMemory(), Device())
        if part == "unet"
        else parts.autoencoder(load_vae(file), ModelMemory(), Device())
    )
    found = (ours.network if part == "unet" else ours._network).state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_weights_are_cast_from_what_they_are_stored_in(
    pipes: dict[str, Any], tmp_path: Path, dtype: torch.dtype, precision: Precision
) -> None:
    state = original_state("1", pipes["1"])
    file = save(state, tmp_path / "small.safetensors", dtype)
    device = Device(precision=precision)
    network: Any = parts.denoiser(load_model(file).model, ModelMemory(), device)
    wanted = torch.bfloat16 if precision is Precision.BF16 else torch.float32
    weight = network.network.conv_in.weight
    stored = state["model.diffusion_model.input_blocks.0.0.weight"].to(dtype)
    assert weight.dtype == wanted
    assert torch.equal(weight, stored.to(wanted))


def test_weights_in_the_right_precision_are_not_copied(
    pipes: dict[str, Any], tmp_path: Path
) -> None:
    file = save(original_state("1", pipes["1"]), tmp_path / "mapped.safetensors")
    network: Any = parts.denoiser(load_model(file).model, ModelMemory(), Device())
    spans = [
        [int(end, 16) for end in line.split()[0].split("-")]
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(str(file))
    ]
    pointers = [weight.data_ptr() for weight in network.network.parameters()]
    assert all(any(low <= pointer < high for low, high in spans) for pointer in pointers)


def test_weights_are_read_in_groups_when_they_are_cast(
    pipes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nodeflow_nodes.diffusion.families import weights

    file = save(original_state("1", pipes["1"]), tmp_path / "half.safetensors", torch.float16)
    opened: list[object] = []

    def counted(*args: Any, **options: Any) -> Any:
        opened.append(args)
        return open_file(*args, **options)

    open_file = weights.safe_open
    monkeypatch.setattr(weights, "safe_open", counted)
    monkeypatch.setattr(weights, "_GROUP", 50_000)
    parts.denoiser(load_model(file).model, ModelMemory(), Device())
    size = sum(w.numel() * 2 for w in pipes["1"].unet.parameters())
    assert 2 < len(opened) <= size // 50_000 + 1


def test_a_network_of_the_second_kind_that_predicts_velocities_does_so(tmp_path: Path) -> None:
    pipe = make_pipeline("2", prediction_type="v_prediction")
    name = "up_blocks.1.attentions.1.transformer_blocks.0.norm1.bias"
    pipe.unet.get_parameter(name).data.copy_(torch.arange(64) % 2 * 0.4)
    file = save(original_state("2", pipe), tmp_path / "v.safetensors")
    assert inspect_model(file).prediction == "v_prediction"

    model, memory, device = load_model(file), ModelMemory(), Device()
    network = parts.denoiser(model.model, memory, device)
    prompt = encode_text(model.text_encoder, "a frog", models=memory, device=device)
    sigma = float(network.levels.table[700])
    hidden, _ = pipe.encode_prompt("a frog", "cpu", 1, False)
    with torch.no_grad():
        v = pipe.unet(X / (sigma**2 + 1) ** 0.5, 700, encoder_hidden_states=hidden).sample
    expected = X / (sigma**2 + 1) - v * sigma / (sigma**2 + 1) ** 0.5
    found = network.estimate(X, sigma, prompt_batch("positive", prompt, network, 1))
    assert float((found - expected).abs().max()) <= 1e-4
