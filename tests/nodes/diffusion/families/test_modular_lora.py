"""LoRA files over models that run by diffusers' own pipelines, beside diffusers with peft."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.hooks import model_facts
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.lora import load_lora, load_lora_model
from nodeflow_nodes.diffusion.lora_checks import check_lora, check_lora_model
from nodeflow_nodes.diffusion.samplers.noise import start_noise
from nodeflow_nodes.diffusion.text import encode_text
from nodeflow_nodes.diffusion.text_encoders import clip_skip
from safetensors.torch import save_file

from nodeflow import InputError, ModelMemory
from tests.nodes.diffusion.modular_walks import (
    DEVICE,
    NEGATIVE,
    PROMPT,
    SEED,
    SIDE,
    STEPS,
    levels,
    walked,
)

State = dict[str, torch.Tensor]
RANK, STRENGTH = 3, 0.7
# Modules that every kind of file can name.
Z_IMAGE = ("layers.0.attention.to_q", "layers.0.attention.to_out.0", "layers.0.feed_forward.w1")
QWEN = ("transformer_blocks.0.attn.to_q", "transformer_blocks.0.img_mlp.net.2")
WAN = ("blocks.0.attn1.to_q", "blocks.0.attn2.to_k", "blocks.0.ffn.net.0.proj")
FLUX_2 = ("transformer_blocks.0.attn.to_q", "transformer_blocks.0.attn.to_out.0")
WAN_NAMES = {"attn1.to_q": "self_attn.q", "attn2.to_k": "cross_attn.k", "ffn.net.0.proj": "ffn.0"}


def factors(network: Any, modules: tuple[str, ...]) -> dict[str, tuple[Any, Any]]:
    draw = torch.Generator().manual_seed(3)

    def pair(module: Any) -> tuple[torch.Tensor, torch.Tensor]:
        rows, columns = module.weight.shape
        down = torch.randn(RANK, columns, generator=draw) / columns**0.5
        return down, torch.randn(rows, RANK, generator=draw) * 0.3

    return {name: pair(network.get_submodule(name)) for name in modules}


def diffusers_names(layers: dict[str, tuple[Any, Any]]) -> State:
    state = {}
    for name, (down, up) in layers.items():
        state |= {
            f"transformer.{name}.lora_A.weight": down,
            f"transformer.{name}.lora_B.weight": up,
        }
    return state


def comfy_names(layers: dict[str, tuple[Any, Any]]) -> State:
    state = {}
    for name, (down, up) in layers.items():
        start = f"diffusion_model.{name}"
        state |= {f"{start}.lora_down.weight": down, f"{start}.lora_up.weight": up}
        state[f"{start}.alpha"] = torch.tensor(2.0)
    return state


def wan_names(layers: dict[str, tuple[Any, Any]]) -> State:
    def named(name: str) -> str:
        for ours, theirs in WAN_NAMES.items():
            name = name.replace(ours, theirs)
        return name

    return comfy_names({named(name): pair for name, pair in layers.items()})


def separate_attention(layers: dict[str, tuple[Any, Any]]) -> State:
    """Flux 2's first code has the three matrices of an attention as one."""
    down, up = layers["transformer_blocks.0.attn.to_q"]
    rows = torch.cat([up, 2 * up, 3 * up])
    start = "diffusion_model.double_blocks.0.img_attn.qkv"
    return {f"{start}.lora_A.weight": down, f"{start}.lora_B.weight": rows}


@pytest.mark.parametrize(
    ("kind", "modules", "names"),
    [
        ("z_image", Z_IMAGE, diffusers_names),
        ("z_image", Z_IMAGE, comfy_names),
        ("qwen_image", QWEN, diffusers_names),
        ("qwen_image", QWEN, comfy_names),
        ("wan", WAN, diffusers_names),
        ("wan", WAN, wan_names),
        ("flux_2", FLUX_2, diffusers_names),
        ("flux_2", FLUX_2, separate_attention),
    ],
)
def test_weights_are_those_of_diffusers(
    made: Any,
    memory: ModelMemory,
    tmp_path: Path,
    kind: str,
    modules: tuple[str, ...],
    names: Callable[[dict[str, tuple[Any, Any]]], State],
) -> None:
    folder, pipeline = made(kind)
    file = tmp_path / "lora.safetensors"
    save_file(names(factors(pipeline.transformer, modules)), file)
    model = load_model(folder).model
    plain = network_of(model, memory).state_dict()
    changed = network_of(load_lora_model(model, file, STRENGTH), memory).state_dict()
    reference = type(pipeline).from_pretrained(folder)
    reference.load_lora_weights(str(tmp_path), weight_name=file.name)
    reference.fuse_lora(lora_scale=STRENGTH)
    reference.unload_lora_weights()
    theirs = reference.transformer.state_dict()
    assert changed.keys() == theirs.keys()
    moved = [name for name in plain if not torch.equal(plain[name], changed[name])]
    assert len(moved) >= 2
    for name, weight in theirs.items():
        assert (changed[name] - weight).abs().max() <= 1e-5, name
    assert all(
        torch.equal(weight, pipeline.transformer.state_dict()[name])
        for name, weight in network_of(model, memory).state_dict().items()
    )


