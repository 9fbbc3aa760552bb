"""Nodes go on in smaller parts when memory runs out, and say so in the run's log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from nodeflow_nodes.diffusion.latents import encode_image
from nodeflow_nodes.diffusion.load import LoadedModel
from torch import Tensor
from transformers import CLIPTextModel

from nodeflow import Device, Image, ModelMemory
from tests.nodes.diffusion.starving import ERRORS, Machine, Told, psnr, starve

Draw = Callable[..., Told]


@pytest.fixture
def draw(cache: Path) -> Iterator[Draw]:
    """Runs the workflow with the embedded model; nothing is known from the run before."""
    machine = Machine(cache.parent)
    yield machine.draw
    machine.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, known_specs: Path) -> Iterator[Tensor]:
    """The picture when there is memory enough."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "cache").mkdir()
    (folder / "cache" / "specs").symlink_to(known_specs)
    machine = Machine(folder)
    told = machine.draw()
    assert told.log == []
    assert told.picture is not None
    yield told.picture
    machine.close()


@pytest.mark.parametrize("kind", ERRORS)
def test_pictures_too_large_to_decode_are_decoded_in_tiles(
    kind: str, whole: Tensor, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    starve(monkeypatch, AutoencoderKL, "_decode", lambda z: z[0, 0].numel() <= 100, ERRORS[kind])
    found = draw()
    assert [line for line in found.log if "tiles" in line] == [
        "Out of memory: going on with tiles of 128 pixels, which change the picture a little.",
        "Out of memory: going on with tiles of 64 pixels, which change the picture a little.",
    ]
    # As close as `decode_tiled` comes with tiles so small.
    assert found.picture is not None
    assert psnr(found.picture, whole) > 25


def test_pictures_are_decoded_whole_once_unused_models_have_left(
    whole: Tensor, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([False])
    starve(monkeypatch, AutoencoderKL, "_decode", lambda z: next(failures, True), MemoryError)
    found = draw()
    (line,) = found.log
    assert "Out of memory: let go of models that are not in use, " in line
    assert torch.equal(found.picture, whole)


def test_without_memory_for_any_tile_the_node_says_what_was_tried_and_the_next_run_goes_well(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as starved:
        starve(starved, AutoencoderKL, "_decode", lambda z: False, MemoryError)
        found = draw()
    assert found.failure.startswith("decode: out of memory, with whole pictures, tiles of 128 pix")
    assert "make the picture smaller, or fewer at a time, or close what else" in found.failure
    assert draw(same_engine=True).picture is not None


def test_pictures_too_large_to_encode_are_encoded_in_tiles(
    loaded: LoadedModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    services = {"models": ModelMemory(), "device": Device()}
    picture = Image(torch.rand(2, 128, 192, 3))
    whole = encode_image(loaded.vae, picture, **services)
    starve(monkeypatch, AutoencoderKL, "_encode", lambda x: len(x) == 1, MemoryError)
    monkeypatch.setattr(AutoencoderKL, "enable_slicing", lambda network: None)
    services["models"].clear()
    alone = encode_image(loaded.vae, picture, **services)
    assert "going on with one picture at a time" in capsys.readouterr().out
    assert torch.allclose(alone.samples, whole.samples, atol=1e-5)
    starve(monkeypatch, AutoencoderKL, "_encode", lambda x: x.shape[-1] <= 64, MemoryError)
    tiled = encode_image(loaded.vae, picture, **services)
    assert "going on with tiles of 64 pixels" in capsys.readouterr().out
    assert tiled.samples.shape == whole.samples.shape


def test_a_walk_goes_on_prompt_by_prompt_then_picture_by_picture(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = draw(batch=3)
    sizes: list[int] = []

    def fits(x: Tensor) -> bool:
        sizes.append(len(x))
        return len(x) <= 1

    starve(monkeypatch, UNet2DConditionModel, "forward", fits, ERRORS["GPU"])
    found = draw(batch=3)
    assert [line for line in found.log if "in a call" in line] == [
        f"Out of memory: going on with {few} in a call of the network instead of {many}, counting "
        "each picture once for each of its prompts."
        for many, few in ((6, 3), (3, 2), (2, 1))
    ]
    # It does not try in vain at the second step.
    assert sizes[sizes.index(1) :] == [1] * 12
    assert found.picture is not None
    assert torch.allclose(found.picture, whole.picture, atol=1e-3)


def test_a_walk_without_memory_for_one_picture_says_what_to_do_and_the_next_run_goes_well(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as starved:
        starve(starved, UNet2DConditionModel, "forward", lambda x: False, ERRORS["CPU"])
        found = draw()
    assert found.failure.startswith("sample: out of memory, even with one picture and one prompt")
    assert (
        "make the picture smaller, or fewer at a time, use the model in a smaller" in found.failure
    )
    assert draw(same_engine=True).picture is not None


def test_a_preview_too_large_for_the_memory_is_left_out(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = draw(watched=True)
    assert any(event.event == "node_preview" for event in whole.events)
    asked: list[Tensor] = []
    decode = AutoencoderKL._decode

    def hungry(self: Any, z: Tensor, *args: Any, **kwargs: Any) -> Any:
        asked.append(z)
        if len(asked) == 1:
            raise MemoryError
        return decode(self, z, *args, **kwargs)

    monkeypatch.setattr(AutoencoderKL, "_decode", hungry)
    found = draw(watched=True)
    assert found.picture is not None
    assert torch.equal(found.picture, whole.picture)


def test_a_text_encoder_gets_the_room_of_models_that_nobody_uses(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, failures = draw(prompt="a green apple"), iter([False])
    draw(prompt="a dog")
    starve(monkeypatch, CLIPTextModel, "forward", lambda ids: next(failures, True), MemoryError)
    found = draw(same_engine=True, prompt="a green apple")
    assert "let go of models that are not in use" in found.log[0]
    assert torch.equal(found.picture, whole.picture)
