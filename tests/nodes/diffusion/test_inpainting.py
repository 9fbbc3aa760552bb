"""Parts of pictures drawn anew, against diffusers' inpainting pipeline."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionInpaintPipeline, UNet2DConditionModel
from nodeflow_nodes.diffusion.guiders import guider
from nodeflow_nodes.diffusion.hole_filling import encode_for_inpainting
from nodeflow_nodes.diffusion.hooks import (
    check_advanced,
    check_sample,
    guider_facts,
    hole_latent_facts,
    latent_facts,
    model_facts,
)
from nodeflow_nodes.diffusion.inpainting import beside
from nodeflow_nodes.diffusion.latent_edits import mask_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.parts import denoiser
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.sampling_advanced import sample_advanced
from nodeflow_nodes.diffusion.schedules import noise_schedule
from nodeflow_nodes.diffusion.text import encode_text
from nodeflow_nodes.diffusion.voices import prompt_batch
from torch import Tensor

from nodeflow import Device, Image, InputError, Latent, Mask, ModelMemory, Progress
from tests.nodes.diffusion.conftest import make_pipeline, set_config
from tests.nodes.diffusion.samplers.conftest import forgiving_numpy

SIDE = 64
STEPS = 6


def hole() -> Tensor:
    """A mask whose outline lies between latent pixels."""
    mask = torch.zeros(1, SIDE, SIDE)
    mask[:, 16:40, 8:48] = 1
    return mask


def taking(channels: int, pipe: Any) -> UNet2DConditionModel:
    """The pipeline's network, but for the channels that it takes."""
    config = {n: value for n, value in pipe.unet.config.items() if not n.startswith("_")}
    return UNet2DConditionModel(**{**config, "in_channels": channels}).eval()


