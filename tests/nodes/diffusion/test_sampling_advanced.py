"""Guiders and walks in parts, against diffusers and against `sample`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPAGPipeline
from nodeflow_nodes.diffusion import guiders
from nodeflow_nodes.diffusion.guiders import GUIDER_CODEC, Guider
from nodeflow_nodes.diffusion.latent_edits import add_noise, seed_batch
from nodeflow_nodes.diffusion.load import LoadedModel, load_denoiser, load_model
from nodeflow_nodes.diffusion.parts import denoiser
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.sampling_advanced import Walked, noise_levels, sample_advanced
from nodeflow_nodes.diffusion.schedules import noise_schedule
from nodeflow_nodes.diffusion.shift import shift_noise
from nodeflow_nodes.diffusion.text import encode_text

from nodeflow import Conditioning, Device, InputError, Latent, ModelMemory, Progress
from tests.nodes.diffusion.conftest import make_pipeline
from tests.nodes.diffusion.samplers.conftest import forgiving_numpy
from tests.nodes.diffusion.tiny_flow_models import flux_state, make_flux
from tests.nodes.diffusion.tiny_models import save

EMPTY = Latent(torch.zeros(1, 4, 8, 8))
FACTOR = 0.5


@pytest.fixture(scope="module", params=["epsilon", "v_prediction"])
def reference(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A pipeline that walks whole times with Euler's method, and its folder."""
    pipe: Any = make_pipeline()
    pipe.register_modules(
        scheduler=EulerDiscreteScheduler.from_config(
            pipe.scheduler.config, timestep_spacing="leading", prediction_type=request.param
        )
    )
    folder = tmp_path_factory.mktemp("euler") / request.param
    pipe.save_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    return pipe, folder


@pytest.fixture
def services(models: ModelMemory) -> dict[str, Any]:
    return {"progress": Progress(), "models": models, "device": Device()}


def prompts(folder: Path, models: ModelMemory) -> tuple[Conditioning, Conditioning]:
    recipes = load_model(folder)
    first, second = (
        encode_text(recipes.text_encoder, text, models=models, device=Device())
        for text in ("a red apple", "")
    )
    return first, second


def guided_walk(
    reference: Any, services: dict[str, Any], change: Callable[[Guider], Guider]
) -> torch.Tensor:
    pipe, folder = reference
    positive, negative = prompts(folder, services["models"])
    made = change(guiders.guider(load_model(folder).model, positive, negative, 5.0))
    found = sample_advanced(made, EMPTY, pipe.scheduler.sigmas.tolist(), seed=3, **services)
    return found.latent.samples * FACTOR


def expected(pipe: Any, **more: Any) -> torch.Tensor:
    with forgiving_numpy():
        latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
        pipe.scheduler.set_timesteps(6)
        # The pipeline scales noise by its own rule; the walk begins at the highest level here.
        ours = latents * pipe.scheduler.sigmas[0] / pipe.scheduler.init_noise_sigma
        found: torch.Tensor = pipe(
            "a red apple",
            latents=ours,
            num_inference_steps=6,
            guidance_scale=5.0,
            height=64,
            width=64,
            output_type="latent",
            **more,
        ).images
    return found


def test_rescaled_guidance_equals_diffusers_where_it_is_the_velocity(
    reference: Any, services: dict[str, Any]
) -> None:
    pipe = reference[0]
    rescaled = expected(pipe, guidance_rescale=0.7)
    found = guided_walk(reference, services, lambda g: guiders.rescale_guidance(g, 0.7))
    if pipe.scheduler.config.prediction_type == "v_prediction":
        assert float((found - rescaled).abs().max()) <= 1e-4
    # A network of noise is rescaled as a velocity too, which diffusers does not do.
    assert float((found - expected(pipe)).abs().max()) > 1e-3


def test_perturbed_attention_equals_diffusers(reference: Any, services: dict[str, Any]) -> None:
    pipe = StableDiffusionPAGPipeline(
        **reference[0].components, requires_safety_checker=False, pag_applied_layers="mid"
    )
    pipe.set_progress_bar_config(disable=True)
    wanted = expected(pipe, pag_scale=2.0)
    # The PAG pipeline has put its own attention into the network that it shares.
    found = guided_walk(reference, services, lambda g: guiders.perturbed_attention(g, 2.0))
    assert float((found - wanted).abs().max()) <= 1e-4
    plain = guided_walk(reference, services, lambda g: g)
    assert float((found - plain).abs().max()) > 1e-3


