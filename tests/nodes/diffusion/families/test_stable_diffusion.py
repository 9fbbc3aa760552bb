from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.families.stable_diffusion import StableDiffusion, read_levels

from nodeflow import Device, InputError, Precision, Recipe

X = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
HIDDEN = torch.randn(2, 16, 16, generator=torch.Generator().manual_seed(1))
PROMPT = PromptBatch(HIDDEN)


def load(folder: Path, precision: Precision = Precision.FP32) -> Any:
    recipe = Recipe(str(folder), "digest", "denoiser", "stable_diffusion")
    return StableDiffusion().load_denoiser(recipe, Device(precision=precision))


def asked(pipeline: StableDiffusionPipeline, x: torch.Tensor, t: int) -> torch.Tensor:
    with torch.no_grad():
        out: torch.Tensor = pipeline.unet(x, t, encoder_hidden_states=HIDDEN).sample
    return out


def test_noise_prediction_is_x_minus_sigma_eps(
    folders: dict[str, Path], pipeline: StableDiffusionPipeline
) -> None:
    network = load(folders["epsilon"])
    sigma = float(network.levels.table[700])
    eps = asked(pipeline, X / math.sqrt(sigma**2 + 1), 700)
    assert torch.allclose(network.estimate(X, sigma, PROMPT), X - sigma * eps, atol=1e-5)


def test_velocity_prediction_is_turned_into_x0(
    folders: dict[str, Path], pipeline: StableDiffusionPipeline
) -> None:
    network = load(folders["v_prediction"])
    sigma = float(network.levels.table[700])
    v = asked(pipeline, X / math.sqrt(sigma**2 + 1), 700)
    expected = X / (sigma**2 + 1) - v * sigma / math.sqrt(sigma**2 + 1)
    assert torch.allclose(network.estimate(X, sigma, PROMPT), expected, atol=1e-5)


def test_the_start_has_more_noise_at_the_highest_level_only(folder: Path) -> None:
    network = load(folder)
    highest = float(network.levels.table[-1])
    latent, noise = torch.full_like(X, 2.0), torch.ones_like(X)
    top = network.levels.start(latent, noise, highest)
    assert torch.allclose(top, 2 + math.sqrt(1 + highest**2) * noise)
    lower = network.levels.start(latent, noise, highest * 0.999)
    assert torch.allclose(lower, 2 + highest * 0.999 * noise)


def test_latents_are_scaled_and_back(folder: Path) -> None:
    network = load(folder)
    assert torch.allclose(network.scaled(X), X * 0.5)
    assert torch.allclose(network.unscaled(network.scaled(X)), X)


def test_in_half_precision_estimates_stay_float32_and_close(folder: Path) -> None:
    full, half = load(folder), load(folder, Precision.BF16)
    estimates = [network.estimate(X, 1.0, PROMPT) for network in (full, half)]
    assert estimates[1].dtype == torch.float32
    assert half.size * 2 == full.size
    assert torch.allclose(*estimates, atol=0.05)


def test_levels_follow_the_config(broken: Path, change: Callable[..., None]) -> None:
    config = broken / "scheduler" / "scheduler_config.json"
    assert float(read_levels(config).table[-1]) == pytest.approx(14.6146, abs=1e-4)
    change(broken, "scheduler/scheduler_config.json", rescale_betas_zero_snr=True)
    assert float(read_levels(config).table[-1]) == pytest.approx(4518.77, abs=0.01)
    change(broken, "scheduler/scheduler_config.json", trained_betas=[0.5, 0.5])
    levels = read_levels(config)
    assert levels.table.shape == (2,)
    change(
        broken,
        "scheduler/scheduler_config.json",
        trained_betas=None,
        rescale_betas_zero_snr=False,
        beta_schedule="linear",
    )
    assert float(read_levels(config).table[0]) == pytest.approx(math.sqrt(0.00085 / 0.99915))


def test_an_unknown_beta_schedule_is_named(broken: Path, change: Callable[..., None]) -> None:
    change(broken, "scheduler/scheduler_config.json", beta_schedule="sigmoid")
    with pytest.raises(InputError, match="'sigmoid' is unknown; known: scaled_linear, linear"):
        read_levels(broken / "scheduler" / "scheduler_config.json")


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(InputError, match="family 'magic' are unknown"):
        family_of(Recipe("/x", "d", "denoiser", "magic"))


def test_a_folder_of_fp16_files_gives_the_same_network(folder: Path, broken: Path) -> None:
    for name in (
        "unet/diffusion_pytorch_model",
        "vae/diffusion_pytorch_model",
        "text_encoder/model",
    ):
        (broken / f"{name}.safetensors").rename(broken / f"{name}.fp16.safetensors")
    family = StableDiffusion()
    expected = load(folder).estimate(X, 1.0, PROMPT)
    assert torch.equal(load(broken).estimate(X, 1.0, PROMPT), expected)
    recipe = Recipe(str(broken), "digest", "vae", "stable_diffusion")
    assert family.load_autoencoder(recipe, Device()).decode(X).shape == (2, 64, 64, 3)
    assert family.load_text_model(recipe, Device()).encode("red").hidden.shape == (1, 16, 16)


def test_sharded_weights_give_the_same_network(
    folder: Path, broken: Path, pipeline: StableDiffusionPipeline
) -> None:
    (broken / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    pipeline.unet.save_pretrained(broken / "unet", max_shard_size="20KB")
    assert len(list((broken / "unet").glob("*.safetensors"))) > 1
    expected = load(folder).estimate(X, 1.0, PROMPT)
    assert torch.equal(load(broken).estimate(X, 1.0, PROMPT), expected)
