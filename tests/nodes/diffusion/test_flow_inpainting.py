"""Parts of pictures drawn anew by Stable Diffusion 3 and Flux, against diffusers' pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FluxFillPipeline, FluxTransformer2DModel, StableDiffusion3InpaintPipeline
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.guiders import guider
from nodeflow_nodes.diffusion.hole_filling import encode_for_inpainting
from nodeflow_nodes.diffusion.inpainting import beside
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_denoiser, load_model
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.sampling_advanced import sample_advanced
from nodeflow_nodes.diffusion.text import distilled_guidance, encode_text
from torch import Tensor

from nodeflow import Device, Image, Latent, Mask, ModelMemory, Progress
from tests.nodes.diffusion.tiny_flow_models import (
    flux_state,
    make_flux,
    make_sd3,
    original_flux,
    sd3_state,
)
from tests.nodes.diffusion.tiny_models import save

PROMPT, NEGATIVE, SIDE, STEPS, DEVICE = "a red apple on a table", "pale", 64, 5, Device()
PICTURE = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2))


def hole(top: int = 16, left: int = 8) -> Tensor:
    mask = torch.zeros(1, SIDE, SIDE)
    mask[:, top:40, left:48] = 1
    return mask


def certain(pipe: Any) -> Any:
    """The pipelines draw the latents of pictures; this one is given nothing to draw from."""
    last = pipe.vae.encoder.conv_out
    last.weight.data[16:], last.bias.data[16:] = 0.0, -30.0
    return pipe


def make_fill() -> Any:
    plain = certain(make_flux("dev"))
    config = {n: v for n, v in plain.transformer.config.items() if not n.startswith("_")}
    torch.manual_seed(4)
    network = FluxTransformer2DModel(**{**config, "in_channels": 384, "out_channels": 64}).eval()
    components = {n: part for n, part in plain.components.items() if part is not None}
    pipe = FluxFillPipeline(**{**components, "transformer": network})
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def fill() -> Any:
    return make_fill()


def opened(pipe: Any, place: str, folder: Path) -> LoadedModel:
    if place == "folder":
        pipe.save_pretrained(folder / "model")
        return load_model(folder / "model")
    pipe.tokenizer_2.save_pretrained(folder)
    return load_model(save(flux_state(pipe), folder / "model.safetensors"))


def drawn(model: LoadedModel, memory: ModelMemory, sigmas: list[float], guidance: float) -> Tensor:
    services: Any = {"models": memory, "device": DEVICE}
    latent = encode_for_inpainting(model.vae, Image(PICTURE), Mask(hole()), **services)
    yes, no = (
        distilled_guidance(encode_text(model.text_encoder, text, **services), 30.0)
        for text in (PROMPT, NEGATIVE)
    )
    found, _ = sample_advanced(
        guider(model.model, yes, no, guidance), latent, sigmas, seed=3, progress=Progress(),
        **services,
    )  # fmt: skip
    return parts.denoiser(model.model, memory, DEVICE).scaled(found.samples)


@pytest.mark.parametrize("place", ["folder", "file"])
def test_flux_fill_draws_what_the_pipeline_draws(
    fill: Any, memory: ModelMemory, tmp_path: Path, place: str
) -> None:
    model = opened(fill, place, tmp_path)
    pixels = PICTURE.movedim(-1, 1)
    latent = fill.vae.encode(pixels * 2 - 1).latent_dist.mean.detach()
    latent = (latent - 0.1159) * 0.3611
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(3))
    mask = hole()[:, ::8, ::8]

    def keep(pipe: Any, step: int, time: Any, given: dict[str, Tensor]) -> dict[str, Tensor]:
        """Keeps the picture around the hole, which the pipeline leaves to the network."""
        sigma = pipe.scheduler.sigmas[pipe.scheduler.step_index]
        x = pipe._unpack_latents(given["latents"], SIDE, SIDE, 8)
        x = x * mask + (sigma * noise + (1 - sigma) * latent) * (1 - mask)
        return {"latents": pipe._pack_latents(x, 1, 16, 8, 8)}

    expected = fill(
        PROMPT, image=pixels, mask_image=hole().unsqueeze(1), height=SIDE, width=SIDE,
        guidance_scale=30.0, num_inference_steps=STEPS, output_type="latent",
        latents=fill._pack_latents(noise, 1, 16, 8, 8), callback_on_step_end=keep,
    ).images  # fmt: skip
    expected = fill._unpack_latents(expected, SIDE, SIDE, 8)
    found = drawn(model, memory, fill.scheduler.sigmas.tolist(), 1.0)
    assert float((found - expected).abs().max()) <= 1e-4
    # It makes a difference what is seen of the picture and where the hole is.
    other = encode_for_inpainting(
        model.vae, Image(1 - PICTURE), Mask(hole()), models=memory, device=DEVICE
    )
    network = parts.denoiser(model.model, memory, DEVICE)
    assert (network.inputs, network.channels) == (96, 16)
    around = beside(other, None, network)
    assert around is not None
    assert around.shape == (1, 80, 8, 8)


def test_the_mask_is_folded_pixel_by_pixel_as_in_the_pipeline(
    fill: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    model = opened(fill, "file", tmp_path)
    network = parts.denoiser(model.model, memory, DEVICE)
    mask = hole(17, 10)
    latent = Latent(torch.randn(2, 16, 8, 8), mask=mask, surroundings=torch.randn(2, 16, 8, 8))
    found = beside(latent, mask, network)
    assert found is not None
    assert latent.surroundings is not None
    expected = fill.prepare_mask_latents(
        mask.unsqueeze(1), latent.surroundings, 2, 16, 1, SIDE, SIDE, torch.float32, "cpu", None
    )
    packed = fill._pack_latents(found, 2, 80, 8, 8)
    assert torch.allclose(packed, torch.cat(expected[::-1], dim=-1), atol=1e-6)
    # Without a mask everything may change.
    open_ = beside(Latent(torch.zeros(1, 16, 8, 8)), None, network)
    assert open_ is not None
    assert bool((open_[:, 16:] == 1).all())


def test_flux_fill_draws_whole_pictures_of_any_sides_too(
    fill: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    model = opened(fill, "file", tmp_path)
    file = save(original_flux(fill.transformer.state_dict()), tmp_path / "network.safetensors")
    words = encode_text(model.text_encoder, PROMPT, models=memory, device=DEVICE)
    network = load_denoiser(file)
    found = sample(
        network, words, words, empty_latent(network, 72, 64), steps=2, guidance=1.0,
        progress=Progress(), models=memory, device=DEVICE,
    )  # fmt: skip
    assert found.samples.shape == (1, 16, 8, 9)
    assert bool(found.samples.isfinite().all())


def test_stable_diffusion_3_draws_what_the_pipeline_draws(
    memory: ModelMemory, tmp_path: Path
) -> None:
    pipe = certain(make_sd3())
    pipe.text_encoder.text_projection.weight.data.copy_(torch.eye(64))
    pipe.tokenizer_3.save_pretrained(tmp_path)
    model = load_model(save(sd3_state(pipe), tmp_path / "model.safetensors"))
    inpaint = StableDiffusion3InpaintPipeline(**pipe.components)
    inpaint.set_progress_bar_config(disable=True)
    latent = pipe.vae.encode(PICTURE.movedim(-1, 1) * 2 - 1).latent_dist.mean.detach()
    expected = inpaint(
        PROMPT, negative_prompt=NEGATIVE, image=(latent - 0.0609) * 1.5305,
        masked_image_latents=latent,
        mask_image=hole().unsqueeze(1), height=SIDE, width=SIDE, strength=0.8,
        guidance_scale=5.0, num_inference_steps=STEPS, output_type="latent",
        generator=torch.Generator().manual_seed(3),
    ).images  # fmt: skip
    found = drawn(model, memory, inpaint.scheduler.sigmas.tolist()[1:], 5.0)
    assert float((found - expected).abs().max()) <= 1e-4
