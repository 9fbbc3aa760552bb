from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from nodeflow_nodes.diffusion.families.kl_autoencoder import KlAutoencoder

from nodeflow import Device, Precision

IMAGES = torch.rand(2, 32, 48, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def autoencoder(folder: Path) -> KlAutoencoder:
    return KlAutoencoder.load(folder, Device(), None)


def test_encoding_gives_the_unscaled_mean(
    autoencoder: KlAutoencoder, pipeline: StableDiffusionPipeline
) -> None:
    with torch.no_grad():
        expected = pipeline.vae.encode(IMAGES.movedim(-1, 1) * 2 - 1).latent_dist.mean
    latents = autoencoder.encode(IMAGES, None)
    assert latents.shape == (2, 4, 4, 6)
    assert torch.allclose(latents, expected, atol=1e-5)


def test_encoding_with_noise_draws_from_the_distribution(
    autoencoder: KlAutoencoder, pipeline: StableDiffusionPipeline
) -> None:
    with torch.no_grad():
        distribution = pipeline.vae.encode(IMAGES.movedim(-1, 1) * 2 - 1).latent_dist
    noise = torch.randn(2, 4, 4, 6, generator=torch.Generator().manual_seed(3))
    expected = distribution.sample(torch.Generator().manual_seed(3))
    assert torch.allclose(autoencoder.encode(IMAGES, noise), expected, atol=1e-5)


def test_decoding_gives_pictures_in_range(
    autoencoder: KlAutoencoder, pipeline: StableDiffusionPipeline
) -> None:
    latents = torch.randn(2, 4, 4, 6, generator=torch.Generator().manual_seed(3))
    pictures = autoencoder.decode(latents)
    with torch.no_grad():
        raw = pipeline.vae.decode(latents).sample
    expected = (raw / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    assert pictures.shape == (2, 32, 48, 3)
    assert torch.allclose(pictures, expected, atol=1e-5)


@pytest.mark.parametrize("precision", [Precision.BF16, Precision.FP16])
def test_in_half_precision_values_stay_float32(folder: Path, precision: Precision) -> None:
    half = KlAutoencoder.load(folder, Device(precision=precision), None)
    latents = half.encode(IMAGES, None)
    assert latents.dtype == torch.float32
    assert half.decode(latents).dtype == torch.float32
