"""Previews of models that run by diffusers' own pipelines, by their own autoencoders."""

from __future__ import annotations

from typing import Any

import PIL.Image
import pytest
import torch
from nodeflow_nodes.diffusion.latents import decode, empty_latent
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.preview import preview
from nodeflow_nodes.diffusion.sampling import sample
from torchvision.transforms.functional import pil_to_tensor

from nodeflow import ModelMemory, Progress
from tests.nodes.diffusion.modular_walks import DEVICE, SIDE, prompts


@pytest.mark.parametrize("kind", ["z_image", "wan", "qwen_image", "flux_2"])
def test_the_last_preview_is_the_picture(made: Any, memory: ModelMemory, kind: str) -> None:
    model = load_model(made(kind)[0])
    frames = 5 if kind == "wan" else 1
    shown: list[PIL.Image.Image] = []

    def report(step: int, total: int, text: str, picture: Any) -> None:
        if picture is not None:
            shown.append(picture())

    ended = sample(
        model.model,
        *prompts(model, memory),
        empty_latent(model.model, SIDE, SIDE, frames=frames),
        steps=2,
        guidance=1.0,
        progress=Progress(report),
        models=memory,
        device=DEVICE,
    )
    assert len(shown) == 2
    picture = decode(model.vae, ended, models=memory, device=DEVICE)
    last = pil_to_tensor(shown[-1]).movedim(0, -1) / 255
    assert (last - picture[0]).abs().max() <= 1 / 255
    assert (pil_to_tensor(shown[0]) != pil_to_tensor(shown[1])).any()


def test_a_large_one_is_coloured_by_what_its_autoencoder_makes(
    made: Any, memory: ModelMemory
) -> None:
    model = load_model(made("z_image")[0])
    small = preview(torch.randn(1, 16, 24, 32), model.model, memory, DEVICE)
    assert small.size == (256, 192)
