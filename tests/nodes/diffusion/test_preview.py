from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from diffusers import AutoencoderTiny
from nodeflow_nodes.diffusion.load import LoadedModel, load_denoiser, load_model
from nodeflow_nodes.diffusion.parts import denoiser
from nodeflow_nodes.diffusion.preview import (
    colour_pixels,
    fit_colours,
    look_at,
    preview,
    tiny_decoder,
    tiny_preview,
)
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.text import encode_text
from safetensors.torch import save_file
from torch import Tensor

from nodeflow import Device, InputError, Latent, ModelFolders, ModelMemory, Progress
from nodeflow.roots import Roots
from tests.nodes.diffusion.tiny_flow_models import make_flux, make_sd3, original_flux, original_sd3
from tests.nodes.diffusion.tiny_models import make_pipeline, original_state, save

NOWHERE = ModelFolders()


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
    assert tiny_decoder(model, models, device, NOWHERE) is None
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
    found = tiny_decoder(model, models, device, NOWHERE)
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
    assert tiny_decoder(model, models, device, NOWHERE) is None
    torch.manual_seed(0)
    reference = AutoencoderTiny(latent_channels=16).eval()
    weights = reference.state_dict()
    if layout == "original":
        weights, name = original_decoder(weights), f"{name}_decoder"
    save_file(weights, tmp_path / "vae_approx" / f"{name}.safetensors")
    found = tiny_decoder(model, models, device, NOWHERE)
    assert found is not None
    latent = torch.randn(1, 16, 4, 4)
    with torch.no_grad():
        expected = (reference.decode(latent).sample / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    assert torch.allclose(found.decode(latent), expected, atol=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "vae_approx/taesd_decoder.pth",
        "vae_approx/somebody/taesd/diffusion_pytorch_model.safetensors",
        "sd-1/vae/taesd/diffusion_pytorch_model.safetensors",
    ],
)
def test_a_small_decoder_is_found_in_whichever_folder_of_models_it_lies(
    own_model: Path, tmp_path: Path, models: ModelMemory, device: Device, name: str
) -> None:
    place = tmp_path / "elsewhere"
    (place / name).parent.mkdir(parents=True)
    reference = AutoencoderTiny().eval()
    if name.endswith(".pth"):
        torch.save(original_decoder(reference.state_dict()), place / name)
    else:
        save_file(reference.state_dict(), place / name)
    roots = Roots.of([own_model.parents[1], place], tmp_path, [], anywhere=False)
    model = load_model(own_model).model
    assert tiny_decoder(model, models, device, NOWHERE) is None
    found = tiny_decoder(model, models, device, ModelFolders(roots))
    assert found is not None
    latent = torch.randn(1, 4, 4, 4)
    with torch.no_grad():
        expected = (reference.decode(latent).sample / 2 + 0.5).clamp(0, 1).movedim(1, -1)
    assert torch.allclose(found.decode(latent), expected, atol=1e-5)


def test_a_small_decoder_for_other_latents_of_the_family_is_passed_over(
    own_model: Path, models: ModelMemory, device: Device
) -> None:
    near = own_model.parents[1] / "vae_approx"
    near.mkdir()
    save_file(AutoencoderTiny(latent_channels=16).state_dict(), near / "taesd.safetensors")
    recipes = load_model(own_model)
    network = denoiser(recipes.model, models, device)
    look = look_at(recipes.model, network, models, device, NOWHERE)
    assert look is not None
    latent = torch.randn(1, 4, 8, 8)
    expected = preview(network.unscaled(latent), recipes.model, models, device)
    assert look(latent).tobytes() == expected.tobytes()


def network_alone(family: str) -> dict[str, Tensor]:
    """A file with the network of a family and nothing else."""
    if family in ("flux", "sd3"):
        pipe = make_flux("dev") if family == "flux" else make_sd3()
        original = original_flux if family == "flux" else original_sd3
        return dict(original(pipe.transformer.state_dict()))
    state = original_state(family, make_pipeline(family))
    return {name: tensor for name, tensor in state.items() if name.startswith("model.")}


@pytest.mark.parametrize(
    ("family", "channel", "colour"),
    [
        ("1", 3, (-0.1307, -0.1874, -0.7445)),
        ("2", 0, (0.3444, 0.1385, 0.0670)),
        ("xl", 0, (0.3816, 0.4930, 0.5320)),
        ("sd3", 5, (0.0519, 0.1922, 0.0626)),
        ("flux", 13, (-0.1117, -0.0304, -0.0789)),
    ],
)
def test_a_network_that_came_alone_is_seen_in_the_colours_of_its_family(
    tmp_path: Path,
    models: ModelMemory,
    device: Device,
    family: str,
    channel: int,
    colour: tuple[float, float, float],
) -> None:
    file = tmp_path / "network.safetensors"
    save(network_alone(family), file)
    model = load_denoiser(file)
    network = denoiser(model, models, device)
    look = look_at(model, network, models, device, NOWHERE)
    assert look is not None
    scaled = torch.zeros(2, network.channels, 4, 8)
    scaled[0, channel] = 1.0
    shown = look(scaled)
    assert (shown.mode, shown.size) == ("RGB", (8 * network.downscale, 4 * network.downscale))
    expected = [(1 + value) / 2 * 255 for value in colour]
    pixel = shown.getpixel((3, 3))
    assert isinstance(pixel, tuple)
    assert pixel == pytest.approx(expected, abs=0.5 + 1e-3)


def test_a_walk_shows_a_network_that_came_alone(
    tmp_path: Path, models: ModelMemory, device: Device
) -> None:
    file = tmp_path / "network.safetensors"
    save(network_alone("1"), file)
    whole = tmp_path / "whole.safetensors"
    save(original_state("1", make_pipeline("1")), whole)
    encoder = load_model(whole).text_encoder
    prompt = encode_text(encoder, "", models=models, device=device)
    shown: list[PIL.Image.Image] = []

    def report(step: int, total: int, text: str, picture: Any) -> None:
        if picture is not None:
            shown.append(picture())

    services = {"progress": Progress(report), "models": models, "device": device}
    latent = Latent(torch.zeros(1, 4, 8, 8))
    sample(load_denoiser(file), prompt, prompt, latent, steps=2, **services)  # type: ignore[arg-type]
    assert [picture.size for picture in shown] == [(64, 64)] * 2


def test_nobody_knows_the_colours_of_other_channels(
    tmp_path: Path, models: ModelMemory, device: Device
) -> None:
    file = tmp_path / "network.safetensors"
    save(network_alone("1"), file)
    model = load_denoiser(file)
    network = replace(denoiser(model, models, device), channels=16)  # type: ignore[type-var]
    assert look_at(model, network, models, device, NOWHERE) is None  # type: ignore[arg-type]


def test_another_file_among_the_small_decoders_is_named(
    own_model: Path, models: ModelMemory, device: Device
) -> None:
    near = own_model.parents[1] / "vae_approx"
    near.mkdir()
    save_file({"weight": torch.zeros(2)}, near / "taesd_decoder.safetensors")
    with pytest.raises(InputError, match=r"taesd_decoder\.safetensors is no small decoder"):
        tiny_decoder(load_model(own_model).model, models, device, NOWHERE)


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
