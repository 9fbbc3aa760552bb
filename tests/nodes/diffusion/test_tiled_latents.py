"""`decode_tiled` and `encode_tiled` beside `decode` and `encode_image`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from nodeflow_nodes import emoji
from nodeflow_nodes.diffusion.latents import decode, empty_latent, encode_image
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.tiled_latents import decode_tiled, encode_tiled

from nodeflow import Cancelled, Device, Image, InputError, Latent, ModelMemory, Progress
from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED
from tests.nodes.diffusion.modular_models import save_flux_2, save_wan

MODEL = Path(emoji.__path__[0]) / "models" / "checkpoints" / "emoji"
SHEET = Path(__file__).parents[3] / "docs" / "emoji_sheet.png"
SERVICES: dict[str, Any] = {"models": ModelMemory(), "device": Device()}
TILED = SERVICES | {"progress": Progress()}


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(-10 * ((one - other) ** 2).mean().log10())


@pytest.fixture(scope="module")
def sheet() -> Image:
    """Pictures side by side, 37 latent pixels wide and 29 high."""
    with PIL.Image.open(SHEET) as opened:
        pixels = np.asarray(opened.convert("RGB").crop((0, 0, 296, 232)), np.float32)
    return Image(torch.from_numpy(pixels / 255)[None])


@pytest.mark.parametrize("node", [decode_tiled, encode_tiled])
def test_the_nodes_are_described(node: Callable[..., Any]) -> None:
    spec = read_node(node, "diffusion", {socket.of: socket.name for socket in SHARED})
    assert spec.description
    assert [item.name for item in spec.inputs if not item.description] == []


def test_a_picture_in_tiles_is_close_to_the_whole(sheet: Image) -> None:
    vae = load_model(MODEL).vae
    latent = encode_image(vae, sheet, **SERVICES)
    whole = decode(vae, latent, **SERVICES)
    coarse, fine = (decode_tiled(vae, latent, tile, 64, **TILED) for tile in (128, 192))
    assert coarse.shape == whole.shape == (1, 232, 296, 3)
    # Measured: 38.6 and 39.4 dB, and 0.029 for the latents; 30.2, 33.8 and 0.083 where each tile is
    # normalized by itself.
    assert psnr(coarse, whole) > 37.5
    assert psnr(fine, whole) > 38.5
    found = encode_tiled(vae, sheet, 192, 64, **TILED)
    error = (found.samples - latent.samples).square().mean().sqrt() / latent.samples.std()
    assert error < 0.035


def test_each_picture_of_a_batch_is_as_it_would_be_alone(loaded: LoadedModel) -> None:
    latents = [Latent(torch.randn(1, 4, 8, 20) * scale) for scale in (1, 3)]
    both = Latent(torch.cat([one.samples for one in latents]))
    alone = [decode_tiled(loaded.vae, one, 64, 32, **TILED) for one in latents]
    assert torch.equal(decode_tiled(loaded.vae, both, 64, 32, **TILED), torch.cat(alone))


def test_afterwards_whole_pictures_are_as_before(loaded: LoadedModel) -> None:
    latent = Latent(torch.randn(1, 4, 8, 20))
    before = decode(loaded.vae, latent, **SERVICES)
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > 7

    with pytest.raises(Cancelled):  # in the middle of the second pass
        decode_tiled(loaded.vae, latent, 64, 32, **SERVICES, progress=Progress(cancelled=stop))
    decode_tiled(loaded.vae, latent, 64, 32, **TILED)
    assert torch.equal(decode(loaded.vae, latent, **SERVICES), before)


def test_what_fits_into_a_tile_is_exactly_the_whole(loaded: LoadedModel) -> None:
    picture = Image(torch.rand(2, 40, 64, 4))
    latent = encode_image(loaded.vae, picture, sample=True, seed=3, **SERVICES)
    found = encode_tiled(loaded.vae, picture, 64, 32, sample=True, seed=3, **TILED)
    assert torch.equal(found.samples, latent.samples)
    assert found.downscale == 8
    assert torch.equal(
        decode_tiled(loaded.vae, latent, 64, 0, **TILED), decode(loaded.vae, latent, **SERVICES)
    )


def test_drawing_in_tiles_follows_the_seed_and_is_drawn_for_the_whole(loaded: LoadedModel) -> None:
    picture = Image(torch.rand(1, 64, 128, 3, generator=torch.Generator().manual_seed(0)))

    def deviation(encode: Any, *options: Any, **services: Any) -> torch.Tensor:
        drawn, mean = (
            encode(loaded.vae, picture, *options, sample=yes, seed=5, **services).samples
            for yes in (True, False)
        )
        return torch.as_tensor(drawn - mean)

    tiled, whole = deviation(encode_tiled, 64, 32, **TILED), deviation(encode_image, **SERVICES)
    assert torch.equal(tiled > 0, whole > 0)


def test_tiles_are_reported_and_cancelling_stops_between_two(loaded: LoadedModel) -> None:
    reports: list[tuple[int, int, str]] = []
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    latent = Latent(torch.zeros(1, 4, 8, 20))
    heard = SERVICES | {"progress": Progress(lambda *told: reports.append(told[:3]))}
    decode_tiled(loaded.vae, latent, 64, 32, **heard)
    assert reports == [(n, 8, f"tile {n} of 8") for n in range(9)]
    reports.clear()
    stopped = Progress(lambda *told: reports.append(told[:3]), stop)
    with pytest.raises(Cancelled):
        decode_tiled(loaded.vae, latent, 64, 32, **SERVICES | {"progress": stopped})
    assert [step for step, *_ in reports] == [0, 1]


@pytest.mark.parametrize("make", [save_wan, save_flux_2])
def test_models_of_other_kinds_decode_in_tiles_too(
    make: Callable[[Path], Any], tmp_path: Path
) -> None:
    make(tmp_path / "model")
    model = load_model(tmp_path / "model")
    latent = empty_latent(model.model, 160, 96)
    noise = torch.randn(latent.samples.shape, generator=torch.Generator().manual_seed(0))
    latent = replace(latent, samples=noise)
    whole = decode(model.vae, latent, **SERVICES)
    assert torch.equal(decode_tiled(model.vae, latent, **TILED), whole)
    tiled = decode_tiled(model.vae, latent, 64, 32, **TILED)
    assert tiled.shape == (1, 96, 160, 3)
    # What a network with random weights makes of noise is all edges.
    assert 0 < (tiled - whole).abs().mean() < 0.1


def test_bad_input_is_a_sentence(loaded: LoadedModel) -> None:
    with pytest.raises(InputError, match=r"overlap of 40 pixels .* tiles of 64 pixels"):
        decode_tiled(loaded.vae, Latent(torch.zeros(1, 4, 8, 8)), 64, 40, **TILED)
    with pytest.raises(InputError, match="latent has channels 16, and the autoencoder takes 4"):
        decode_tiled(loaded.vae, Latent(torch.zeros(1, 16, 8, 8)), **TILED)
    with pytest.raises(InputError, match="the height 20 is not a multiple of 8"):
        encode_tiled(loaded.vae, Image(torch.zeros(1, 20, 16, 3)), **TILED)
