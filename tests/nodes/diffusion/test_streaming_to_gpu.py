"""Networks and text encoders larger than what models may take on a GPU stream to it by blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.control import load_controlnet
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.hints import Hint
from nodeflow_nodes.diffusion.load import LoadedModel, load_denoiser, load_model
from nodeflow_nodes.diffusion.lora import load_lora
from nodeflow_nodes.diffusion.lower_precision import precisions
from nodeflow_nodes.diffusion.text_encoders import clip_skip, load_embedding
from safetensors.torch import save_file
from torch import Tensor

from nodeflow import Conditioning, Device, ModelMemory, Recipe
from tests.nodes.diffusion.gguf_writing import write_gguf
from tests.nodes.diffusion.lora_files import diffusers_state, make_layers, write
from tests.nodes.diffusion.modular_models import save_z_image
from tests.nodes.diffusion.pretended_gpu import NAME, PretendedGpu
from tests.nodes.diffusion.test_flow_control import make_network as make_flow_control
from tests.nodes.diffusion.tiny_flow_models import original_flux
from tests.nodes.diffusion.tiny_models import make_control, save

PROMPT = "a (red:1.3) apple"
LITTLE, PLENTY = 1000, 1 << 40


@pytest.fixture
def gpu() -> PretendedGpu:
    return PretendedGpu()


def memory(on_gpu: int) -> ModelMemory:
    return ModelMemory(PLENTY, device_budget=lambda name: on_gpu)


def encoded(encoder: Recipe, models: ModelMemory, gpu: PretendedGpu, prompt: str) -> Conditioning:
    """Of the second prompt in a row."""
    with gpu:
        model = parts.text_model(encoder, models, Device(NAME))
        model.encode("something else")
        found = model.encode(prompt)
    return found


def same(found: Conditioning, wanted: Conditioning) -> bool:
    def pair(a: Tensor | None, b: Tensor | None) -> bool:
        return a is b or (a is not None and b is not None and torch.equal(a, b))

    return pair(found.hidden, wanted.hidden) and pair(found.pooled, wanted.pooled)


def check(encoder: Recipe, gpu: PretendedGpu, prompt: str = PROMPT) -> None:
    """Streamed or not, the same comes of it; and what was there at once is what is accounted."""
    plenty, little = memory(PLENTY), memory(LITTLE)
    whole = PretendedGpu()
    wanted = encoded(encoder, plenty, whole, prompt)
    found = encoded(encoder, little, gpu, prompt)
    assert same(found, wanted)
    inputs = 64 << 10
    assert gpu.most <= little.used + inputs
    assert little.used < whole.now
    del found
    assert gpu.now < inputs, "weights stayed on the GPU"


@pytest.mark.parametrize("kind", ["1", "xl", "flux", "sd3"])
def test_a_text_encoder_that_streams_to_a_gpu_gives_the_same(
    opened: dict[str, LoadedModel],
    flow_opened: dict[str, LoadedModel],
    gpu: PretendedGpu,
    kind: str,
) -> None:
    check((opened | flow_opened)[kind].text_encoder, gpu)


def test_so_does_one_of_a_pipeline_of_diffusers(gpu: PretendedGpu, tmp_path: Path) -> None:
    save_z_image(tmp_path / "model")
    check(load_model(tmp_path / "model").text_encoder, gpu, "a red apple")


@pytest.mark.parametrize("kind", ["1", "xl"])
def test_loras_learned_words_and_clip_skip_lie_over_one_that_streams(
    pipes: dict[str, Any],
    opened: dict[str, LoadedModel],
    gpu: PretendedGpu,
    tmp_path: Path,
    kind: str,
) -> None:
    model = opened[kind]
    state, metadata = diffusers_state(make_layers(pipes[kind]))
    lora = write(state, tmp_path / "lora.safetensors", metadata)
    plain = model.text_encoder
    _, changed = load_lora(model.model, plain, lora, 1.0, 1.0)
    widths = {"1": {"emb_params": 0}, "xl": {"clip_l": 0, "clip_g": 1}}[kind]
    encoders = [pipes[kind].text_encoder, getattr(pipes[kind], "text_encoder_2", None)]
    word = tmp_path / "word.safetensors"
    save_file(
        {
            name: torch.randn(2, encoders[number].config.hidden_size)
            for name, number in widths.items()
        },
        word,
    )
    changed = clip_skip(load_embedding(changed, word, "fruit"), 1)
    prompt = "a (red:1.3) embedding:fruit"
    check(changed, gpu, prompt)
    # None of them may get lost, whichever way the weights lie.
    models = memory(LITTLE)
    with_lora = encoded(load_lora(model.model, plain, lora, 1.0, 1.0)[1], models, gpu, PROMPT)
    skipping = encoded(clip_skip(plain, 1), models, gpu, PROMPT)
    usual = encoded(plain, models, gpu, PROMPT)
    assert not same(with_lora, usual)
    assert not same(skipping, usual)


def test_t5_too_knows_learned_words_while_it_streams(
    flow_pipes: dict[str, Any],
    flow_opened: dict[str, LoadedModel],
    gpu: PretendedGpu,
    tmp_path: Path,
) -> None:
    pipe, word = flow_pipes["sd3"], tmp_path / "word.safetensors"
    vectors = {
        "clip_l": torch.randn(2, pipe.text_encoder.config.hidden_size),
        "clip_g": torch.randn(2, pipe.text_encoder_2.config.hidden_size),
        "t5xxl": torch.randn(2, pipe.text_encoder_3.config.d_model),
    }
    save_file(vectors, word)
    encoder = load_embedding(flow_opened["sd3"].text_encoder, word, "fruit")
    check(encoder, gpu, "a embedding:fruit")


def test_the_log_says_that_it_streams_and_why(
    flow_opened: dict[str, LoadedModel], gpu: PretendedGpu, capsys: pytest.CaptureFixture[str]
) -> None:
    encoded(flow_opened["flux"].text_encoder, memory(LITTLE), gpu, PROMPT)
    out = capsys.readouterr().out
    assert "The text encoder of flux.safetensors takes " in out
    assert "(NODEFLOW_DEVICE_MODEL_MEMORY): its blocks are streamed from RAM" in out


def test_where_memory_runs_out_a_text_encoder_streams_before_its_precision_falls(
    opened: dict[str, LoadedModel],
) -> None:
    place = Device(NAME, may_lower=True)
    ways = precisions(
        opened["1"].text_encoder, memory(PLENTY), place, lambda *given: given[2].streamed
    )
    whole, streamed = next(ways), next(ways)
    assert whole.name == "the text encoder in fp32"
    assert streamed.name == "the text encoder in fp32, whose weights are streamed block by block"
    assert streamed.work()


@pytest.mark.parametrize("stored", ["whole", "gguf"])
def test_a_network_streams_and_so_does_one_whose_weights_are_a_gguf_file(
    flow_pipes: dict[str, Any],
    flow_opened: dict[str, LoadedModel],
    gpu: PretendedGpu,
    tmp_path: Path,
    stored: str,
) -> None:
    model = flow_opened["flux"].model
    if stored == "gguf":
        state = original_flux(flow_pipes["flux"].transformer.state_dict())
        model = load_denoiser(write_gguf(state, tmp_path / "model.gguf"))

    def estimated(models: ModelMemory, on: PretendedGpu) -> Tensor:
        with on:
            network = parts.denoiser(model, models, Device(NAME))
            draw = torch.Generator().manual_seed(0)
            x = torch.randn(1, network.channels, 8, 8, generator=draw).to(NAME)
            numbers = {
                name: torch.full((1,), value).to(NAME)
                for name, value in network.defaults(False).items()
            }
            hidden = torch.randn(1, 8, network.text_width, generator=draw)
            prompt = PromptBatch(hidden.to(NAME), torch.ones(1, 64).to(NAME), numbers)
            network.estimate(x, 0.9, prompt)
            return network.estimate(x, 0.7, prompt)

    little, whole = memory(LITTLE), PretendedGpu()
    wanted = estimated(memory(PLENTY), whole)
    assert torch.equal(estimated(little, gpu), wanted)
    inputs = 64 << 10
    assert gpu.most <= little.used + inputs
    assert little.used < whole.most
    assert gpu.now < inputs


def test_so_does_a_control_network(
    pipes: dict[str, Any], gpu: PretendedGpu, tmp_path: Path
) -> None:
    file = save(make_control(pipes["1"].unet).state_dict(), tmp_path / "control.safetensors")
    net = load_controlnet(file)

    def estimated(models: ModelMemory, on: PretendedGpu) -> list[Tensor]:
        draw = torch.Generator().manual_seed(0)
        latent, picture = torch.randn(1, 4, 8, 8, generator=draw), torch.ones(1, 3, 64, 64)
        with on:
            control: Any = parts.control_network(net, models, Device(NAME))
            width = control.network.config.cross_attention_dim
            hidden = torch.randn(1, 8, width, generator=draw).to(NAME)
            given = (latent.to(NAME), torch.tensor(3).to(NAME), hidden, picture.to(NAME))
            with torch.no_grad():
                for _ in range(2):
                    levels, middle = control.network(*given, return_dict=False)
            return [*levels, middle]

    little, whole = memory(LITTLE), PretendedGpu()
    wanted = estimated(memory(PLENTY), whole)
    found = estimated(little, gpu)
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))
    inputs = 256 << 10
    assert gpu.most <= little.used + inputs
    assert little.used + inputs < whole.most
    assert gpu.now < inputs


def test_a_control_network_of_3_5_asks_a_network_that_streams_where_patches_are(
    flow_pipes: dict[str, Any], gpu: PretendedGpu, tmp_path: Path
) -> None:
    state = flow_pipes["sd3"].transformer.state_dict()
    model = load_denoiser(save(state, tmp_path / "model.safetensors"))
    file = save(make_flow_control("sd3.5").state_dict(), tmp_path / "control.safetensors")
    net = load_controlnet(file)

    def estimated(models: ModelMemory, name: str) -> Tensor:
        network = parts.denoiser(model, models, Device(name))
        draw = torch.Generator().manual_seed(0)
        x, seen = torch.randn(2, 1, 16, 8, 8, generator=draw).unbind()
        hint = Hint(parts.control_network(net, models, Device(name)), seen.to(name), 1.0)
        hidden = torch.randn(1, 9, network.text_width, generator=draw)
        pooled = torch.randn(1, 192, generator=draw)
        prompt = PromptBatch(hidden.to(name), pooled.to(name), {}, hints=(hint,))
        return network.estimate(x.to(name), 0.9, prompt)

    wanted = estimated(memory(PLENTY), "cpu")
    with gpu:
        found = estimated(memory(LITTLE), NAME)
    # Last digits go by where in memory weights lie.
    torch.testing.assert_close(found.to("cpu"), wanted, rtol=0, atol=1e-5)
