"""The exported model, as its users load it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import (
    StableDiffusionPipeline,
)
from nodeflow_nodes import emoji
from nodeflow_nodes.emoji.training.sheet import PROMPTS
from spandrel import ImageModelDescriptor, ModelLoader
from torch import Tensor

import nodeflow
from nodeflow.engine import Engine
from nodeflow.settings import Settings

PACKAGE = Path(emoji.__path__[0])
FOLDER = PACKAGE / "models" / "checkpoints" / "emoji"
UPSCALER = PACKAGE / "models" / "upscalers" / "emoji_x4.safetensors"
TEMPLATE = Path(__file__).parents[3] / "workflows" / "text_to_image.json"


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    loaded = StableDiffusionPipeline.from_pretrained(FOLDER)
    loaded.set_progress_bar_config(disable=True)  # type: ignore[no-untyped-call]  # by diffusers
    return loaded


def draw(pipeline: StableDiffusionPipeline, prompt: str, seed: int = 0) -> Tensor:
    """One picture (64, 64, 3) in [0, 1]."""
    drawn = pipeline(
        prompt,
        height=64,
        width=64,
        num_inference_steps=10,
        guidance_scale=4.0,
        generator=torch.Generator().manual_seed(seed),
        output_type="pt",
    )
    picture: Tensor = drawn.images[0].permute(1, 2, 0)
    return picture


def colour(picture: Tensor) -> Tensor:
    """Mean red, green and blue of the pixels that aren't near white."""
    painted: Tensor = picture[picture.amin(dim=2) < 0.8].mean(dim=0)
    return painted


def test_the_model_is_smaller_than_45_megabytes() -> None:
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    assert 10e6 < size < 45e6


def test_a_red_apple_is_redder_than_a_blue_heart(pipeline: StableDiffusionPipeline) -> None:
    apple, heart = (
        colour(draw(pipeline, text))
        for text in ("fluent emoji of red apple", "fluent emoji of blue heart")
    )
    assert apple[0] > apple[2] + 0.2
    assert heart[2] > heart[0] + 0.2


def test_bf16_draws_the_pictures_that_fp32_draws(tmp_path: Path) -> None:
    def drawn(precision: str) -> Tensor:
        settings = Settings(cache=tmp_path / precision, data=tmp_path / "data")
        with Engine(settings, device="cpu", precision=precision) as engine:
            pictures = [
                nodeflow.run(TEMPLATE, engine=engine, out=tmp_path, prompt=prompt)
                for prompt in PROMPTS[::4]
            ]
        return torch.cat([picture["image"] for picture in pictures])

    exact, half = drawn("fp32"), drawn("bf16")
    assert not torch.equal(exact, half)
    error = (exact - half).square().mean(dim=(1, 2, 3))
    assert (-10 * torch.log10(error)).min() >= 30


def test_a_drawing_stands_on_white(pipeline: StableDiffusionPipeline) -> None:
    picture = draw(pipeline, "fluent emoji of red apple")
    corners = torch.stack([picture[y, x] for y in (0, -1) for x in (0, -1)])
    assert corners.min() > 0.9
    assert picture.std() > 0.15


def test_a_seed_gives_the_same_drawing_again(pipeline: StableDiffusionPipeline) -> None:
    first, again, other = (draw(pipeline, "a fox", seed) for seed in (1, 1, 2))
    torch.testing.assert_close(first, again)
    assert (first - other).abs().mean() > 1e-3


@torch.no_grad()
def test_the_autoencoder_gives_a_picture_back(pipeline: StableDiffusionPipeline) -> None:
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    disc = ((y - 32) ** 2 + (x - 32) ** 2 < 400).float()
    picture = torch.stack([torch.ones(64, 64), 1 - disc, 1 - disc])[None] * 2 - 1
    latent = pipeline.vae.encode(picture).latent_dist.mode()
    assert latent.shape == (1, 16, 8, 8)
    error = (pipeline.vae.decode(latent).sample.clamp(-1, 1) - picture) / 2
    assert -10 * torch.log10(error.square().mean()) > 18


@torch.no_grad()
def test_the_upscaler_enlarges_four_times_and_keeps_the_picture() -> None:
    assert UPSCALER.stat().st_size < 3e6
    upscaler = ModelLoader().load_from_file(UPSCALER)
    assert isinstance(upscaler, ImageModelDescriptor)
    assert upscaler.scale == 4
    small = torch.full((1, 3, 64, 64), 1.0)
    small[:, 0, 16:48, 16:48] = 0.2
    large = upscaler.float()(small)
    assert large.shape == (1, 3, 256, 256)
    pooled = torch.nn.functional.avg_pool2d(large, 4)
    assert (pooled - small).abs().mean() < 0.05


def test_the_notice_names_the_sources() -> None:
    notice = (PACKAGE / "NOTICE").read_text()
    for source in ("Fluent Emoji", "Noto Emoji", "emojibase-data", "MIT", "Apache License"):
        assert source in notice
