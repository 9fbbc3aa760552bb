"""Step caches over models that run by diffusers' own pipelines, beside diffusers' caches there."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import FirstBlockCacheConfig, TaylorSeerCacheConfig
from diffusers.hooks.first_block_cache import apply_first_block_cache
from diffusers.hooks.hooks import CacheContext, HookRegistry, _set_cache_context
from diffusers.hooks.taylorseer_cache import apply_taylorseer_cache
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_model
from nodeflow_nodes.diffusion.samplers.noise import start_noise
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.step_cache import first_block_cache, taylor_seer_cache
from nodeflow_nodes.diffusion.step_cache_checks import check_step_cache

from nodeflow import InputError, Latent, ModelMemory
from tests.nodes.diffusion.modular_walks import (
    DEVICE,
    NEGATIVE,
    PROMPT,
    SEED,
    SIDE,
    drawn,
    levels,
    prompts,
    silent,
    unpatched,
    walked,
)

STEPS, INTERVAL = 9, 3
THRESHOLDS = {"wan": 0.06, "wan_of_two": 0.06, "qwen_image": 0.2, "deep ltx": 0.06}
"""By which some calls are left out and others are not, in these networks of random weights."""
ALONE = ("flux_2", "deep ltx")
"""Drawn without a negative prompt."""
LITE = TaylorSeerCacheConfig(
    cache_interval=INTERVAL, use_lite_mode=True, taylor_factors_dtype=torch.float32
)
OF_Z_IMAGE = TaylorSeerCacheConfig(
    cache_interval=INTERVAL,
    skip_predict_identifiers=[r"layers\.\d+"],
    cache_identifiers=[r"all_final_layer\.[^.]+"],
    taylor_factors_dtype=torch.float32,
)


@contextmanager
def hooked(pipeline: Any, lay: Callable[[Any], None]) -> Iterator[None]:
    """While it is open, the pipeline's networks have a cache of diffusers'."""
    names = [n for n in ("transformer", "transformer_2") if getattr(pipeline, n, None) is not None]
    plain = {name: getattr(pipeline, name) for name in names}
    for name, network in plain.items():
        other = copy.deepcopy(network)
        lay(other)
        # It knows of hooks from before it was copied.
        HookRegistry.check_if_exists_or_initialize(other).invalidate_child_registries_cache()
        # Z-Image's pipeline asks for both prompts at once, and says nothing of it.
        _set_cache_context(other, CacheContext("both"))
        setattr(pipeline, name, other)
    try:
        yield
    finally:
        for name, network in plain.items():
            setattr(pipeline, name, network)


def drawn_of(kind: str, pipeline: Any, latent: Latent, memory: ModelMemory, model: Any) -> Any:
    """Where diffusers' pipeline ends from our noise, as nodes see it."""
    noise = start_noise(latent.samples, (SEED,))
    told: dict[str, Any] = {"num_inference_steps": STEPS, "latents": noise}
    if kind == "z_image":
        # It adds the difference of both prompts to the positive one.
        return drawn(pipeline, prompt=PROMPT, negative_prompt=NEGATIVE, guidance_scale=3.0, **told)
    if kind == "qwen_image":
        packed = pipeline._pack_latents(noise.unsqueeze(1), 1, 16, 8, 8)
        told["latents"] = packed
        ended = drawn(pipeline, prompt=PROMPT, negative_prompt=NEGATIVE, true_cfg_scale=4.0, **told)
        return pipeline._unpack_latents(ended, SIDE, SIDE, 8)[:, :, 0]
    if kind == "flux_2":
        return drawn(pipeline, prompt=PROMPT, guidance_scale=1.0, **told)
    if kind == "deep ltx":
        # Of two prompts it would ask at once, and a cache would decide for both.
        told |= {"latents": pipeline._pack_latents(noise), "num_frames": 9}
        ended = drawn(pipeline, prompt=PROMPT, guidance_scale=1.0, **told)
        return pipeline._unpack_latents(ended, 2, 2, 2)
    positive, negative = (p.states["prompt_embeds"] for p in prompts(model, memory))
    return drawn(
        pipeline,
        prompt_embeds=positive,
        negative_prompt_embeds=negative,
        num_frames=5,
        guidance_scale=4.0,
        **told,
    )


def computed(said: str) -> tuple[int, int]:
    """What the log says: calls that were computed whole, and all."""
    found = re.search(r"Step cache: (\d+) of (\d+) calls", said)
    assert found is not None
    return int(found[1]), int(found[2])


def compared(
    made: Any,
    memory: ModelMemory,
    kind: str,
    lay: Callable[[Any], None],
    node: Callable[[Any], Any],
) -> tuple[float, float]:
    """How far our walk with a cache ends from diffusers' with its own, and from that without."""
    folder, pipeline = made(kind)
    model = load_model(folder)
    frames = {"wan": 5, "wan_of_two": 5, "deep ltx": 9}.get(kind, 1)
    latent = empty_latent(model.model, SIDE, SIDE, frames=frames)
    with hooked(pipeline, lay):
        reference = drawn_of(kind, pipeline, latent, memory, model)
    scale = 1.0 if kind in ALONE else 4.0
    sigmas = levels(pipeline)
    plain = walked(model, latent, sigmas, scale, memory)
    found = walked(model._replace(model=node(model.model)), latent, sigmas, scale, memory)
    assert torch.equal(walked(model, latent, sigmas, scale, memory), plain)
    if kind == "flux_2":
        found, plain = unpatched(pipeline, found), unpatched(pipeline, plain)
    return float((found - reference).abs().max()), float((found - plain).abs().max())


