"""Models of kinds that no family of ours knows: the same latents as diffusers' own pipelines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.guiders import guider
from nodeflow_nodes.diffusion.hooks import model_facts
from nodeflow_nodes.diffusion.latents import decode, empty_latent, encode_image
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.samplers.noise import start_noise
from nodeflow_nodes.diffusion.sampling_advanced import sample_advanced
from nodeflow_nodes.diffusion.text import encode_text

from nodeflow import Conditioning, Device, InputError, Latent, ModelMemory
from tests.nodes.diffusion.modular_models import save_qwen_image, save_wan, save_z_image

PROMPT, NEGATIVE = "a red apple on a table", "pale"
SIDE, STEPS, SEED, DEVICE = 64, 5, 11, Device()
SAVERS: dict[str, Callable[[Path], Any]] = {
    "z_image": save_z_image,
    "wan": save_wan,
    "qwen_image": save_qwen_image,
}


def silent(*args: object, **kwargs: object) -> None:
    """In place of progress."""


@pytest.fixture(scope="session")
def memory() -> ModelMemory:
    return ModelMemory()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Any]]:
    """A kind's folder and diffusers' pipeline for it, made once."""
    root = tmp_path_factory.mktemp("modular")
    known: dict[str, tuple[Path, Any]] = {}

    def make(kind: str) -> tuple[Path, Any]:
        if kind not in known:
            pipeline = SAVERS[kind](root / kind)
            pipeline.set_progress_bar_config(disable=True)
            known[kind] = root / kind, pipeline
        return known[kind]

    return make


def prompts(model: LoadedModel, memory: ModelMemory) -> tuple[Conditioning, Conditioning]:
    positive, negative = (
        encode_text(model.text_encoder, text, models=memory, device=DEVICE)
        for text in (PROMPT, NEGATIVE)
    )
    return positive, negative


def walked(
    model: LoadedModel, latent: Latent, sigmas: list[float], scale: float, memory: ModelMemory
) -> torch.Tensor:
    """Where our Euler ends along the reference's levels."""
    told = guider(model.model, *prompts(model, memory), guidance=scale)
    found = sample_advanced(
        told,
        latent,
        sigmas,
        seed=SEED,
        progress=silent,  # type: ignore[arg-type]
        models=memory,
        device=DEVICE,
    )
    return found.latent.samples


def levels(pipeline: Any) -> list[float]:
    sigmas: list[float] = pipeline.scheduler.sigmas.tolist()
    return sigmas


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_z_image_ends_where_diffusers_ends(made: Any, memory: ModelMemory, scale: float) -> None:
    folder, pipeline = made("z_image")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)
    noise = start_noise(latent.samples, (SEED,))
    reference = pipeline(
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        height=SIDE,
        width=SIDE,
        num_inference_steps=STEPS,
        # It adds the difference of both prompts to the positive one.
        guidance_scale=scale - 1,
        latents=noise,
        output_type="latent",
    ).images
    found = walked(model, latent, levels(pipeline), scale, memory)
    assert (found - reference).abs().max() <= 1e-4
    assert (found - noise).abs().max() > 0.1


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_wan_ends_where_diffusers_ends(made: Any, memory: ModelMemory, scale: float) -> None:
    folder, pipeline = made("wan")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, 2 * SIDE, frames=5)
    assert latent.samples.shape == (1, 16, 2, 16, 8)
    positive, negative = (p.states["prompt_embeds"] for p in prompts(model, memory))
    reference = pipeline(
        prompt_embeds=positive,
        negative_prompt_embeds=negative,
        height=2 * SIDE,
        width=SIDE,
        num_frames=5,
        num_inference_steps=STEPS,
        guidance_scale=scale,
        latents=start_noise(latent.samples, (SEED,)),
        output_type="latent",
    ).frames
    found = walked(model, latent, levels(pipeline), scale, memory)
    assert (found - reference).abs().max() <= 1e-4


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_qwen_image_ends_where_diffusers_ends(made: Any, memory: ModelMemory, scale: float) -> None:
    folder, pipeline = made("qwen_image")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, 2 * SIDE)
    assert latent.samples.shape == (1, 16, 16, 8)
    noise = start_noise(latent.samples, (SEED,))
    packed = pipeline._pack_latents(noise.unsqueeze(1), 1, 16, 16, 8)
    reference = pipeline(
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        height=2 * SIDE,
        width=SIDE,
        num_inference_steps=STEPS,
        true_cfg_scale=scale,
        latents=packed,
        output_type="latent",
    ).images
    reference = pipeline._unpack_latents(reference, 2 * SIDE, SIDE, 8)[:, :, 0]
    found = walked(model, latent, levels(pipeline), scale, memory)
    assert (found - reference).abs().max() <= 1e-4


def test_a_batch_gives_each_picture_what_it_gets_alone(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("qwen_image")[0])
    sigmas = [1.0, 0.7, 0.3, 0.0]
    both = Latent(empty_latent(model.model, SIDE, SIDE, 2).samples, 8, seeds=(SEED, 3))
    alone = empty_latent(model.model, SIDE, SIDE)
    found = walked(model, both, sigmas, 3.0, memory)
    assert (found[:1] - walked(model, alone, sigmas, 3.0, memory)).abs().max() <= 1e-4