def test_layers_of_a_network_that_is_no_stack_are_not_skipped(
    reference: Any, services: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="use perturbed_attention"):
        guided_walk(reference, services, lambda g: guiders.skip_layers(g, [1], start=0.0, end=1.0))
    with pytest.raises(InputError, match="no layers are named"):
        guided_walk(reference, services, lambda g: guiders.skip_layers(g, []))


def flow(shift: float, time: float = 0.75) -> float:
    return shift * time / (1 + (shift - 1) * time)


def test_a_walk_adds_no_rounding_to_that_of_the_network(
    reference: Any, services: dict[str, Any]
) -> None:
    pipe, folder = reference
    positive, negative = prompts(folder, services["models"])
    sigmas = noise_levels(load_model(folder).model, 30, models=services["models"], device=Device())
    made = guiders.guider(load_model(folder).model, positive, negative, 9.0)
    found = sample_advanced(made, EMPTY, sigmas, seed=3, **services).latent.samples * FACTOR

    levels = denoiser(load_model(folder).model, services["models"], Device()).levels
    both = torch.cat([negative.hidden, positive.hidden])
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3))
    x = levels.start(torch.zeros_like(noise), noise, sigmas[0]).double()
    for sigma, following in pairwise(sigmas):
        seen = (x / math.sqrt(sigma**2 + 1)).float().expand(2, -1, -1, -1)
        with torch.no_grad():
            out = pipe.unet(seen, levels.t(sigma), both).sample.double()
        out = out[:1] + 9.0 * (out[1:] - out[:1])
        if pipe.scheduler.config.prediction_type == "epsilon":
            slope = out
        else:
            slope = x * sigma / (sigma**2 + 1) + out / math.sqrt(sigma**2 + 1)
        x = x + (following - sigma) * slope
    # A walk in float32 ends 1.4e-6 away where the network gives noise.
    assert torch.allclose(found.double(), x, rtol=0, atol=8e-7 * float(x.abs().max()))


@pytest.mark.parametrize(
    ("kind", "second"),
    [("1", 4.1), ("xl", 4.1), ("sd3", flow(3)), ("dev", flow(math.exp(1.15))), ("schnell", 0.75)],
)
def test_levels_are_told_without_loading_the_network(
    kind: str,
    second: float,
    opened: dict[str, LoadedModel],
    flow_opened: dict[str, LoadedModel],
    tmp_path: Path,
) -> None:
    if kind == "schnell":
        model = load_denoiser(save(flux_state(make_flux(kind)), tmp_path / "schnell.safetensors"))
    else:
        model = {**opened, **flow_opened, "dev": flow_opened["flux"]}[kind].model
    services: dict[str, Any] = {"models": ModelMemory(), "device": Device()}
    sigmas = noise_levels(model, 4, "simple", **services)
    assert sigmas[1] == pytest.approx(second, rel=0.01)
    if second < 1:
        assert noise_levels(shift_noise(model, 6), 4, "simple", **services)[1] == pytest.approx(
            flow(6)
        )
    assert services["models"].used == 0
    network = denoiser(model, **services)
    assert services["models"].used > 0
    assert noise_schedule("simple", network.levels, 4) == sigmas


@pytest.fixture
def walk(folder: Path, models: ModelMemory, services: dict[str, Any]) -> Callable[..., Walked]:
    """`sample_advanced` along the levels of six steps."""
    positive, negative = prompts(folder, models)
    model = load_model(folder).model
    levels = noise_levels(model, 6, models=models, device=Device())

    def run(latent: Latent = EMPTY, sigmas: list[float] = levels, **more: Any) -> Walked:
        made = guiders.guider(model, positive, negative, 3.0)
        return sample_advanced(made, latent, sigmas, **{"seed": 5, **more}, **services)

    return run


def test_a_whole_walk_is_what_sample_does(
    walk: Callable[..., Walked], folder: Path, models: ModelMemory, services: dict[str, Any]
) -> None:
    positive, negative = prompts(folder, models)
    model = load_model(folder).model
    plain = sample(model, positive, negative, EMPTY, 5, 6, 3.0, **services)
    assert torch.equal(walk().latent.samples, plain.samples)


