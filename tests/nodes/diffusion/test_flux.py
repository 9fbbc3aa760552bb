"""Flux 1, shrunk: the same latents as diffusers' pipeline, from folders and files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxImg2ImgPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
)
from diffusers.loaders.single_file_utils import convert_flux_transformer_checkpoint_to_diffusers
from nodeflow_nodes.diffusion import hooks, parts
from nodeflow_nodes.diffusion.families.family import Weakening
from nodeflow_nodes.diffusion.families.flux_names import flux_state
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.latents import decode
from nodeflow_nodes.diffusion.load import load_denoiser, load_model, load_text_encoder
from nodeflow_nodes.diffusion.samplers.euler import euler
from nodeflow_nodes.diffusion.text import distilled_guidance, encode_text
from nodeflow_nodes.diffusion.voices import prompt_batch
from transformers import T5Config, T5EncoderModel

from nodeflow import Device, InputError, Latent, ModelMemory
from tests.nodes.diffusion.original_layout import State, original_vae, plain_clip, prefixed
from tests.nodes.diffusion.test_stable_diffusion_3 import t5_tokenizer
from tests.nodes.diffusion.tiny_models import VAE, make_clip, save, tokenizer

PROMPT, NEGATIVE = "a red apple on a table", "pale"
SIDE, STEPS, DEVICE = 64, 5, Device()
NOISE = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(7))


def make_flux(kind: str) -> Any:
    torch.manual_seed(3)
    dev = kind == "dev"
    made = FluxPipeline(
        transformer=FluxTransformer2DModel(
            in_channels=64, num_layers=2, num_single_layers=2, attention_head_dim=32,
            num_attention_heads=2, joint_attention_dim=96, pooled_projection_dim=64,
            guidance_embeds=dev, axes_dims_rope=(4, 14, 14),
        ).eval(),
        scheduler=FlowMatchEulerDiscreteScheduler(
            shift=3.0 if dev else 1.0, use_dynamic_shifting=dev, base_shift=0.5, max_shift=1.15
        ),
        vae=AutoencoderKL(
            **VAE, latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159,
            use_quant_conv=False, use_post_quant_conv=False,
        ).eval(),
        text_encoder=make_clip(64),
        tokenizer=tokenizer("<|endoftext|>"),
        text_encoder_2=T5EncoderModel(
            T5Config(
                vocab_size=40, d_model=96, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
                feed_forward_proj="gated-gelu",
            )
        ).eval(),
        tokenizer_2=t5_tokenizer(),
    )  # fmt: skip
    made.set_progress_bar_config(disable=True)
    return made


_NAMES = {
    "time_text_embed.timestep_embedder.linear_1.": "time_in.in_layer.",
    "time_text_embed.timestep_embedder.linear_2.": "time_in.out_layer.",
    "time_text_embed.text_embedder.linear_1.": "vector_in.in_layer.",
    "time_text_embed.text_embedder.linear_2.": "vector_in.out_layer.",
    "time_text_embed.guidance_embedder.linear_1.": "guidance_in.in_layer.",
    "time_text_embed.guidance_embedder.linear_2.": "guidance_in.out_layer.",
    "x_embedder.": "img_in.",
    "context_embedder.": "txt_in.",
}
_DOUBLE = {
    "img_mod.lin": "norm1.linear",
    "txt_mod.lin": "norm1_context.linear",
    "img_attn.proj": "attn.to_out.0",
    "txt_attn.proj": "attn.to_add_out",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
}
_NORMS = {
    "img_attn.norm.query_norm": "attn.norm_q",
    "img_attn.norm.key_norm": "attn.norm_k",
    "txt_attn.norm.query_norm": "attn.norm_added_q",
    "txt_attn.norm.key_norm": "attn.norm_added_k",
}


def original_flux(state: State) -> State:
    """Names of Black Forest Labs' own code."""
    found = {
        theirs + name.removeprefix(ours): tensor
        for name, tensor in state.items()
        for ours, theirs in _NAMES.items()
        if name.startswith(ours)
    }
    for end in ("weight", "bias"):
        found[f"final_layer.linear.{end}"] = state[f"proj_out.{end}"]
        scale, shift = state[f"norm_out.linear.{end}"].chunk(2)
        found[f"final_layer.adaLN_modulation.1.{end}"] = torch.cat([shift, scale])
    for i in range(2):
        old, single = f"transformer_blocks.{i}.", f"single_transformer_blocks.{i}."
        new, one = f"double_blocks.{i}.", f"single_blocks.{i}."
        for end in ("weight", "bias"):
            for theirs, ours in _DOUBLE.items():
                found[f"{new}{theirs}.{end}"] = state[f"{old}{ours}.{end}"]
            for theirs, ours in (("img", "to_{}"), ("txt", "add_{}_proj")):
                rows = [state[f"{old}attn.{ours.format(part)}.{end}"] for part in "qkv"]
                found[f"{new}{theirs}_attn.qkv.{end}"] = torch.cat(rows)
            names = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
            found[f"{one}linear1.{end}"] = torch.cat([state[f"{single}{n}.{end}"] for n in names])
            found[f"{one}linear2.{end}"] = state[f"{single}proj_out.{end}"]
            found[f"{one}modulation.lin.{end}"] = state[f"{single}norm.linear.{end}"]
        for theirs, ours in _NORMS.items():
            found[f"{new}{theirs}.scale"] = state[f"{old}{ours}.weight"]
        for theirs, ours in (("query", "q"), ("key", "k")):
            found[f"{one}norm.{theirs}_norm.scale"] = state[f"{single}attn.norm_{ours}.weight"]
    return found


