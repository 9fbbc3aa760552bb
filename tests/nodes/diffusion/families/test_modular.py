"""Models of kinds that no family of ours knows: the same latents as diffusers' own pipelines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import ModularPipeline
from nodeflow_nodes.diffusion.conditioning import combine_conditioning
from nodeflow_nodes.diffusion.guiders import guider
from nodeflow_nodes.diffusion.hooks import model_facts
from nodeflow_nodes.diffusion.latents import decode, empty_latent, encode_image
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.samplers.noise import start_noise
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.sampling_advanced import sample_advanced
from nodeflow_nodes.diffusion.text import encode_text

from nodeflow import Conditioning, Device, InputError, Latent, ModelMemory, Precision
from tests.nodes.diffusion.modular_models import (
    save_flux_2,
    save_ideogram,
    save_ltx,
    save_qwen_image,
    save_wan,
    save_z_image,
)

PROMPT, NEGATIVE = "a red apple on a table", "pale"
SIDE, STEPS, SEED, DEVICE = 64, 5, 11, Device()
SAVERS: dict[str, Callable[[Path], Any]] = {
    "z_image": save_z_image,
    "wan": save_wan,
    "qwen_image": save_qwen_image,
    "flux_2": save_flux_2,
    "ltx": save_ltx,
    "ideogram": save_ideogram,
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


def test_flux_2_ends_where_diffusers_ends(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("flux_2")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, 2 * SIDE)
    assert (latent.samples.shape, latent.downscale) == ((1, 32, 8, 4), 16)
    reference = pipeline(
        prompt=PROMPT,
        height=2 * SIDE,
        width=SIDE,
        num_inference_steps=STEPS,
        guidance_scale=1.0,
        latents=start_noise(latent.samples, (SEED,)),
        output_type="latent",
    ).images
    found = walked(model, latent, levels(pipeline), 1.0, memory)
    bn = pipeline.vae.bn
    mean, variance = (row.view(1, -1, 1, 1) for row in (bn.running_mean, bn.running_var))
    deviation = (variance + pipeline.vae.config.batch_norm_eps).sqrt()
    unpatched = pipeline._unpatchify_latents(found * deviation + mean)
    assert (unpatched - reference).abs().max() <= 1e-4


def test_ltx_ends_where_diffusers_ends(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("ltx")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, 2 * SIDE, frames=9)
    assert (latent.samples.shape, latent.downscale) == ((1, 8, 2, 4, 2), 32)
    reference = pipeline(
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        height=2 * SIDE,
        width=SIDE,
        num_frames=9,
        num_inference_steps=STEPS,
        guidance_scale=3.0,
        latents=pipeline._pack_latents(start_noise(latent.samples, (SEED,))),
        output_type="latent",
    ).frames
    found = walked(model, latent, levels(pipeline), 3.0, memory)
    assert (found - pipeline._unpack_latents(reference, 2, 4, 2)).abs().max() <= 1e-4


def test_a_walk_from_a_picture_ends_where_diffusers_ends(made: Any, memory: ModelMemory) -> None:
    folder, _ = made("z_image")
    pipeline = ModularPipeline.from_pretrained(str(folder))  # type: ignore[no-untyped-call]
    pipeline.load_components()
    pipeline.guider.enable()
    pipeline.guider.guidance_scale = 3.0
    model = load_model(folder)
    picture = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2))
    latent = encode_image(model.vae, picture, models=memory, device=DEVICE)
    reference = pipeline(
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        image_latents=latent.samples,
        strength=0.6,
        num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(SEED),
        output="latents",
    )
    sigmas = levels(pipeline)[-4:]
    assert (walked(model, latent, sigmas, 3.0, memory) - reference).abs().max() <= 1e-4


def test_other_models_have_no_walk_of_their_own(loaded: LoadedModel, memory: ModelMemory) -> None:
    with pytest.raises(InputError, match="this model has none; choose another method"):
        natively(loaded, empty_latent(loaded.model, SIDE, SIDE), memory, 3.0)


@pytest.mark.parametrize("kind", ["z_image", "wan", "qwen_image", "ltx"])
def test_half_precision_is_near(kind: str, made: Any, memory: ModelMemory) -> None:
    model = load_model(made(kind)[0])
    frames = {"wan": 5, "ltx": 9}.get(kind, 1)
    latent = empty_latent(model.model, SIDE, SIDE, frames=frames)
    found = []
    for device in (DEVICE, Device(precision=Precision.BF16)):
        positive = encode_text(model.text_encoder, PROMPT, models=memory, device=device)
        walk = sample(
            model.model,
            positive,
            positive,
            latent,
            seed=SEED,
            steps=3,
            guidance=1.0,
            progress=silent,  # type: ignore[arg-type]
            models=memory,
            device=device,
        )
        image = decode(model.vae, walk, models=memory, device=device)
        assert image.dtype == torch.float32
        found.append(image)
    assert 0 < (found[0] - found[1]).abs().mean() < 0.05


def natively(
    model: LoadedModel, latent: Latent, memory: ModelMemory, guidance: float, **more: Any
) -> Latent:
    return sample(
        model.model,
        *prompts(model, memory),
        latent,
        **{
            "seed": SEED,
            "steps": STEPS,
            "guidance": guidance,
            "method": "native",
            "progress": silent,
            **more,
        },
        models=memory,
        device=DEVICE,
    )


def test_the_own_walk_of_a_pipeline_is_that_of_diffusers(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("z_image")
    model = load_model(folder)
    reference = pipeline(
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        height=SIDE,
        width=SIDE,
        num_inference_steps=STEPS,
        guidance_scale=2.0,
        generator=torch.Generator().manual_seed(SEED),
        output_type="latent",
    ).images
    found = natively(model, empty_latent(model.model, SIDE, SIDE), memory, 3.0)
    assert (found.samples - reference).abs().max() <= 1e-4


def test_a_pipeline_that_steps_by_itself_walks_natively(made: Any, memory: ModelMemory) -> None:
    folder, pipeline = made("ideogram")
    model = load_model(folder)
    latent = empty_latent(model.model, 2 * SIDE, SIDE)
    reference = pipeline(
        prompt=PROMPT,
        height=SIDE,
        width=2 * SIDE,
        num_inference_steps=STEPS,
        guidance_scale=5.0,
        guidance_schedule=None,
        generator=torch.Generator().manual_seed(SEED),
        output_type="pt",
    ).images
    found = natively(model, latent, memory, 5.0)
    assert found.samples.shape == latent.samples.shape
    image = decode(model.vae, found, models=memory, device=DEVICE)
    assert (image.movedim(-1, 1) - reference).abs().max() <= 1e-4


def test_a_method_that_cannot_be_used_is_said(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("ideogram")[0])
    latent = empty_latent(model.model, SIDE, SIDE)
    with pytest.raises(InputError, match=r"Ideogram4ModularPipeline.* steps by itself.* native"):
        natively(model, latent, memory, 5.0, method="euler")


def test_each_step_of_an_own_walk_is_told(made: Any, memory: ModelMemory) -> None:
    model = load_model(made("ideogram")[0])
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))

    natively(model, empty_latent(model.model, SIDE, SIDE), memory, 5.0, progress=progress)
    assert told == [(done, STEPS) for done in range(STEPS + 1)]


@pytest.mark.parametrize("change", ["half", "mask", "combined"])
def test_what_an_own_walk_cannot_do_is_said(change: str, made: Any, memory: ModelMemory) -> None:
    model = load_model(made("z_image")[0])
    latent = empty_latent(model.model, SIDE, SIDE)
    positive, negative = prompts(model, memory)
    if change == "mask":
        latent = Latent(latent.samples, 8, mask=torch.ones(1, 8, 8))
    if change == "combined":
        positive = combine_conditioning(positive, negative)
    with pytest.raises(InputError, match=r"the method native .* choose another method"):
        sample(
            model.model,
            positive,
            negative,
            latent,
            denoise=0.5 if change == "half" else 1.0,
            method="native",
            progress=silent,  # type: ignore[arg-type]
            models=memory,
            device=DEVICE,
        )


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