@pytest.mark.parametrize("method", ["euler", "heun", "ddim"])
def test_two_halves_are_one_walk(walk: Callable[..., Walked], method: str) -> None:
    whole = walk(method=method).latent
    first = walk(method=method, end_step=3, keep_noise=True).latent
    second = walk(latent=first, method=method, start_step=3, add_noise=False).latent
    assert torch.allclose(second.samples, whole.samples, atol=1e-5)
    stopped = walk(method=method, end_step=3).latent
    assert not torch.allclose(stopped.samples, first.samples, atol=0.1)


def test_estimates_on_the_way_are_kept(walk: Callable[..., Walked]) -> None:
    assert walk().estimates == []
    ended, estimates = walk(keep_every=2)
    assert len(estimates) == 3
    assert torch.allclose(estimates[-1].samples, ended.samples, atol=1e-5)
    assert not torch.allclose(estimates[0].samples, ended.samples, atol=1e-2)


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"start_step": 6}, "has 6 steps, and none lies between start_step 6 and end_step 1000"),
        ({"start_step": 2, "end_step": 2}, "none lies between start_step 2 and end_step 2"),
        ({"sigmas": [1.0]}, "1 noise levels are no step"),
        ({"sigmas": [1.0, 2.0, 0.0]}, "1 is followed by 2"),
        ({"sigmas": [1.0, 1.0, 0.0]}, "1 is followed by 1"),
        ({"sigmas": [1.0, -1.0]}, "1 is followed by -1"),
    ],
)
def test_steps_that_do_not_exist_are_refused(
    walk: Callable[..., Walked], inputs: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        walk(**inputs)


@pytest.mark.parametrize("method", ["euler", "euler_ancestral", "dpmpp_2m_sde"])
def test_a_seed_list_gives_each_picture_what_it_gets_alone(
    walk: Callable[..., Walked], method: str
) -> None:
    seeds = [11, 4, 2**53 - 1]
    together = walk(latent=seed_batch(EMPTY, seeds), method=method).latent.samples
    for place, seed in enumerate(seeds):
        alone = walk(method=method, seed=seed).latent.samples
        assert float((together[place] - alone[0]).abs().max()) <= 1e-4


def test_seeds_and_pictures_must_be_as_many(walk: Callable[..., Walked]) -> None:
    with pytest.raises(InputError, match="3 seeds do not fit 2 pictures"):
        seed_batch(Latent(torch.zeros(2, 4, 8, 8)), [1, 2, 3])
    with pytest.raises(InputError, match="seed -1 is not between"):
        seed_batch(EMPTY, [-1])
    with pytest.raises(InputError, match="holds 1 pictures and 2 seeds"):
        walk(latent=replace(EMPTY, seeds=(1, 2)))


def test_noise_added_by_hand_is_walked_away(
    walk: Callable[..., Walked], folder: Path, models: ModelMemory
) -> None:
    model = load_model(folder).model
    latent = Latent(torch.randn(1, 4, 8, 8))
    noisy, noisier = (
        add_noise(model, latent, 5, amount, models=models, device=Device()).samples
        for amount in (0.2, 0.8)
    )
    near, far = ((one - latent.samples).std() for one in (noisy, noisier))
    assert 0 < near < far / 3
    # As if the walk itself had begun there.
    table = denoiser(model, models, Device()).levels.table
    sigmas = [float(table[index]) for index in (400, 200, 50)]
    by_hand = add_noise(model, latent, 5, 400 / 999, models=models, device=Device())
    assert torch.allclose(
        walk(latent=by_hand, sigmas=sigmas, add_noise=False).latent.samples,
        walk(latent=latent, sigmas=sigmas).latent.samples,
        atol=1e-4,
    )


def test_guiders_are_known_by_their_content(folder: Path, models: ModelMemory) -> None:
    positive, negative = prompts(folder, models)
    model = load_model(folder).model
    made = guiders.guider(model, positive, negative, 3.0)
    variants = [
        made,
        replace(made, scale=4.0),
        guiders.rescale_guidance(made, 0.5),
        guiders.perturbed_attention(made),
        guiders.guider(model, negative, positive, 3.0),
        guiders.guider(model, positive),
    ]
    assert len({GUIDER_CODEC.fingerprint(variant) for variant in variants}) == len(variants)
    again = guiders.guider(replace(model, path="/elsewhere"), positive, negative, 3.0)  # type: ignore[arg-type]
    assert GUIDER_CODEC.fingerprint(again) == GUIDER_CODEC.fingerprint(made)
    with pytest.raises(InputError, match="str is not a Guider"):
        GUIDER_CODEC.verify("no")