@pytest.fixture(scope="module")
def pipes() -> dict[str, Any]:
    return {kind: make_flux(kind) for kind in ("dev", "schnell")}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, pipes: dict[str, Any]) -> Path:
    """A folder and separate files of each kind, as other tools lay them out."""
    found = tmp_path_factory.mktemp("models")
    for kind, pipe in pipes.items():
        pipe.save_pretrained(found / kind)
        network = original_flux(pipe.transformer.state_dict())
        save(network, found / f"{kind}.safetensors")
        t5 = pipe.text_encoder_2.state_dict()
        whole = prefixed("model.diffusion_model.", network)
        whole |= prefixed("vae.", original_vae(pipe.vae.state_dict()))
        clip = plain_clip(pipe.text_encoder.state_dict())
        whole |= prefixed("text_encoders.clip_l.transformer.", clip)
        own = {n: t for n, t in t5.items() if "embed_tokens" not in n}
        whole |= prefixed("text_encoders.t5xxl.transformer.", own)
        save(whole, found / f"{kind}_whole.safetensors")
        save(clip, found / f"{kind}_clip_l.safetensors")
        save(own, found / f"{kind}_t5xxl.safetensors")
    shutil.copy(found / "dev" / "tokenizer_2" / "tokenizer.json", found)
    return found


@pytest.fixture(scope="module")
def memory() -> ModelMemory:
    return ModelMemory()


def parts_of(root: Path, kind: str, place: str) -> tuple[Any, Any]:
    if place == "separate":
        encoder = load_text_encoder(
            root / f"{kind}_clip_l.safetensors", root / f"{kind}_t5xxl.safetensors"
        )
        return load_denoiser(root / f"{kind}.safetensors"), encoder
    model = load_model(root / (kind if place == "folder" else f"{kind}_whole.safetensors"))
    return model.model, model.text_encoder


def estimator(
    root: Path, kind: str, place: str, memory: ModelMemory, guidance: float, true: float
) -> tuple[Any, Callable[[torch.Tensor, float], torch.Tensor]]:
    model, encoder = parts_of(root, kind, place)
    network = parts.denoiser(model, memory, DEVICE)
    batches = []
    for prompt in (PROMPT, NEGATIVE):
        words = encode_text(encoder, prompt, models=memory, device=DEVICE)
        words = distilled_guidance(words, guidance)
        batches.append(prompt_batch("positive", words, network, 1))

    def guided(x: torch.Tensor, sigma: float) -> torch.Tensor:
        yes = network.estimate(x, sigma, batches[0])
        return (
            yes if true == 1 else yes + (true - 1) * (yes - network.estimate(x, sigma, batches[1]))
        )

    return network, guided


def packed(x: torch.Tensor) -> torch.Tensor:
    return FluxPipeline._pack_latents(x, 1, 16, 8, 8)


def unpacked(x: torch.Tensor) -> torch.Tensor:
    return FluxPipeline._unpack_latents(x, SIDE, SIDE, 8)


