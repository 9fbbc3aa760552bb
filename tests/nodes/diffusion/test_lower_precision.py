"""Where memory is too small, models go on in a lower precision, if that is allowed."""

from __future__ import annotations

import importlib.util
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from nodeflow_nodes.diffusion.families.stable_diffusion import StableDiffusion
from nodeflow_nodes.diffusion.families.streaming import letting_go
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.lower_precision import precisions
from torch import Tensor
from transformers import CLIPTextModel

from nodeflow import Device, ModelMemory, Precision
from nodeflow.engine import Engine
from nodeflow.settings import Settings
from tests.nodes.diffusion.starving import Machine, psnr, starve

GOES_ON = "Out of memory: going on with the {} in bf16."


@pytest.fixture
def machine(cache: Path) -> Iterator[Machine]:
    found = Machine(cache.parent, lower_precision=True)
    yield found
    found.close()


def starve_in_fp32(monkeypatch: pytest.MonkeyPatch, kind: type) -> list[Any]:
    """Let networks of a kind have room in less than fp32 only; gives those that had none."""
    plain = kind.forward
    without: list[Any] = []

    def hungry(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.dtype is torch.float32:
            without.append(weakref.ref(self))
            raise MemoryError
        assert all(network() is None for network in without), "both are in memory"
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(kind, "forward", hungry)
    return without


@pytest.mark.parametrize(
    ("kind", "what"), [(UNet2DConditionModel, "network"), (CLIPTextModel, "text encoder")]
)
def test_what_finds_no_room_to_compute_in_is_read_anew_in_its_place(
    kind: type, what: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = machine.draw()
    with monkeypatch.context() as starved:
        without = starve_in_fp32(starved, kind)
        found = machine.draw()
    assert without
    assert GOES_ON.format(what) in found.log
    assert found.picture is not None
    assert whole.picture is not None
    assert not torch.equal(found.picture, whole.picture)
    assert psnr(found.picture, whole.picture) > 25


def test_before_the_precision_falls_the_network_streams_for_this_run(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = machine.draw()
    plain = UNet2DConditionModel.forward

    def hungry(self: Any, *args: Any, **kwargs: Any) -> Any:
        if letting_go(self) is None:
            raise MemoryError
        return plain(self, *args, **kwargs)

    with monkeypatch.context() as starved:
        starved.setattr(UNet2DConditionModel, "forward", hungry)
        found = machine.draw()
    line = "going on with the network in fp32, whose weights are streamed block by block."
    assert f"Out of memory: {line}" in found.log
    assert not any("bf16" in said for said in found.log)
    # Calls were cut into halves before, which is the same to rounding.
    assert torch.allclose(found.picture, whole.picture, atol=1e-4)
    assert machine.draw(same_engine=True, seed=2).log == []


@pytest.mark.parametrize(("budget", "loads"), [(1 << 40, 2), (100_000, 1)])
def test_a_network_that_streams_already_is_not_loaded_again_to_stream(
    budget: int, loads: int, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, loaded = Machine(cache.parent, model_memory=budget), list[Any]()
    plain = StableDiffusion.load_denoiser

    def load(self: Any, recipe: Any, device: Device) -> Any:
        loaded.append(recipe)
        return plain(self, recipe, device)

    monkeypatch.setattr(StableDiffusion, "load_denoiser", load)
    starve(monkeypatch, UNet2DConditionModel, "forward", lambda first: False, MemoryError)
    found = machine.draw()
    machine.close()
    assert found.failure.startswith("sample: out of memory")
    assert len(loaded) == loads
    assert any("Out of memory: going on with the network" in line for line in found.log) == (
        loads == 2
    )


def test_the_next_run_computes_in_the_precision_that_was_asked_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as starved:
        starve_in_fp32(starved, UNet2DConditionModel)
        machine.draw(seed=1)
    again = machine.draw(same_engine=True, seed=2)
    assert again.log == []
    assert torch.equal(again.picture, machine.draw(seed=2).picture)


def test_a_network_that_finds_no_room_to_be_loaded_in_is_loaded_in_less(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = StableDiffusion.load_denoiser

    def load(self: Any, recipe: Any, device: Device) -> Any:
        if device.precision is Precision.FP32:
            raise MemoryError
        return plain(self, recipe, device)

    monkeypatch.setattr(StableDiffusion, "load_denoiser", load)
    found = machine.draw()
    assert GOES_ON.format("network") in found.log
    assert found.picture is not None


def test_nobody_who_did_not_allow_it_gets_less(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(cache.parent)
    starve_in_fp32(monkeypatch, UNet2DConditionModel)
    found = machine.draw()
    machine.close()
    assert "out of memory" in found.failure
    assert not any("bf16" in line for line in found.log)


def test_without_room_in_any_precision_the_node_says_what_to_do(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(first: Tensor) -> bool:
        return False

    starve(monkeypatch, UNet2DConditionModel, "forward", never, MemoryError)
    found = machine.draw()
    assert GOES_ON.format("network") in found.log
    assert found.failure.startswith("sample: out of memory, even with one picture and one prompt")


def test_after_bf16_comes_int8_where_its_library_is_installed(
    loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def names(recipe: Any, **device: Any) -> list[str]:
        where = Device(**{"may_lower": True, **device})
        return [way.name for way in precisions(recipe, ModelMemory(), where, lambda *given: given)]

    find = importlib.util.find_spec

    def installed(name: str, *package: Any) -> Any:
        return find("json" if name == "torchao" else name, *package)

    def missing(name: str, *package: Any) -> Any:
        return None if name == "torchao" else find(name, *package)

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    streamed = ", whose weights are streamed block by block"
    fp32, bf16 = "the network in fp32", "the network in bf16"
    assert names(loaded.model) == [fp32, fp32 + streamed, bf16, bf16 + streamed]
    monkeypatch.setattr(importlib.util, "find_spec", installed)
    assert names(loaded.model, precision=Precision.BF16) == [
        bf16,
        bf16 + streamed,
        "the network in int8",
    ]
    assert [name for name in names(loaded.vae) if not name.endswith(streamed)] == [
        "the autoencoder in fp32",
        "the autoencoder in bf16",
    ]
    assert names(loaded.model, may_lower=False) == [fp32, fp32 + streamed]


def test_results_that_may_be_of_lower_precision_are_known_apart(tmp_path: Path) -> None:
    def token(allowed: bool) -> str:
        settings = Settings(cache=tmp_path, data=tmp_path, lower_precision=allowed)
        with Engine(settings, device="cpu", precision="fp32") as engine:
            return engine.device.token()

    assert token(True) == token(False).replace("|fp32|", "|fp32+lower|")