def test_videos_decode_to_their_frames(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("wan")
    model = load_model(folder)
    latent = torch.randn(2, 16, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    frames = decode(model.vae, Latent(latent, 8), models=memory, device=DEVICE)
    assert frames.shape == (2 * 5, SIDE, SIDE, 3)
    config = pipeline.vae.config
    mean, deviation = (
        torch.tensor(values).reshape(1, -1, 1, 1, 1)
        for values in (config["latents_mean"], config["latents_std"])
    )
    with torch.no_grad():
        reference = pipeline.vae.decode(latent[1:] * deviation + mean).sample[0].movedim(0, -1)
    assert (frames[5:] - (reference / 2 + 0.5).clamp(0, 1)).abs().max() <= 1e-4


@pytest.mark.parametrize("kind", ["z_image", "qwen_image"])
def test_a_picture_comes_back_as_its_latent(kind: str, made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made(kind)
    model = load_model(folder)
    picture = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2))
    picture = (picture * 255).round() / 255
    latent = encode_image(model.vae, picture, models=memory, device=DEVICE)
    pixels = picture.movedim(-1, 1) * 2 - 1
    with torch.no_grad():
        if kind == "z_image":
            mode = pipeline.vae.encode(pixels).latent_dist.mode()
            reference = (mode - pipeline.vae.config.shift_factor) * (
                pipeline.vae.config.scaling_factor
            )
        else:
            mode = pipeline.vae.encode(pixels.unsqueeze(2)).latent_dist.mode()[:, :, 0]
            config = pipeline.vae.config
            mean, deviation = (
                torch.tensor(values).reshape(1, -1, 1, 1)
                for values in (config.latents_mean, config.latents_std)
            )
            reference = (mode - mean) / deviation
    assert (latent.samples - reference).abs().max() <= 1e-4
    drawn = encode_image(model.vae, picture, sample=True, seed=4, models=memory, device=DEVICE)
    again = encode_image(model.vae, picture, sample=True, seed=4, models=memory, device=DEVICE)
    assert torch.equal(drawn.samples, again.samples)
    assert not torch.equal(drawn.samples, latent.samples)


@pytest.fixture
def broken(made: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made("z_image")[0], tmp_path / "model"))


def test_a_missing_part_is_said_before_the_run(broken: Path) -> None:
    shutil.rmtree(broken / "vae")
    with pytest.raises(InputError, match=r"lacks the part 'vae', a AutoencoderKL; put it into"):
        model_facts(broken)


def test_missing_weights_are_said_before_the_run(broken: Path) -> None:
    (broken / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InputError, match=r"diffusion_pytorch_model\.safetensors are missing"):
        model_facts(broken)


def test_a_missing_vocabulary_is_said_before_the_run(broken: Path) -> None:
    (broken / "tokenizer" / "tokenizer.json").unlink()
    with pytest.raises(InputError, match=r"lacks the vocabulary of 'tokenizer' .*tokenizer\.json"):
        model_facts(broken)


def test_code_that_a_model_brings_is_not_run(broken: Path) -> None:
    index = broken / "model_index.json"
    parts = json.loads(index.read_text()) | {"vae": ["my_autoencoder", "Vae"]}
    index.write_text(json.dumps(parts))
    with pytest.raises(InputError, match="takes its part 'vae' from 'my_autoencoder'"):
        model_facts(broken)


def test_a_pipeline_that_diffusers_has_no_blocks_for_is_said(broken: Path) -> None:
    index = broken / "model_index.json"
    parts = json.loads(index.read_text()) | {"_class_name": "StableAudioPipeline"}
    index.write_text(json.dumps(parts))
    with pytest.raises(InputError, match="'StableAudioPipeline', which neither a family"):
        model_facts(broken)


@pytest.mark.parametrize(
    ("kind", "size", "sentence"),
    [
        ("z_image", {"width": SIDE, "height": SIDE, "frames": 5}, "has no 5 frames; take 1"),
        ("wan", {"width": SIDE, "height": SIDE, "frames": 7}, "not of 7; take 5 or 9"),
        ("wan", {"width": SIDE, "height": 60}, "height 60 is not a multiple of 8"),
    ],
)
def test_sizes_that_a_model_does_not_make_are_said(
    kind: str, size: dict[str, int], sentence: str, made: Any
) -> None:
    with pytest.raises(InputError, match=sentence):
        empty_latent(load_model(made(kind)[0]).model, **size)


def test_a_prompt_of_another_model_is_said(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("z_image")[0])
    prompt = Conditioning(torch.zeros(1, 4, 32))
    told = guider(model.model, prompt, prompt, guidance=1.0)
    with pytest.raises(InputError, match="the prompt is not for ZImageModularPipeline"):
        sample_advanced(
            told,
            empty_latent(model.model, SIDE, SIDE),
            [1.0, 0.0],
            progress=silent,  # type: ignore[arg-type]
            models=memory,
            device=DEVICE,
        )