@pytest.mark.parametrize("place", ["folder", "whole", "separate"])
@pytest.mark.parametrize(("kind", "true"), [("dev", 1.0), ("dev", 2.0), ("schnell", 1.0)])
def test_text_to_image_is_that_of_the_pipeline(
    root: Path, pipes: dict[str, Any], memory: ModelMemory, kind: str, true: float, place: str
) -> None:
    pipe = pipes[kind]
    expected = unpacked(
        pipe(
            PROMPT, negative_prompt=NEGATIVE, true_cfg_scale=true, guidance_scale=4.5,
            num_inference_steps=STEPS, height=SIDE, width=SIDE, latents=packed(NOISE),
            output_type="latent",
        ).images
    )  # fmt: skip
    _, guided = estimator(root, kind, place, memory, 4.5, true)
    found = euler(guided, NOISE, pipe.scheduler.sigmas.tolist())
    assert expected.std() > 0.1
    assert float((found - expected).abs().max()) <= 1e-4


def test_image_to_image_is_that_of_the_pipeline(
    root: Path, pipes: dict[str, Any], memory: ModelMemory
) -> None:
    latent = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(5))
    pipe = FluxImg2ImgPipeline(**pipes["dev"].components)
    pipe.set_progress_bar_config(disable=True)
    network, guided = estimator(root, "dev", "folder", memory, 3.5, 1.0)
    expected = pipe(
        PROMPT, image=latent, strength=0.6, guidance_scale=3.5, num_inference_steps=STEPS,
        height=SIDE, width=SIDE, generator=torch.Generator().manual_seed(7), output_type="latent",
    ).images  # fmt: skip
    sigmas = pipe.scheduler.sigmas.tolist()[2:]
    noise = torch.randn(latent.shape, generator=torch.Generator().manual_seed(7))
    found = euler(guided, network.levels.start(latent, noise, sigmas[0]), sigmas)
    assert float((found - unpacked(expected)).abs().max()) <= 1e-4


@pytest.mark.parametrize("place", ["dev", "dev_whole.safetensors"])
def test_pictures_levels_and_facts(
    root: Path, pipes: dict[str, Any], memory: ModelMemory, place: str
) -> None:
    model = load_model(root / place)
    network = parts.denoiser(model.model, memory, DEVICE)
    latent = network.unscaled(NOISE)
    assert torch.allclose(latent, NOISE / 0.3611 + 0.1159)
    with torch.no_grad():
        pixels = pipes["dev"].vae.decode(latent).sample
    found = decode(model.vae, Latent(latent), models=memory, device=DEVICE)
    assert torch.allclose(found, (pixels / 2 + 0.5).clamp(0, 1).movedim(1, -1), atol=1e-5)
    assert len(network.levels.table) == 10000
    assert network.levels.t(0.25) == pytest.approx(0.25)
    facts = hooks.model_facts(root / place)["model"]
    assert (facts["family"], facts["channels"], facts["downscale"]) == ("flux", 16, 8)


def test_names_are_those_of_diffusers_own_conversion() -> None:
    """It knows the full width only, and looks at rows alone: one column is enough."""
    state = {
        name: torch.randn(rows, 1) if rows != 128 else torch.randn(rows)
        for name, rows in full_size_rows().items()
    }
    convert: Any = convert_flux_transformer_checkpoint_to_diffusers
    expected = convert(dict(state))
    found = flux_state(state)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def full_size_rows() -> dict[str, int]:
    with torch.device("meta"):
        network = FluxTransformer2DModel(num_layers=2, num_single_layers=2, guidance_embeds=True)
    return {name: len(tensor) for name, tensor in original_flux(network.state_dict()).items()}


def test_a_network_that_fills_is_refused(root: Path, tmp_path: Path, pipes: dict[str, Any]) -> None:
    state = original_flux(pipes["dev"].transformer.state_dict())
    state["img_in.weight"] = torch.zeros(64, 384)
    file = save(state, tmp_path / "fill.safetensors")
    with pytest.raises(InputError, match=r"takes .*384.* only models that draw from text"):
        inspect_model(file)


def test_single_blocks_may_be_skipped_too(root: Path, memory: ModelMemory) -> None:
    network, guided = estimator(root, "dev", "folder", memory, 3.5, 1.0)
    before = guided(NOISE, 0.5)
    for layer in (1, 3):
        with network.weakened(Weakening(layers=(layer,))):
            assert not torch.allclose(guided(NOISE, 0.5), before, atol=1e-3)
    assert torch.equal(guided(NOISE, 0.5), before)