@pytest.fixture(scope="module", params=[4, 9])
def filling(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A pipeline for inpainting and its folder, with a plain network or one trained for it."""
    pipe: Any = make_pipeline()
    parts = {
        **pipe.components,
        "scheduler": EulerDiscreteScheduler.from_config(
            pipe.scheduler.config,
            timestep_spacing="leading",  # whole times, as networks know them
        ),
    }
    torch.manual_seed(1)
    if request.param == 9:
        parts["unet"] = taking(9, pipe)
    made = StableDiffusionInpaintPipeline(**parts, requires_safety_checker=False)
    made.set_progress_bar_config(disable=True)
    folder = tmp_path_factory.mktemp("inpainting") / str(request.param)
    made.save_pretrained(folder)
    return made, folder


def prompts(recipes: LoadedModel, models: ModelMemory) -> list[Any]:
    return [
        encode_text(recipes.text_encoder, text, models=models, device=Device())
        for text in ("a red apple", "")
    ]


def inpainted(pipe: Any, latent: Latent, *, keeping: bool = True) -> Tensor:
    """What diffusers draws, as scaled latents."""
    factor = pipe.vae.config.scaling_factor
    assert latent.surroundings is not None
    mask = hole()[:, ::8, ::8]
    noise = torch.randn(latent.samples.shape, generator=torch.Generator().manual_seed(3))

    def keep(pipe: Any, step: int, time: Any, given: dict[str, Tensor]) -> dict[str, Tensor]:
        """Keeps the picture around the hole, which the pipeline does for plain networks only."""
        sigma = pipe.scheduler.sigmas[pipe.scheduler.step_index]
        around = latent.samples * factor + sigma * noise
        return {"latents": given["latents"] * mask + around * (1 - mask)}

    found: Tensor = pipe(
        "a red apple",
        image=latent.samples * factor,
        mask_image=hole().unsqueeze(1),
        masked_image_latents=latent.surroundings * factor,
        height=SIDE,
        width=SIDE,
        strength=0.7,
        num_inference_steps=STEPS,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(3),
        output_type="latent",
        callback_on_step_end=keep if keeping else None,
    ).images
    return found


def test_latents_equal_those_of_diffusers(filling: Any, models: ModelMemory) -> None:
    pipe, folder = filling
    picture = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2))
    recipes = load_model(folder)
    latent = encode_for_inpainting(
        recipes.vae, Image(picture), Mask(hole()), models=models, device=Device()
    )
    with forgiving_numpy():
        expected = inpainted(pipe, latent)
    used = round(STEPS * 0.7)
    sigmas = pipe.scheduler.sigmas[-used - 1 :].tolist()
    positive, negative = prompts(recipes, models)
    found, _ = sample_advanced(
        guider(recipes.model, positive, negative, 5.0),
        latent,
        sigmas,
        seed=3,
        progress=Progress(),
        models=models,
        device=Device(),
    )
    factor = pipe.vae.config.scaling_factor
    assert float((found.samples * factor - expected).abs().max()) <= 1e-4


def test_what_only_networks_for_holes_can_is_refused_of_others_before_the_run(filling: Any) -> None:
    _, folder = filling
    facts = model_facts(folder)
    free, kept = (hole_latent_facts(facts["vae"], keeping)["latent"] for keeping in (False, True))
    told = guider_facts(facts["model"])["guider"]
    check_sample(facts["model"], None, None, kept)
    if folder.name == "9":
        check_sample(facts["model"], None, None, free)
        check_advanced(told, free, None)
        return
    sentence = rf"model '?{folder}.* was not trained to fill holes.*keep_outside on"
    with pytest.raises(InputError, match=sentence):
        check_sample(facts["model"], None, None, free)
    with pytest.raises(InputError, match=sentence):
        check_advanced(told, free, None)
    # Of a latent that was masked anew nothing but its kind is the same.
    check_sample(facts["model"], None, None, latent_facts(free)["latent"])


def test_a_network_for_holes_may_draw_all_as_in_diffusers(
    filling: Any, models: ModelMemory
) -> None:
    pipe, folder = filling
    recipes = load_model(folder)
    picture = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(2))
    latent = encode_for_inpainting(
        recipes.vae, Image(picture), Mask(hole()), False, models=models, device=Device()
    )
    services = {"progress": Progress(), "models": models, "device": Device()}
    told = guider(recipes.model, *prompts(recipes, models), 5.0)
    if pipe.unet.config.in_channels == 4:
        with pytest.raises(InputError, match=r"not trained to fill holes.*keep_outside on"):
            sample_advanced(told, latent, [1.0, 0.0], seed=3, **services)
        return
    with forgiving_numpy():
        expected = inpainted(pipe, latent, keeping=False)
    sigmas = pipe.scheduler.sigmas[-round(STEPS * 0.7) - 1 :].tolist()
    found, _ = sample_advanced(told, latent, sigmas, seed=3, **services)
    factor = pipe.vae.config.scaling_factor
    assert float((found.samples * factor - expected).abs().max()) <= 1e-4
    around = hole()[:, ::8, ::8].unsqueeze(1).expand_as(found.samples) == 0
    assert not torch.equal(found.samples[around], latent.samples[around])


def draw(recipes: LoadedModel, latent: Latent, models: ModelMemory, **more: Any) -> Latent:
    positive, negative = prompts(recipes, models)
    services = {"progress": Progress(), "models": models, "device": Device()}
    return sample(recipes.model, positive, negative, latent, steps=3, **more, **services)


@pytest.mark.parametrize("method", ["euler", "dpmpp_2m_sde", "euler_ancestral", "ddim"])
def test_outside_of_the_mask_the_latent_stays_bit_for_bit(
    filling: Any, models: ModelMemory, method: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(filling[1], tmp_path / "rounding")
    # No power of 2: scaling there and back rounds.
    set_config(folder, "vae/config.json", scaling_factor=0.18215)
    recipes = load_model(folder)
    latent = mask_latent(Latent(torch.randn(2, 4, 8, 8)), Mask(hole()))
    found = draw(recipes, latent, models, method=method).samples
    outside = torch.ones(8, 8, dtype=torch.bool)
    outside[2:5, 1:6] = False
    assert torch.equal(found[..., outside], latent.samples[..., outside])
    assert not torch.allclose(found[..., ~outside], latent.samples[..., ~outside], atol=0.1)


def seen_around(seeds: tuple[int, ...], x: Tensor, folder: Path, models: ModelMemory) -> Tensor:
    """Euler's walk by hand, from the noise of seed 3, where the network sees around the hole the
    latent `x` under noise of other seeds."""
    recipes = load_model(folder)
    network = denoiser(recipes.model, models, Device())
    positive, _ = prompts(recipes, models)
    words = prompt_batch("positive", positive, network, len(x))
    sigmas = noise_schedule("normal", network.levels, 3)
    mask = hole()[:, ::8, ::8]
    latent = network.scaled(x)
    drawn = [torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    at = network.levels.start(latent, drawn[0], sigmas[0])
    for sigma, below in pairwise(sigmas):
        there = latent + sigma * drawn[1]
        estimate = network.estimate(at * mask + there * (1 - mask), sigma, words)
        estimate = estimate * mask + latent * (1 - mask)
        at = at + (at - estimate) / sigma * (below - sigma)
    return network.unscaled(at)


@pytest.mark.parametrize(("method", "other"), [("euler", 3), ("ddim", 4)])
def test_around_the_mask_ddim_sees_noise_of_the_next_seed(
    models: ModelMemory, method: str, other: int, folders: dict[str, Path]
) -> None:
    folder = folders["epsilon"]
    samples = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(9))
    latent = mask_latent(Latent(samples), Mask(hole()[:, ::8, ::8]))
    found = draw(load_model(folder), latent, models, method=method, seed=3, guidance=1.0).samples
    expected, wrong = (seen_around((3, s), samples, folder, models) for s in (other, 7 - other))
    assert float((found - expected).abs().max()) <= 1e-4
    assert float((found - wrong).abs().max()) > 1e-3


def test_a_network_for_holes_draws_whole_pictures_too(filling: Any, models: ModelMemory) -> None:
    found = draw(load_model(filling[1]), Latent(torch.zeros(1, 4, 8, 8)), models)
    assert bool(found.samples.isfinite().all())


@pytest.mark.parametrize("masked", [False, True])
def test_a_hole_of_a_latent_that_was_encoded_without_one_is_seen_grey(
    filling: Any, models: ModelMemory, masked: bool
) -> None:
    network = denoiser(load_model(filling[1]).model, models, Device())
    latent = Latent(torch.randn(2, 4, 8, 8))
    mask = hole()[:, ::8, ::8].expand(2, 1, 8, 8) if masked else torch.ones(2, 1, 8, 8)
    seen = beside(latent, mask if masked else None, network)
    if network.inputs == 4:
        assert seen is None
        return
    assert seen is not None
    assert torch.equal(seen[:, :1], mask)
    grey = torch.tensor([0.8223, -0.6876, 0.6364, 0.1380]).view(1, 4, 1, 1)
    expected = grey * mask + network.scaled(latent.samples) * (1 - mask)
    assert torch.allclose(seen[:, 1:], expected)


def test_a_mask_for_another_batch_or_size_is_refused(filling: Any, models: ModelMemory) -> None:
    recipes = load_model(filling[1])
    three = Latent(torch.zeros(2, 4, 8, 8), mask=torch.ones(3, 8, 8))
    with pytest.raises(InputError, match="mask is for 3 pictures, and the latent holds 2"):
        draw(recipes, three, models)
    picture = Image(torch.rand(2, SIDE, SIDE, 3))
    with pytest.raises(InputError, match="mask is for 3 pictures, and the image holds 2"):
        encode_for_inpainting(
            recipes.vae, picture, Mask(torch.ones(3, 8, 8)), models=models, device=Device()
        )


def test_a_mask_kept_in_alpha_hides_no_colour(filling: Any, models: ModelMemory) -> None:
    recipes = load_model(filling[1])
    colour = torch.rand(1, SIDE, SIDE, 3)
    painted = torch.cat([colour, hole().unsqueeze(-1)], dim=-1)
    encoded = [
        encode_for_inpainting(recipes.vae, Image(image), mask, models=models, device=Device())
        for image, mask in (
            (colour, Mask(hole())),
            (painted, Mask(hole())),
            (painted, Mask(hole()[:, ::2, ::2])),
        )
    ]
    first = encoded[0]
    for other in encoded[1:]:
        assert torch.equal(other.samples, first.samples)
        assert other.surroundings is not None
        assert first.surroundings is not None
        assert torch.equal(other.surroundings, first.surroundings)


def test_a_network_that_wants_other_channels_is_refused(
    models: ModelMemory, tmp_path: Path
) -> None:
    pipe: Any = make_pipeline()
    pipe.register_modules(unet=taking(8, pipe))
    pipe.save_pretrained(tmp_path / "eight")
    with pytest.raises(InputError, match="takes 8 channels and its autoencoder makes 4"):
        load_model(tmp_path / "eight")