def network_of(model: Any, memory: ModelMemory) -> Any:
    found: Any = parts.denoiser(model, memory, DEVICE)
    return found.stage.modules["transformer"]


def test_pictures_are_those_of_diffusers_and_the_old_ones_come_back(
    made: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    folder, pipeline = made("z_image")
    file = tmp_path / "lora.safetensors"
    save_file(diffusers_names(factors(pipeline.transformer, Z_IMAGE)), file)
    model = load_model(folder)
    latent = empty_latent(model.model, SIDE, SIDE)
    before = walked(model, latent, steps_of(pipeline, latent), 4.0, memory)
    with_lora = load_lora(model.model, model.text_encoder, file)
    assert with_lora.text_encoder == model.text_encoder
    found = walked(
        model._replace(model=with_lora.model), latent, steps_of(pipeline, latent), 4.0, memory
    )
    reference = type(pipeline).from_pretrained(folder)
    reference.set_progress_bar_config(disable=True)
    reference.load_lora_weights(str(tmp_path), weight_name=file.name)
    expected = drawn(reference, latent)
    assert (found - expected).abs().max() <= 1e-4
    assert (found - before).abs().max() > 1e-2
    again = walked(model, latent, steps_of(pipeline, latent), 4.0, memory)
    assert torch.equal(again, before)


def drawn(pipeline: Any, latent: Any) -> torch.Tensor:
    found: torch.Tensor = pipeline(
        prompt=PROMPT,
        negative_prompt=NEGATIVE,
        height=SIDE,
        width=SIDE,
        num_inference_steps=STEPS,
        guidance_scale=3.0,
        latents=start_noise(latent.samples, (SEED,)),
        output_type="latent",
    ).images
    return found


def steps_of(pipeline: Any, latent: Any) -> list[float]:
    drawn(pipeline, latent)
    return levels(pipeline)


@pytest.mark.parametrize(
    ("noise", "changed"),
    [
        ("all", {"transformer", "transformer_2"}),
        ("high", {"transformer"}),
        ("low", {"transformer_2"}),
    ],
)
def test_of_two_networks_both_are_changed_or_the_one_that_is_chosen(
    made: Any,
    memory: ModelMemory,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    noise: Any,
    changed: set[str],
) -> None:
    folder, pipeline = made("wan_of_two")
    file = tmp_path / "lora.safetensors"
    save_file(wan_names(factors(pipeline.transformer, WAN)), file)
    model = load_model(folder)
    facts = {"family": "modular", "folder": str(folder)}
    check_lora_model(facts, file, noise)
    with caplog.at_level("INFO"):
        recipe = load_lora_model(model.model, file, STRENGTH, noise)
        found: Any = parts.denoiser(recipe, memory, DEVICE)
    for name in ("transformer", "transformer_2"):
        plain = getattr(pipeline, name).state_dict()
        moved = {
            n for n, w in found.stage.modules[name].state_dict().items() if (w != plain[n]).any()
        }
        assert moved == ({f"{module}.weight" for module in WAN} if name in changed else set())
        count = len(WAN) if name in changed else 0
        assert f"LoRA files changed {count} weights of '{name}' of Wan" in caplog.text
    latent = empty_latent(model.model, SIDE, SIDE, frames=5)
    # The second network has the word below 0.875.
    high, low = (
        not torch.equal(
            walked(model._replace(model=recipe), latent, sigmas, 1.0, memory).flatten(),
            walked(model, latent, sigmas, 1.0, memory).flatten(),
        )
        for sigmas in ([1.0, 0.9], [0.8, 0.0])
    )
    assert (high, low) == ("transformer" in changed, "transformer_2" in changed)


def test_a_network_that_the_model_has_not_is_not_chosen(
    made: Any, loaded: Any, tmp_path: Path
) -> None:
    folder, pipeline = made("wan")
    file = tmp_path / "lora.safetensors"
    save_file(wan_names(factors(pipeline.transformer, WAN)), file)
    for model in (load_model(folder).model, loaded.model):
        with pytest.raises(InputError, match=r"one network for all noise, .*set noise to all"):
            load_lora_model(model, file, noise="low")


def test_a_lora_of_another_family_is_refused_before_the_run(made: Any, tmp_path: Path) -> None:
    folder, pipeline = made("z_image")
    strange = {
        "transformer.transformer_blocks.0.attn.to_q.lora_A.weight": torch.zeros(RANK, 8),
        "transformer.transformer_blocks.0.attn.to_q.lora_B.weight": torch.zeros(8, RANK),
    }
    file = tmp_path / "qwen.safetensors"
    save_file(strange, file)
    with pytest.raises(InputError, match=r"qwen.safetensors changes .* has none of them"):
        check_lora_model({"family": "modular", "folder": str(folder)}, file)
    file = tmp_path / "good.safetensors"
    save_file(diffusers_names(factors(pipeline.transformer, Z_IMAGE)), file)
    check_lora_model({"family": "modular", "folder": str(folder)}, file)


STRANGERS = {
    "a difference": {"diffusion_model.heaven.norm.diff": torch.zeros(8)},
    "dots": {
        "diffusion_model.heaven.q.lora_A.weight": torch.zeros(RANK, 8),
        "diffusion_model.heaven.q.lora_B.weight": torch.zeros(8, RANK),
    },
    "underscores": {
        "lora_unet_heaven_q.lora_down.weight": torch.zeros(RANK, 8),
        "lora_unet_heaven_q.lora_up.weight": torch.zeros(8, RANK),
    },
}


@pytest.mark.parametrize("strangers", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize(
    ("kind", "modules"),
    [
        ("z_image", Z_IMAGE),
        ("qwen_image", QWEN),
        ("wan", WAN),
        ("flux_2", FLUX_2),
        ("flux_kontext", FLUX_2[:1]),
    ],
)
def test_a_stranger_in_a_file_is_left_out_and_said(
    made: Any,
    memory: ModelMemory,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    modules: tuple[str, ...],
    strangers: State,
) -> None:
    folder, pipeline = made(kind)
    model = load_model(folder).model
    layers = diffusers_names(factors(pipeline.transformer, modules))
    save_file(layers, tmp_path / "alone.safetensors")
    save_file(layers | strangers, tmp_path / "mixed.safetensors")
    alone, mixed = (
        network_of(load_lora_model(model, tmp_path / file), memory).state_dict()
        for file in ("alone.safetensors", "mixed.safetensors")
    )
    assert all(torch.equal(weight, mixed[name]) for name, weight in alone.items())
    plain = pipeline.transformer.state_dict()
    moved = {name for name, weight in mixed.items() if not torch.equal(weight, plain[name])}
    assert moved == {f"{name}.weight" for name in modules}
    ours = [record for record in caplog.records if record.name.startswith("nodeflow")]
    said = [record.getMessage() for record in ours]
    assert len(said) == 1
    assert "mixed.safetensors holds 1 layers that are for nothing in this model" in said[0]
    assert "heaven" in said[0]


def test_a_file_that_diffusers_converts_to_nothing_is_refused(
    made: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    folder, _ = made("flux_2")
    file = tmp_path / "nothing.safetensors"
    save_file(STRANGERS["underscores"], file)
    model = load_lora_model(load_model(folder).model, file)
    with pytest.raises(InputError, match=r"nothing.safetensors is for another .* 'heaven_q'"):
        parts.denoiser(model, memory, DEVICE)


TEXT = {
    "text_encoder.layers.0.self_attn.q_proj.lora_A.weight": torch.zeros(RANK, 32),
    "text_encoder.layers.0.self_attn.q_proj.lora_B.weight": torch.zeros(32, RANK),
}


def test_layers_for_a_text_encoder_are_refused_before_the_run_and_the_way_out_works(
    made: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    folder, pipeline = made("z_image")
    file = tmp_path / "both.safetensors"
    save_file(diffusers_names(factors(pipeline.transformer, Z_IMAGE)) | TEXT, file)
    model, facts = load_model(folder), model_facts(folder)
    sentence = r"both.safetensors changes text encoders .*; use load_lora_model"
    with pytest.raises(InputError, match=sentence):
        check_lora(facts["model"], facts["text_encoder"], file)
    with pytest.raises(InputError, match=sentence):
        load_lora(model.model, model.text_encoder, file)
    check_lora(facts["model"], facts["text_encoder"], file, 0)
    with_lora = load_lora(model.model, model.text_encoder, file, strength_text=0)
    assert with_lora.text_encoder == model.text_encoder
    alone = load_lora_model(model.model, file)
    plain = pipeline.transformer.state_dict()
    found = network_of(alone, memory).state_dict()
    assert any(not torch.equal(weight, plain[name]) for name, weight in found.items())


def test_a_file_for_text_encoders_alone_is_refused(made: Any, tmp_path: Path) -> None:
    model = load_model(made("z_image")[0])
    file = tmp_path / "words.safetensors"
    save_file(TEXT, file)
    with pytest.raises(InputError, match=r"words.safetensors changes text .*; choose another"):
        load_lora(model.model, model.text_encoder, file)


def test_what_is_no_lora_is_not_called_one(made: Any, memory: ModelMemory) -> None:
    encoder = clip_skip(load_model(made("z_image")[0]).text_encoder, 1)
    with pytest.raises(InputError, match="takes no CLIP skip"):
        encode_text(encoder, PROMPT, models=memory, device=DEVICE)


def test_names_that_nobody_knows_are_said_when_it_is_laid(
    made: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    folder, _ = made("wan")
    file = tmp_path / "strange.safetensors"
    save_file(
        {
            "diffusion_model.heaven.q.lora_down.weight": torch.zeros(RANK, 8),
            "diffusion_model.heaven.q.lora_up.weight": torch.zeros(8, RANK),
        },
        file,
    )
    model = load_lora_model(load_model(folder).model, file)
    with pytest.raises(InputError, match=r"strange.safetensors .* no 'heaven_q', .*choose"):
        parts.denoiser(model, memory, DEVICE)
