"""What is read off the blocks of diffusers' Modular Pipelines, for all kinds that it has."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diffusers
import pytest
import torch
from diffusers.modular_pipelines.modular_pipeline import MODULAR_PIPELINE_MAPPING
from nodeflow_nodes.diffusion.families.modular_layout import Packing, Walk
from nodeflow_nodes.diffusion.families.modular_stage import Stage
from nodeflow_nodes.diffusion.families.modular_steps import steps_aside

OURS = {
    "anima",
    "ernie-image",
    "flux2",
    "flux2-klein",
    "flux3",
    "hunyuan-video-1.5",
    "krea2",
    "ltx",
    "qwenimage",
    "stable-diffusion-3",
    "wan",
    "z-image",
}
THEIRS = {"cosmos3-omni", "flux3-distilled", "helios", "ideogram4", "ltx2", "minimax-h3"}


def walk_of(kind: str, **given: Any) -> Walk:
    name = MODULAR_PIPELINE_MAPPING[kind](None)
    blocks: Any = getattr(diffusers, getattr(diffusers, name).default_blocks_name)()
    flat = blocks.get_execution_blocks(prompt=True, **given).sub_blocks
    return Walk.of(Stage(None, flat, Path(kind)))


@pytest.mark.parametrize("kind", sorted(OURS))
def test_samplers_take_the_place_of_a_step_that_stands_alone(kind: str) -> None:
    assert steps_aside(walk_of(kind))


@pytest.mark.parametrize("kind", sorted(THEIRS))
def test_a_loop_that_does_more_keeps_its_step(kind: str) -> None:
    assert not steps_aside(walk_of(kind))


@pytest.mark.parametrize("told", [True, False])
def test_a_loop_that_may_tell_the_next_time_keeps_its_step_if_its_network_wants_it(
    told: bool,
) -> None:
    network = SimpleNamespace(config=SimpleNamespace(use_meanflow=told))
    assert steps_aside(walk_of("hunyuan-video-1.5", image_latents=True), [network]) is not told


def test_what_is_packed_is_unpacked() -> None:
    places = torch.randperm(24, generator=torch.Generator().manual_seed(1))
    laid = Packing.by((6, 4), (2, 3, 4), places)
    x = torch.randn(5, 2, 3, 4)
    assert laid.pack(x).shape == (5, 6, 4)
    assert torch.equal(laid.unpack(laid.pack(x)), x)
    assert torch.equal(laid.pack(x)[0].flatten()[places], x[0].flatten())


def test_what_keeps_its_order_is_not_laid_out_anew() -> None:
    laid = Packing.by((2, 3), (2, 3), torch.arange(6))
    assert laid.places is None
    assert torch.equal(laid.pack(torch.ones(1, 2, 3)), torch.ones(1, 2, 3))


def test_numbers_without_a_place_of_their_own_are_refused() -> None:
    with pytest.raises(ValueError, match="no place of its own"):
        Packing.by((2,), (2,), torch.tensor([1, 1]))
