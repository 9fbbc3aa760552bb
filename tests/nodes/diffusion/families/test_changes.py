"""What a change is told of a model's networks, and that families take what it gives."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.families.changes import Part
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.families.streaming import Resting, StreamingToGpu
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_model

from nodeflow import ModelMemory, Precision
from tests.nodes.diffusion.modular_walks import DEVICE, PROMPT, SIDE, prompts


class Asked:
    """Gives networks back, or copies of them, and keeps what it was told."""

    def __init__(self, copying: bool = False) -> None:
        self.parts: list[Part] = []
        self.copying = copying

    def __call__(self, part: Part) -> Any:
        self.parts.append(part)
        return copy.deepcopy(part.network) if self.copying else part.network


def told(model: LoadedModel) -> list[tuple[str, str, str]]:
    asked = Asked()
    family = family_of(model.model)
    family.load_denoiser(model.model, DEVICE).changed(asked)
    family.load_text_model(model.text_encoder, DEVICE).changed(asked)
    return [(part.name, part.noise, type(part.network).__name__) for part in asked.parts]


def test_each_network_of_a_pipeline_is_named(made: Any) -> None:
    assert told(load_model(made("wan_of_two")[0])) == [
        ("denoiser", "high", "WanTransformer3DModel"),
        ("denoiser", "low", "WanTransformer3DModel"),
        ("text_encoder", "", "UMT5EncoderModel"),
    ]
    assert told(load_model(made("ideogram")[0])) == [
        ("denoiser", "", "Ideogram4Transformer2DModel"),
        ("unconditional_transformer", "", "Ideogram4Transformer2DModel"),
        ("text_encoder", "", "Qwen3VLModel"),
    ]


def test_each_network_of_other_models_is_named(loaded: LoadedModel) -> None:
    assert told(loaded) == [
        ("denoiser", "", "UNet2DConditionModel"),
        ("text_encoder", "", "CLIPTextModel"),
    ]


@pytest.mark.parametrize("kind", ["z_image", "wan_of_two"])
def test_a_pipeline_takes_what_a_change_gives_and_stays_as_it_is(made: Any, kind: str) -> None:
    model = load_model(made(kind)[0])
    family = family_of(model.model)
    plain: Any = family.load_denoiser(model.model, DEVICE)
    text: Any = family.load_text_model(model.text_encoder, DEVICE)
    before = plain.stage.modules
    changed: Any = plain.changed(Asked(copying=True))
    assert plain.stage.modules == before
    assert changed.stage.modules.keys() == before.keys()
    assert not any(network is before[name] for name, network in changed.stage.modules.items())
    expected = text.encode(PROMPT)
    other = text.changed(Asked(copying=True))
    found = other.encode(PROMPT)
    assert torch.equal(found.hidden, expected.hidden)


def test_a_pipeline_whose_blocks_come_out_of_ram_computes_the_same(
    made: Any, memory: ModelMemory
) -> None:
    """As to a GPU; here both ends are the CPU."""
    model = load_model(made("z_image")[0])
    streaming = StreamingToGpu(DEVICE)
    loaded = family_of(model.model).load_denoiser(model.model, Resting("cpu", Precision.FP32))
    x = empty_latent(model.model, SIDE, SIDE).samples
    positive, _ = prompts(model, memory)
    prompt = PromptBatch(positive.hidden, states=positive.states)
    wanted = loaded.estimate(x, 0.7, prompt)
    streamed = loaded.changed(streaming)
    for _ in range(2):
        assert torch.equal(streamed.estimate(x, 0.7, prompt), wanted)
    assert 0 < streaming.held < loaded.size * 1.5
