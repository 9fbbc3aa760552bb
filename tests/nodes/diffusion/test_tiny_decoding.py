"""`decode_taesd`: pictures of latents by a small decoder that a person has chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderTiny
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.parts import denoiser
from nodeflow_nodes.diffusion.tiny_decoder_checks import check_decode_taesd, decode_taesd_facts
from nodeflow_nodes.diffusion.tiny_decoding import decode_taesd
from safetensors.torch import save_file

from nodeflow import Device, InputError, Latent, ModelMemory
from tests.nodes.diffusion.test_preview import original_decoder


@pytest.fixture
def small() -> AutoencoderTiny:
    torch.manual_seed(0)
    return AutoencoderTiny().eval()


def test_pictures_are_those_of_the_decoder_for_latents_as_the_network_sees_them(
    small: AutoencoderTiny, tmp_path: Path, loaded: LoadedModel, models: ModelMemory, device: Device
) -> None:
    file = tmp_path / "mine.safetensors"
    save_file(original_decoder(small.state_dict()), file)
    latent = Latent(torch.randn(2, 4, 6, 8), 8)
    found = decode_taesd(file, loaded.model, latent, models=models, device=device)
    network = denoiser(loaded.model, models, device)
    with torch.no_grad():
        pictures = small.decode(network.scaled(latent.samples)).sample / 2 + 0.5
    assert found.shape == (2, 48, 64, 3)
    assert torch.allclose(found, pictures.clamp(0, 1).movedim(1, -1), atol=1e-5)


def test_a_decoder_of_another_kind_is_refused_before_the_run(
    small: AutoencoderTiny, tmp_path: Path, loaded: LoadedModel, models: ModelMemory, device: Device
) -> None:
    file = tmp_path / "taef1.safetensors"
    save_file(AutoencoderTiny(latent_channels=16).state_dict(), file)
    with pytest.raises(
        InputError, match=r"model has latents of 4 channels, and .*taef1.* takes 16"
    ):
        check_decode_taesd(file, {"channels": 4}, None)
    with pytest.raises(InputError, match=r"latent has channels 4, .*taef1.safetensors takes 16"):
        check_decode_taesd(file, None, {"channels": 4, "downscale": 8})
    check_decode_taesd(file, {"channels": 16}, {"channels": 16, "downscale": 8})
    latent = Latent(torch.zeros(1, 4, 8, 8), 8)
    with pytest.raises(InputError, match="choose a small decoder for the model's family"):
        decode_taesd(file, loaded.model, latent, models=models, device=device)


def test_latents_of_videos_are_refused(
    small: AutoencoderTiny, tmp_path: Path, loaded: LoadedModel, models: ModelMemory, device: Device
) -> None:
    file = tmp_path / "taesd.safetensors"
    save_file(small.state_dict(), file)
    latent = Latent(torch.zeros(1, 4, 2, 8, 8), 8)
    with pytest.raises(InputError, match=r"of a video, and .*taesd\.safetensors .* use decode"):
        decode_taesd(file, loaded.model, latent, models=models, device=device)


def test_what_only_encodes_or_is_something_else_says_so(
    small: AutoencoderTiny, tmp_path: Path
) -> None:
    start = "encoder.layers."
    encoder = {
        name.removeprefix(start): tensor
        for name, tensor in small.state_dict().items()
        if name.startswith(start)
    }
    save_file(encoder, tmp_path / "taesd_encoder.safetensors")
    with pytest.raises(InputError, match=r"taesd_encoder\S+ only makes latents of pictures"):
        decode_taesd_facts(tmp_path / "taesd_encoder.safetensors")
    save_file({"conv1.weight": torch.zeros(8, 4, 7, 7)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"other\S+ is no small decoder of latents"):
        decode_taesd_facts(tmp_path / "other.safetensors")