@pytest.mark.parametrize(
    "kind", ["z_image", "wan", "wan_of_two", "qwen_image", "flux_2", "deep ltx"]
)
def test_steps_are_foretold_as_diffusers_foretells_them(
    made: Any, memory: ModelMemory, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = OF_Z_IMAGE if kind == "z_image" else LITE

    def lay(network: Any) -> None:
        apply_taylorseer_cache(network, config)

    off, moved = compared(made, memory, kind, lay, lambda m: taylor_seer_cache(m, INTERVAL))
    whole, calls = computed(capsys.readouterr().out)
    assert off <= 1e-4
    assert moved > 1e-3
    assert calls == (STEPS if kind in ALONE else 2 * STEPS)
    # Each of two networks computes its own first steps.
    assert whole < calls * (1 if kind == "wan_of_two" else 2 / 3)


@pytest.mark.parametrize("kind", THRESHOLDS)
def test_steps_are_left_out_as_diffusers_leaves_them_out(
    made: Any, memory: ModelMemory, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    threshold = THRESHOLDS[kind]

    def lay(network: Any) -> None:
        apply_first_block_cache(network, FirstBlockCacheConfig(threshold))

    off, moved = compared(made, memory, kind, lay, lambda m: first_block_cache(m, threshold))
    whole, calls = computed(capsys.readouterr().out)
    assert off <= 1e-4
    assert moved > 1e-3
    assert calls == (STEPS if kind in ALONE else 2 * STEPS)
    assert 2 < whole < calls


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("z_image", r"finds no states in what a ZImageTransformerBlock is given"),
        ("flux_2", r"some of its layers give states of the prompt, others do not"),
        ("ltx", r"it has a single layer"),
        ("ideogram", r"does not know what a Ideogram4TransformerBlock gives"),
    ],
)
def test_networks_that_diffusers_has_no_cache_for_are_refused(
    made: Any, memory: ModelMemory, kind: str, reason: str
) -> None:
    model = load_model(made(kind)[0])
    sentence = rf"diffusers' first_block_cache is not for a \w+ \(.*{reason}.*\); take the model "
    with pytest.raises(InputError, match=sentence):
        parts.denoiser(first_block_cache(model.model), memory, DEVICE)


@pytest.mark.parametrize("kind", ["z_image", "flux_2"])
def test_those_fail_in_diffusers_too(made: Any, memory: ModelMemory, kind: str) -> None:
    """Once they do not, they need not be refused here any more."""
    folder, pipeline = made(kind)
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)

    def lay(network: Any) -> None:
        apply_first_block_cache(network, FirstBlockCacheConfig(0.1))

    with hooked(pipeline, lay), pytest.raises((TypeError, ValueError)):
        drawn_of(kind, pipeline, latent, memory, model)


def natively(model: LoadedModel, latent: Latent, memory: ModelMemory) -> torch.Tensor:
    return sample(
        model.model,
        *prompts(model, memory),
        latent,
        seed=SEED,
        steps=STEPS,
        guidance=4.0,
        method="native",
        progress=silent,  # type: ignore[arg-type]
        models=memory,
        device=DEVICE,
    ).samples


def test_a_pipeline_walks_by_itself_with_a_cache(
    made: Any, memory: ModelMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, pipeline = made("z_image")
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)
    noise = torch.randn(latent.samples.shape, generator=torch.Generator().manual_seed(SEED))
    with hooked(pipeline, lambda network: apply_taylorseer_cache(network, OF_Z_IMAGE)):
        reference = drawn(
            pipeline,
            prompt=PROMPT,
            negative_prompt=NEGATIVE,
            guidance_scale=3.0,
            num_inference_steps=STEPS,
            latents=noise,
        )
    cached = model._replace(model=taylor_seer_cache(model.model, INTERVAL))
    found = natively(cached, latent, memory)
    whole, calls = computed(capsys.readouterr().out)
    assert (found - reference).abs().max() <= 1e-4
    assert (found - natively(model, latent, memory)).abs().max() > 1e-3
    assert whole < calls * 2 / 3
    assert calls == 2 * STEPS
    assert torch.equal(natively(cached, latent, memory), found)


def test_of_a_pair_that_steps_by_itself_the_network_that_hears_the_prompt_is_cached(
    made: Any, memory: ModelMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_model(made("ideogram")[0])
    latent = empty_latent(model.model, SIDE, SIDE)
    natively(model._replace(model=taylor_seer_cache(model.model, INTERVAL)), latent, memory)
    whole, calls = computed(capsys.readouterr().out)
    assert whole < calls * 2 / 3
    assert calls == STEPS


def test_a_unet_is_refused_before_the_run(tmp_path: Path, made: Any) -> None:
    index = {"_class_name": "SomePipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="is a UNet; link the model without this node"):
        check_step_cache({"family": "modular", "folder": str(tmp_path)})
    check_step_cache({"family": "modular", "folder": str(made("z_image")[0])})
