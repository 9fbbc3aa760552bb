"""Models that run by diffusers' own pipelines, in few bits, beside diffusers in as few."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import BitsAndBytesConfig, TorchAoConfig
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.hooks import model_facts
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.lora import load_lora_model
from nodeflow_nodes.diffusion.part_sizes import expected_bytes
from nodeflow_nodes.diffusion.quantize import quantize
from nodeflow_nodes.diffusion.quantize_checks import LIBRARIES, SMALLEST, check_quantize
from nodeflow_nodes.diffusion.step_cache import taylor_seer_cache
from safetensors.torch import save_file
from torch import nn

from nodeflow import ModelMemory
from tests.nodes.diffusion.families.test_modular_lora import Z_IMAGE, diffusers_names, factors
from tests.nodes.diffusion.families.test_modular_step_caches import drawn_of
from tests.nodes.diffusion.modular_walks import DEVICE, SIDE, levels, unpatched, walked

KINDS = ("z_image", "wan", "wan_of_two", "qwen_image", "flux_2")
NETWORKS = ("transformer", "transformer_2")
BLOCK, ROWS = 64, 32
pytestmark = pytest.mark.filterwarnings("ignore")


def rounded(name: str, module: nn.Module, weights: str) -> bool:
    """Whether a module's matrix is to be in few bits."""
    in_a_layer = any(part.isdigit() for part in name.split("."))
    large = type(module) is nn.Linear and module.weight.numel() >= SMALLEST
    if large and weights == "nf4":
        large = module.in_features % BLOCK == 0 and module.out_features % ROWS == 0
    return in_a_layer and large


def in_few_bits(network: Any, folder: Path, weights: str) -> Any:
    """The network as diffusers quantises it: what stays as it is, is named to it."""
    left = [
        name
        for name, module in network.named_modules()
        if not rounded(name, module, weights) and not list(module.children())
    ]
    if weights == "nf4":
        return in_nf4(type(network).from_pretrained(folder), left)
    torchao = importlib.import_module("torchao.quantization")
    kinds = {"int8": torchao.Int8WeightOnlyConfig, "fp8": torchao.Float8WeightOnlyConfig}
    config = TorchAoConfig(kinds[weights](), modules_to_not_convert=left)
    return type(network).from_pretrained(
        folder, quantization_config=config, torch_dtype=torch.float32
    )


def in_nf4(network: Any, left: list[str]) -> Any:
    """By diffusers' replacement of layers; its loader wants a GPU for it."""
    library = importlib.import_module("bitsandbytes.nn")
    utils = importlib.import_module("diffusers.quantizers.bitsandbytes.utils")
    config = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True
    )
    plain = dict(network.named_modules())
    found = utils.replace_with_bnb_linear(network, left, quantization_config=config)
    for name, module in found.named_modules():
        if isinstance(module, library.Linear4bit):
            weight = library.Params4bit(
                plain[name].weight.data, requires_grad=False, quant_type="nf4"
            )
            module.weight, module.bias = weight.to("cpu"), plain[name].bias
    return found.eval()


@pytest.mark.quantized
@pytest.mark.parametrize("weights", list(LIBRARIES))
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_those_of_diffusers_in_as_few_bits(made: Any, kind: str, weights: Any) -> None:
    folder, pipeline = made(f"large {kind}")
    model, memory = load_model(folder), ModelMemory()
    small = model._replace(model=quantize(model.model, weights))
    latent = empty_latent(model.model, SIDE, SIDE, frames=5 if kind.startswith("wan") else 1)
    names = [name for name in NETWORKS if getattr(pipeline, name, None) is not None]
    plain = {name: getattr(pipeline, name) for name in names}
    theirs = {name: in_few_bits(plain[name], folder / name, weights) for name in names}
    ours: Any = parts.denoiser(small.model, memory, DEVICE)
    if weights == "nf4":
        assert all(same(theirs[name], ours.stage.modules[name]) for name in names)
    try:
        for name in names:
            setattr(pipeline, name, theirs[name])
        reference = drawn_of(kind, pipeline, latent, memory, model)
    finally:
        for name in names:
            setattr(pipeline, name, plain[name])
    scale = 1.0 if kind == "flux_2" else 4.0
    found, before = (walked(one, latent, levels(pipeline), scale, memory) for one in (small, model))
    if kind == "flux_2":
        found, before = unpatched(pipeline, found), unpatched(pipeline, before)
    moved = float((found - before).abs().max())
    # On CPUs NF4 is multiplied in bf16, which makes much of the last bits of what comes in.
    assert (found - reference).abs().max() <= (moved / 8 if weights == "nf4" else 1e-5)
    assert moved > 1e-4


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks hold the same numbers."""
    mine, theirs = dict(one.named_parameters()), dict(other.named_parameters())
    return mine.keys() == theirs.keys() and all(torch.equal(mine[n], theirs[n]) for n in mine)


@pytest.mark.quantized
@pytest.mark.parametrize("kind", ["z_image", "wan_of_two"])
def test_it_takes_less_memory_as_was_expected(made: Any, kind: str) -> None:
    model, memory = load_model(made(f"large {kind}")[0]).model, ModelMemory()
    small = parts.denoiser(quantize(model, "int8"), memory, DEVICE)
    # The plain network is not kept beside it.
    assert memory.used == small.size
    assert expected_bytes(quantize(model, "int8"), DEVICE)() == pytest.approx(small.size, rel=0.1)
    plain = parts.denoiser(model, memory, DEVICE)
    assert expected_bytes(model, DEVICE)() == pytest.approx(plain.size, rel=0.05)
    assert small.size < 0.6 * plain.size


@pytest.mark.quantized
def test_loras_are_laid_before_the_rounding_and_step_caches_over_it(
    made: Any, tmp_path: Path
) -> None:
    folder, pipeline = made("large z_image")
    model, memory = load_model(folder), ModelMemory()
    latent = empty_latent(model.model, SIDE, SIDE)
    file = tmp_path / "lora.safetensors"
    save_file(diffusers_names(factors(pipeline.transformer, Z_IMAGE)), file)
    with_lora = load_lora_model(model.model, file)

    def end(recipe: Any) -> torch.Tensor:
        sigmas = [1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.0]
        return walked(model._replace(model=recipe), latent, sigmas, 1.0, memory)

    plain, expected = end(model.model), end(with_lora)
    found = end(quantize(with_lora, "int8"))
    apart = (found - expected).norm()
    assert 0 < apart < (expected - plain).norm() / 3
    assert torch.equal(end(load_lora_model(quantize(model.model, "int8"), file)), found)
    cached = end(taylor_seer_cache(quantize(with_lora, "int8"), 2))
    assert 0 < (cached - found).norm() < found.norm() / 2
    assert torch.equal(end(model.model), plain)


@pytest.mark.usefixtures("with_libraries")
def test_it_is_not_refused_before_the_run(made: Any) -> None:
    check_quantize(model_facts(made("z_image")[0])["model"], "int8")
