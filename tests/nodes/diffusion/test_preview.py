from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from diffusers import AutoencoderTiny
from nodeflow_nodes.diffusion.load import LoadedModel, load_denoiser, load_model
from nodeflow_nodes.diffusion.preview import (
    colour_pixels,
    fit_colours,
    preview,
    tiny_decoder,
    tiny_preview,
)
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.text import encode_text
from safetensors.torch import save_file
from torch import Tensor

from nodeflow import Device, InputError, Latent, ModelMemory, Progress
from tests.nodes.diffusion.tiny_flow_models import make_flux, make_sd3, original_flux, original_sd3


class Averaging:
    """An autoencoder whose latents mix the mean colours of 4 x 4 pixels into five channels."""

    size, channels, downscale = 0, 5, 4
    mix = torch.randn(3, 5, generator=torch.Generator().manual_seed(2))

    def encode(self, images: Tensor, noise: Tensor | None) -> Tensor:
        small = torch.nn.functional.avg_pool2d(images.movedim(-1, 1), 4)
        return (small.movedim(1, -1) @ self.mix + 0.3).movedim(-1, 1)

    def decode(self, latents: Tensor) -> Tensor:
        raise AssertionError("a large picture is not decoded")


def test_the_fitted_colours_give_back_what_was_encoded() -> None:
    network = Averaging()
    colours = fit_colours(network)
    assert colours.shape == (6, 3)
    picture = torch.rand(1, 20, 28, 3, generator=torch.Generator().manual_seed(4))
    small = torch.nn.functional.avg_pool2d(picture.movedim(-1, 1), 4)[0].movedim(0, -1)
    found = colour_pixels(network.encode(picture, None)[0], colours)
    assert torch.allclose(found, small, atol=1e-4)


def test_a_small_picture_is_decoded_and_a_large_one_coloured(
    loaded: LoadedModel, models: ModelMemory, device: Device
) -> None:
    small = preview(torch.randn(2, 4, 8, 16), loaded.model, models, device)
    assert (small.mode, small.size) == ("RGB", (128, 64))
    large = preview(torch.randn(2, 4, 32, 64), loaded.model, models, device)
    assert (large.mode, large.size) == ("RGB", (512, 256))


def original_decoder(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The decoder alone under its first names, which count the clamp before it as a layer."""
    start = "decoder.layers."
    return {
        re.sub(r"^(\d+)", lambda found: str(int(found[1]) + 1), key.removeprefix(start)): tensor
        for key, tensor in state.items()
        if key.startswith(start)
    }


@pytest.fixture
def own_model(folder: Path, tmp_path: Path) -> Path:
    """The tiny model in a tree of models of its own."""
    return Path(shutil.copytree(folder, tmp_path / "models" / "checkpoints" / "tiny"))


@pytest.mark.parametrize("layout", ["original", "diffusers"])
def test_a_small_decoder_beside_the_models_draws_previews(
    own_model: Path, models: ModelMemory, device: Device, layout: str
) -> None:
    model = load_model(own_model).model
    assert tiny_decoder(model, models, device) is None
    torch.manual_seed(0)
    reference = AutoencoderTiny().eval()
    state = reference.state_dict()
    if layout == "original":
        name = "taesd_decoder"
        state = original_decoder(state)
    else:
        name = "taesd"
    near = own_model.parents[1] / "vae_approx"
    near.mkdir()
    save_file(state, near / f"{name}.safetensors")
    found = tiny_decoder(model, models, device)
    assert found is not None
    latent = torch.randn(2, 4, 6, 8)
    with torch.no_grad():
        expected = (reference.decode(latent).sample / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    assert torch.allclose(found.decode(latent), expected, atol=1e-5)
    shown = tiny_preview(latent, found)
    assert isinstance(shown, PIL.Image.Image)
    assert shown.size == (64, 48)


@pytest.mark.parametrize(
    ("make", "original", "name"),
    [(make_flux, original_flux, "taef1"), (make_sd3, original_sd3, "taesd3")],
)
@pytest.mark.parametrize("layout", ["original", "diffusers"])
def test_networks_of_sixteen_channels_have_small_decoders_too(
    tmp_path: Path, device: Device, make: Any, original: Any, name: str, layout: str
) -> None:
    for folder in ("diffusion_models", "vae_approx"):
        (tmp_path / folder).mkdir()
    state = original((make() if make is make_sd3 else make("dev")).transformer.state_dict())
    file = tmp_path / "diffusion_models" / "network.safetensors"
    save_file({key: tensor.contiguous() for key, tensor in state.items()}, file)
    model, models = load_denoiser(file), ModelMemory()
    # One for other latents is none for these.
    save_file(AutoencoderTiny().state_dict(), tmp_path / "vae_approx" / "taesd.safetensors")
    assert tiny_decoder(model, models, device) is None
    torch.manual_seed(0)
    reference = AutoencoderTiny(latent_channels=16).eval()
    weights = reference.state_dict()
    if layout == "original":
        weights, name = original_decoder(weights), f"{name}_decoder"
    save_file(weights, tmp_path / "vae_approx" / f"{name}.safetensors")
    found = tiny_decoder(model, models, device)
    assert found is not None
    latent = torch.randn(1, 16, 4, 4)
    with torch.no_grad():
        expected = (reference.decode(latent).sample / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    assert torch.allclose(found.decode(latent), expected, atol=1e-5)


def test_another_file_among_the_small_decoders_is_named(
    own_model: Path, models: ModelMemory, device: Device
) -> None:
    near = own_model.parents[1] / "vae_approx"
    near.mkdir()
    save_file({"weight": torch.zeros(2)}, near / "taesd_decoder.safetensors")
    with pytest.raises(InputError, match=r"taesd_decoder\.safetensors is no small decoder"):
        tiny_decoder(load_model(own_model).model, models, device)


def test_a_broken_small_decoder_does_not_stop_a_walk(
    own_model: Path, models: ModelMemory, device: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    near = own_model.parents[1] / "vae_approx"
    near.mkdir()
    (near / "taesd.safetensors").write_bytes(b"broken")
    recipes = load_model(own_model)
    prompt = encode_text(recipes.text_encoder, "", models=models, device=device)
    services = {"progress": Progress(), "models": models, "device": device}
    latent = Latent(torch.zeros(1, 4, 8, 8))
    sample(recipes.model, prompt, prompt, latent, steps=1, **services)  # type: ignore[arg-type]
    assert "Previews are coarse" in capsys.readouterr().out
