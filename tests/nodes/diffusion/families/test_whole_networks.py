"""Networks of Stable Diffusion that lack tensors: said before the run, and only those."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import hooks
from nodeflow_nodes.diffusion.families.shapes import unet_config
from nodeflow_nodes.diffusion.families.unet_tensors import input_names, layers_of, unet_tensors
from torch import Tensor

from nodeflow import InputError
from tests.nodes.diffusion.full_size_models import FULL, full_size, full_unet, write_header
from tests.nodes.diffusion.original_layout import original_unet, prefixed
from tests.nodes.diffusion.tiny_models import make_unet

PREFIX = "model.diffusion_model."


def shapes(state: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.mark.parametrize("kind", FULL)
@pytest.mark.parametrize("size", ["full", "tiny"])
def test_the_tensors_are_those_of_the_network_that_diffusers_builds(kind: str, size: str) -> None:
    with torch.device("meta"):
        network: Any = full_unet(kind) if size == "full" else make_unet(kind)
    state = network.state_dict()
    original = original_unet(state, 2 if size == "full" else 1)
    config = unet_config(state, {"heads": 8})
    assert unet_tensors(config, original=False) == shapes(state)
    told = unet_config(input_names(original, layers_of(original)), {"heads": 8})
    assert told == config
    assert unet_tensors(told, original=True) == shapes(original)


@pytest.mark.parametrize("kind", FULL)
def test_whole_files_are_good_with_whatever_stands_beside(tmp_path: Path, kind: str) -> None:
    state = full_size(kind)
    copies = {f"model_ema.{n.replace('.', '')}": t for n, t in state.items() if PREFIX in n}
    marks = {
        f"{name.removesuffix('.weight')}.scale_weight": torch.zeros(1)
        for name in state
        if name.startswith(PREFIX) and name.endswith(".weight")
    }
    for more in ({}, copies, marks | {"scaled_fp8": torch.zeros(2), "v_pred": torch.zeros(0)}):
        file = write_header({**state, **more}, tmp_path / "whole.safetensors")
        assert hooks.model_facts(file)["model"]["has_vae"] is True
    alone = {n: t for n, t in state.items() if n.startswith(PREFIX)}
    hooks.denoiser_facts(write_header(alone, tmp_path / "alone.safetensors"))


def test_networks_that_fill_holes_and_those_under_diffusers_names_are_good(tmp_path: Path) -> None:
    with torch.device("meta"):
        network: Any = make_unet("1", in_channels=9)
        plain = full_unet("xl").state_dict()
    holes = prefixed(PREFIX, original_unet(network.state_dict(), 1))
    file = write_header(holes, tmp_path / "inpainting.safetensors")
    assert hooks.denoiser_facts(file)["model"]["fills_holes"] is True
    hooks.denoiser_facts(write_header(plain, tmp_path / "diffusers.safetensors"))


LACKING = [
    "time_embed.2.bias",
    "input_blocks.1.0.in_layers.2.weight",
    "input_blocks.3.0.op.weight",
    "middle_block.1.proj_in.weight",
    "output_blocks.5.0.skip_connection.weight",
    "out.0.weight",
]


@pytest.mark.parametrize("kind", ["1", "xl"])
@pytest.mark.parametrize("name", LACKING)
def test_a_missing_tensor_is_named_as_the_file_would_have_it(
    tmp_path: Path, kind: str, name: str
) -> None:
    state = full_size(kind)
    del state[PREFIX + name]
    file = write_header(state, tmp_path / "torn.safetensors")
    sentence = (
        rf"network in .*torn\.safetensors lacks 1 of the \d+ tensors .*: '{PREFIX}{name}'; fetch"
    )
    with pytest.raises(InputError, match=sentence):
        hooks.model_facts(file)
    # Its other parts are as good as ever.
    assert hooks.vae_facts(file)["vae"]["channels"] == 4


def test_many_missing_tensors_are_counted(tmp_path: Path) -> None:
    state = {n: t for n, t in full_size("1").items() if ".output_blocks.7." not in n}
    file = write_header(state, tmp_path / "torn.safetensors")
    with pytest.raises(InputError, match=r"lacks \d\d of the 686 tensors .*: such as 'model\.diff"):
        hooks.denoiser_facts(file)


@pytest.mark.parametrize("layout", ["original", "diffusers"])
def test_a_network_cut_down_from_a_known_one_is_called_that(tmp_path: Path, layout: str) -> None:
    state = full_size("xl")
    if layout == "diffusers":
        with torch.device("meta"):
            state = full_unet("xl").state_dict()
    middle = (f"{PREFIX}middle_block.1.", "mid_block.attentions.")
    small = {n: t for n, t in state.items() if not n.startswith(middle)}
    file = write_header(small, tmp_path / "small.safetensors")
    with pytest.raises(InputError, match=r"as SSD-1B .* which cannot be loaded; choose") as caught:
        hooks.denoiser_facts(file)
    assert "fetch the file again" not in str(caught.value)


def test_a_tensor_of_a_wrong_shape_is_named_with_both(tmp_path: Path) -> None:
    state: dict[str, Tensor] = full_size("1")
    name = f"{PREFIX}output_blocks.3.0.in_layers.2.weight"
    state[name] = torch.empty(640, 64, 3, 3, device="meta")
    file = write_header(state, tmp_path / "bent.safetensors")
    with pytest.raises(
        InputError, match=r"'model.*output_blocks\.3\.0.*\[640, 64, 3, 3\].* wants \[1280, 2560, 3"
    ):
        hooks.denoiser_facts(file)


def test_it_is_told_without_torch() -> None:
    code = (
        "import sys, nodeflow_nodes.diffusion.inspection as i; "
        "sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0
