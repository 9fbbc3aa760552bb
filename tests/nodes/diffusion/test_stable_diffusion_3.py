"""Stable Diffusion 3, shrunk: the same latents as diffusers' pipeline, from folders and files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    StableDiffusion3Img2ImgPipeline,
    StableDiffusion3Pipeline,
    UniPCMultistepScheduler,
)
from nodeflow_nodes.diffusion import hooks, parts
from nodeflow_nodes.diffusion.families.family import Weakening
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.latents import decode
from nodeflow_nodes.diffusion.load import load_model, load_text_encoder
from nodeflow_nodes.diffusion.samplers.methods import METHODS, MethodName
from nodeflow_nodes.diffusion.text import encode_text
from nodeflow_nodes.diffusion.voices import prompt_batch

from nodeflow import Conditioning, Device, InputError, Latent, ModelMemory
from tests.nodes.diffusion.samplers.conftest import AskedAt, forgiving_numpy
from tests.nodes.diffusion.tiny_flow_models import make_sd3, sd3_state
from tests.nodes.diffusion.tiny_models import save

PROMPT, NEGATIVE = "a red apple on a table", "pale"
SIDE, STEPS, DEVICE = 64, 5, Device()
NOISE = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(7))


@pytest.fixture(scope="module")
def pipe() -> Any:
    made = make_sd3()
    # As the original code has it: no projection of what the first CLIP pools.
    made.text_encoder.text_projection.weight.data.copy_(torch.eye(64))
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, pipe: Any) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    pipe.save_pretrained(root / "folder")
    vocabulary = root / "text_encoders" / "t5"
    vocabulary.mkdir(parents=True)
    shutil.copy(root / "folder" / "tokenizer_3" / "tokenizer.json", vocabulary)
    return {
        "folder": root / "folder",
        "file": save(sd3_state(pipe), root / "sd3.safetensors"),
    }


def drawn(
    place: Path,
    memory: ModelMemory,
    x: torch.Tensor,
    sigmas: list[float],
    method: MethodName = "euler",
    scheduler: Any = None,
) -> torch.Tensor:
    model = load_model(place)
    network: Any = parts.denoiser(model.model, memory, DEVICE)
    if scheduler is not None:
        network = replace(network, levels=AskedAt.of(network.levels, scheduler, 1.0))
    batches = [
        prompt_batch(
            "positive",
            encode_text(model.text_encoder, prompt, models=memory, device=DEVICE),
            network,
            1,
        )
        for prompt in (PROMPT, NEGATIVE)
    ]

    def guided(x: torch.Tensor, sigma: float) -> torch.Tensor:
        yes, no = (network.estimate(x, sigma, batch) for batch in batches)
        return no + 5.0 * (yes - no)

    return METHODS[method].walk(guided, x, sigmas, (0,), fades=network.levels.fades)


@pytest.mark.parametrize("place", ["folder", "file"])
def test_text_to_image_is_that_of_the_pipeline(
    places: dict[str, Path], pipe: Any, memory: ModelMemory, place: str
) -> None:
    expected = pipe(
        PROMPT, negative_prompt=NEGATIVE, guidance_scale=5.0, num_inference_steps=STEPS,
        height=SIDE, width=SIDE, latents=NOISE, output_type="latent",
    ).images  # fmt: skip
    found = drawn(places[place], memory, NOISE, pipe.scheduler.sigmas.tolist())
    assert expected.std() > 0.1
    assert float((found - expected).abs().max()) <= 1e-4


@pytest.mark.parametrize("place", ["folder", "file"])
@pytest.mark.parametrize(
    ("method", "scheduler"),
    [("dpmpp_2m", DPMSolverMultistepScheduler), ("unipc_bh2", UniPCMultistepScheduler)],
)
def test_other_samplers_are_those_of_the_pipeline(
    places: dict[str, Path],
    pipe: Any,
    memory: ModelMemory,
    method: MethodName,
    scheduler: Any,
    place: str,
) -> None:
    reference = scheduler(
        use_flow_sigmas=True,
        flow_shift=3.0,
        prediction_type="flow_prediction",
        **({"solver_order": 3} if method == "unipc_bh2" else {}),
    )
    changed = StableDiffusion3Pipeline(**{**pipe.components, "scheduler": reference})
    changed.set_progress_bar_config(disable=True)
    with forgiving_numpy():
        expected = changed(
            PROMPT, negative_prompt=NEGATIVE, guidance_scale=5.0, num_inference_steps=8,
            height=SIDE, width=SIDE, latents=NOISE, output_type="latent",
        ).images  # fmt: skip
    sigmas = reference.sigmas.tolist()
    found = drawn(places[place], memory, NOISE, sigmas, method, reference)
    assert expected.std() > 0.1
    assert float((found - expected).abs().max()) <= 1e-4


@pytest.mark.parametrize("place", ["folder", "file"])
def test_image_to_image_is_that_of_the_pipeline(
    places: dict[str, Path], pipe: Any, memory: ModelMemory, place: str
) -> None:
    latent = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(5))
    changing = StableDiffusion3Img2ImgPipeline(**pipe.components)
    changing.set_progress_bar_config(disable=True)
    expected = changing(
        PROMPT, negative_prompt=NEGATIVE, guidance_scale=5.0, num_inference_steps=STEPS,
        image=latent, strength=0.6, generator=torch.Generator().manual_seed(7),
        height=SIDE, width=SIDE, output_type="latent",
    ).images  # fmt: skip
    sigmas = changing.scheduler.sigmas.tolist()[2:]
    network = parts.denoiser(load_model(places[place]).model, memory, DEVICE)
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(7))
    x = network.levels.start(latent, noise, sigmas[0])
    found = drawn(places[place], memory, x, sigmas)
    assert float((found - expected).abs().max()) <= 1e-4


@pytest.mark.parametrize("place", ["folder", "file"])
def test_pictures_and_levels_are_the_pipelines(
    places: dict[str, Path], pipe: Any, memory: ModelMemory, place: str
) -> None:
    model = load_model(places[place])
    network = parts.denoiser(model.model, memory, DEVICE)
    latent = network.unscaled(NOISE)
    assert torch.allclose(latent, NOISE / 1.5305 + 0.0609)
    with torch.no_grad():
        pixels = pipe.vae.decode(latent).sample
    found = decode(model.vae, Latent(latent), models=memory, device=DEVICE)
    assert torch.allclose(found, (pixels / 2 + 0.5).clamp(0, 1).movedim(1, -1), atol=1e-5)
    assert float(network.levels.table[499]) == pytest.approx(0.75)
    assert network.levels.t(0.25) == pytest.approx(250)


def encoded(place: Path, memory: ModelMemory, prompt: str = PROMPT) -> Conditioning:
    return encode_text(load_model(place).text_encoder, prompt, models=memory, device=DEVICE)


@pytest.mark.parametrize("missing", ["text_encoder", "text_encoder_2", "text_encoder_3"])
def test_text_encoders_that_a_folder_leaves_out_say_zeros(
    places: dict[str, Path], memory: ModelMemory, tmp_path: Path, missing: str
) -> None:
    folder = Path(shutil.copytree(places["folder"], tmp_path / "model"))
    index = json.loads((folder / "model_index.json").read_text())
    index[missing] = [None, None]
    (folder / "model_index.json").write_text(json.dumps(index))
    shutil.rmtree(folder / missing)
    whole, found = encoded(places["folder"], memory), encoded(folder, memory)
    assert found.pooled is not None
    assert whole.pooled is not None
    silent = {
        "text_encoder": (slice(0, 77), slice(0, 64)),
        "text_encoder_2": (slice(0, 77), slice(64, 192)),
        "text_encoder_3": (slice(77, None), slice(None)),
    }[missing]
    expected = whole.hidden.clone()
    expected[0, silent[0], silent[1]] = 0
    assert torch.allclose(found.hidden, expected, atol=1e-6)
    pooled = whole.pooled.clone()
    if missing != "text_encoder_3":
        pooled[0, silent[1]] = 0
    assert torch.allclose(found.pooled, pooled, atol=1e-6)


def test_weights_scale_what_t5_says(places: dict[str, Path], memory: ModelMemory) -> None:
    plain, heavy, empty = (
        encoded(places["folder"], memory, prompt).hidden[0, 77:]
        for prompt in ("a red apple", "a (red:1.5) apple", "")
    )
    assert torch.allclose(heavy[2], empty[2] + 1.5 * (plain[2] - empty[2]), atol=1e-5)
    assert torch.allclose(heavy[1], plain[1], atol=1e-6)


def test_a_vocabulary_that_is_missing_is_named_with_its_place(
    places: dict[str, Path], tmp_path: Path
) -> None:
    file = Path(shutil.copy(places["file"], tmp_path / "sd3.safetensors"))
    with pytest.raises(InputError, match=r"T5 text encoder, whose vocabulary is missing: put its"):
        hooks.model_facts(file)
    shutil.copy(places["folder"] / "tokenizer_3" / "tokenizer.json", tmp_path)
    facts = hooks.model_facts(file)
    assert facts["model"]["family"] == facts["text_encoder"]["family"] == "stable_diffusion_3"
    assert facts["model"]["channels"] == 16


def test_t5_in_a_file_of_its_own_joins_the_clips(
    places: dict[str, Path], memory: ModelMemory
) -> None:
    pipe_state = sd3_state(make_sd3())
    folder = places["file"].parent
    kinds = {"clips": "text_encoders.clip_", "t5": "text_encoders.t5xxl.transformer."}
    first = {n: t for n, t in pipe_state.items() if n.startswith(kinds["clips"])}
    second = {
        n.removeprefix(kinds["t5"]): t for n, t in pipe_state.items() if n.startswith(kinds["t5"])
    }
    files = (
        save(first, folder / "clips.safetensors"),
        save(second, folder / "text_encoders" / "t5xxl.safetensors"),
    )
    encoder = load_text_encoder(*files)
    found = encode_text(encoder, PROMPT, models=memory, device=DEVICE).hidden
    assert found.shape == (1, 77 + 256, 224)
    assert torch.allclose(found[:, 77:], encoded(places["file"], memory).hidden[:, 77:], atol=1e-5)
    assert hooks.text_encoder_facts(*files)["text_encoder"]["text_width"] == 224


def test_layers_may_be_skipped_and_sides_may_be_odd(
    places: dict[str, Path], pipe: Any, memory: ModelMemory
) -> None:
    model = load_model(places["folder"])
    network = parts.denoiser(model.model, memory, DEVICE)
    prompt = prompt_batch("positive", encoded(places["folder"], memory), network, 1)
    with network.weakened(Weakening(layers=(1,))):
        found = network.estimate(NOISE, 0.5, prompt)
    with torch.no_grad():
        out = pipe.transformer(
            NOISE, prompt.hidden, prompt.pooled, torch.tensor([500.0]), skip_layers=[1]
        )
    assert torch.allclose(found, NOISE - 0.5 * out.sample, atol=1e-5)
    with pytest.raises(InputError, match="has 3 layers"), network.weakened(Weakening(layers=(3,))):
        pass
    assert network.estimate(NOISE[..., :7, :5], 0.5, prompt).shape == (1, 16, 7, 5)
    with pytest.raises(InputError, match="256 pixels a side at most"):
        network.estimate(torch.zeros(1, 16, 34, 8), 0.5, prompt)


def test_a_network_alone_in_diffusers_layout_is_recognised(pipe: Any, tmp_path: Path) -> None:
    file = save(pipe.transformer.state_dict(), tmp_path / "network.safetensors")
    found = inspect_model(file)
    assert (found.family, found.parts, found.text_width) == (
        "stable_diffusion_3",
        {"denoiser"},
        224,
    )
