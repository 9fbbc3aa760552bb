from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families.clip_text import ClipText
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.pretrained import load_part, weight_bytes, without_bars
from nodeflow_nodes.diffusion.load import LoadedModel
from safetensors.torch import load_file, save_file
from transformers.utils import logging as transformers_logging

from nodeflow import Cancelled, Device, InputError, ModelMemory, Precision
from nodeflow.progress import working


def rewrite(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("precision", "dtype", "layout"),
    [
        (Precision.FP32, torch.float32, torch.contiguous_format),
        (Precision.BF16, torch.bfloat16, torch.channels_last),
    ],
)
def test_a_part_is_ready_for_use(
    folder: Path, precision: Precision, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    device = Device(precision=precision)
    unet = load_part(UNet2DConditionModel.from_pretrained, folder / "unet", device, None)
    weights = unet.conv_in.weight
    assert weights.dtype == dtype
    assert weights.is_contiguous(memory_format=layout)
    assert not weights.requires_grad
    assert not unet.training
    assert weight_bytes(unet) == sum(p.numel() for p in unet.parameters()) * dtype.itemsize


def test_weights_that_lack_a_tensor_are_refused(broken: Path) -> None:
    rewrite(
        broken / "unet" / "diffusion_pytorch_model.safetensors", lambda w: w.pop("conv_in.bias")
    )
    with pytest.raises(InputError, match=r"unet lack 1 tensors .* such as 'conv_in\.bias'"):
        load_part(UNet2DConditionModel.from_pretrained, broken / "unet", Device(), None)


def test_weights_of_another_shape_are_refused(broken: Path) -> None:
    rewrite(
        broken / "unet" / "diffusion_pytorch_model.safetensors",
        lambda w: w.update({"conv_in.bias": torch.zeros(3)}),
    )
    with pytest.raises(InputError, match="unet cannot be loaded"):
        load_part(UNet2DConditionModel.from_pretrained, broken / "unet", Device(), None)


def test_text_encoders_with_the_names_of_older_files_load(folder: Path, broken: Path) -> None:
    def older(tensors: dict[str, torch.Tensor]) -> None:
        for name in list(tensors):
            tensors[f"text_model.{name}"] = tensors.pop(name)

    rewrite(broken / "text_encoder" / "model.safetensors", older)
    found = ClipText.load(broken, Device(), None).encode("a red apple").hidden
    assert torch.equal(found, ClipText.load(folder, Device(), None).encode("a red apple").hidden)


def test_bars_are_off_for_a_while_only() -> None:
    libraries = (diffusers_logging, transformers_logging)
    before = [library.is_progress_bar_enabled() for library in libraries]
    with without_bars():
        assert not any(library.is_progress_bar_enabled() for library in libraries)
    assert [library.is_progress_bar_enabled() for library in libraries] == before


@pytest.mark.parametrize("part", ["denoiser", "text_model", "autoencoder"])
def test_a_cancelled_run_stops_between_the_layers_of_a_network(
    loaded: LoadedModel, models: ModelMemory, device: Device, part: str
) -> None:
    """Not at the end of its step: what a layer costs is the most that is computed in vain."""
    network: Any = getattr(parts, part)(
        {"denoiser": loaded.model, "text_model": loaded.text_encoder, "autoencoder": loaded.vae}[
            part
        ],
        models,
        device,
    )
    ask: dict[str, Callable[[], object]] = {
        "denoiser": lambda: network.estimate(
            torch.zeros(1, 4, 8, 8), 1.0, PromptBatch(torch.zeros(1, 16, 16))
        ),
        "text_model": lambda: network.encode("red"),
        "autoencoder": lambda: network.decode(torch.zeros(1, 4, 8, 8)),
    }
    asked: list[int] = []

    def whole() -> bool:
        asked.append(1)
        return False

    with working(whole):
        ask[part]()
    layers = len(asked)
    assert layers >= 2
    asked.clear()

    def at_the_second() -> bool:
        asked.append(1)
        return len(asked) == 2

    with working(at_the_second), pytest.raises(Cancelled):
        ask[part]()
    assert len(asked) == 2
    with working(whole):
        ask[part]()  # and the network is as good as before
    assert len(asked) == 2 + layers
