"""LoRA files for Stable Diffusion 3 and Flux 1 beside diffusers' pipelines with peft."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import hooks, parts
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.lora import load_lora
from nodeflow_nodes.diffusion.lora_checks import check_lora
from nodeflow_nodes.diffusion.samplers.euler import euler
from nodeflow_nodes.diffusion.text import distilled_guidance, encode_text
from nodeflow_nodes.diffusion.voices import prompt_batch

from nodeflow import Device, InputError, ModelMemory
from tests.nodes.diffusion.flow_lora_files import (
    clip_factors,
    dotted_state,
    kohya_flow_state,
    original_lora,
    shared_factors,
)
from tests.nodes.diffusion.lora_files import ALPHA, RANK, diffusers_state, kohya_state, write
from tests.nodes.diffusion.lora_files import make_layers as unet_layers
from tests.nodes.diffusion.side_by_side import distance
from tests.nodes.diffusion.tiny_flow_models import (
    flux_state,
    original_flux,
    original_sd3,
    sd3_state,
)
from tests.nodes.diffusion.tiny_models import make_pipeline

ORIGINALS = {"flux": original_flux, "sd3": original_sd3}
STATES = {"flux": flux_state, "sd3": sd3_state}
TEXTS = {"flux": ("text_encoder",), "sd3": ("text_encoder", "text_encoder_2")}
PROMPT, STEPS, DEVICE = "a red apple on a table", 4, Device()
NOISE = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(7))


@pytest.fixture
def pipe_of(flow_pipes: dict[str, Any]) -> Iterator[Any]:
    """The pipelines, without adapters again when the test is done."""
    yield flow_pipes.__getitem__
    for pipe in flow_pipes.values():
        pipe.unload_lora_weights()


def theirs(pipe: Any, kind: str) -> torch.Tensor:
    flux = kind == "flux"
    found: torch.Tensor = pipe(
        PROMPT, guidance_scale=3.5 if flux else 1.0, num_inference_steps=STEPS, height=64, width=64,
        latents=pipe._pack_latents(NOISE, 1, 16, 8, 8) if flux else NOISE, output_type="latent",
    ).images  # fmt: skip
    return pipe._unpack_latents(found, 64, 64, 8) if flux else found


def ours(model: LoadedModel, pipe: Any, memory: ModelMemory) -> torch.Tensor:
    network = parts.denoiser(model.model, memory, DEVICE)
    words = encode_text(model.text_encoder, PROMPT, models=memory, device=DEVICE)
    batch = prompt_batch("positive", distilled_guidance(words, 3.5), network, 1)
    sigmas = pipe.scheduler.sigmas.tolist()
    return euler(lambda x, sigma: network.estimate(x, sigma, batch), NOISE, sigmas)


def with_file(model: LoadedModel, file: Path, *strengths: float) -> LoadedModel:
    return LoadedModel(*load_lora(model.model, model.text_encoder, file, *strengths), model.vae)


@pytest.mark.parametrize("layout", ["diffusers", "kohya", "dots", "dots, prefixed"])
@pytest.mark.parametrize("kind", ["flux", "sd3"])
def test_it_draws_what_the_pipeline_draws(
    pipe_of: Any, flow_opened: Any, memory: ModelMemory, tmp_path: Path, kind: str, layout: str
) -> None:
    pipe, file = pipe_of(kind), tmp_path / "lora.safetensors"
    layers = shared_factors(pipe.transformer, ORIGINALS[kind])
    texts = clip_factors(pipe, *TEXTS[kind]) if layout in ("diffusers", "kohya") else {}
    first = original_lora(pipe.transformer, ORIGINALS[kind], layers)
    reference = diffusers_state({**layers, **texts})
    if layout == "diffusers":
        write(reference[0], file, reference[1])
    elif layout == "kohya":
        write(kohya_flow_state(first, texts), file)
    else:
        prefix = "diffusion_model." if layout == "dots, prefixed" else "base_model.model."
        write(dotted_state(first, prefix), file)

    as_pipeline = write(reference[0], tmp_path / "reference.safetensors", reference[1])
    plain = theirs(pipe, kind)
    assert distance(ours(flow_opened[kind], pipe, memory), plain) <= 1e-4
    pipe.load_lora_weights(as_pipeline, adapter_name="a")
    pipe.set_adapters("a", {"transformer": 0.3, **dict.fromkeys(texts, 0.4)})
    expected = theirs(pipe, kind)
    found = ours(with_file(flow_opened[kind], file, 0.3, 0.4), pipe, memory)
    assert distance(found, expected) <= 1e-4
    assert distance(found, plain) > 0.02


@pytest.mark.parametrize("layout", ["kohya", "xlabs"])
def test_a_file_of_a_trainer_is_read_as_the_pipeline_reads_it(
    pipe_of: Any, flow_opened: Any, memory: ModelMemory, tmp_path: Path, layout: str
) -> None:
    pipe = pipe_of("flux")
    layers = shared_factors(pipe.transformer, original_flux)
    first = original_lora(pipe.transformer, original_flux, layers)
    if layout == "kohya":
        # The pipeline's reader splits `linear1` by the widths of the full network.
        known = {n: pair for n, pair in first.items() if "blocks" in n and "linear1" not in n}
        state = kohya_flow_state(known, clip_factors(pipe, "text_encoder"))
    else:
        state = xlabs_state(first)
    file = write(state, tmp_path / "trained.safetensors")
    found = ours(with_file(flow_opened["flux"], file, 0.5), pipe, memory)
    pipe.load_lora_weights(file, adapter_name="a")
    pipe.set_adapters("a", {"transformer": 0.5, "text_encoder": 1.0} if layout == "kohya" else 0.5)
    assert distance(found, theirs(pipe, "flux")) <= 1e-4


def xlabs_state(first: dict[str, Any]) -> dict[str, torch.Tensor]:
    """As XLabs' trainer names it; in single blocks there is nothing for what follows the values."""
    names = {
        "img_attn.qkv": "processor.qkv_lora1",
        "txt_attn.qkv": "processor.qkv_lora2",
        "img_attn.proj": "processor.proj_lora1",
        "txt_attn.proj": "processor.proj_lora2",
        "linear1": "processor.qkv_lora",
        "linear2": "processor.proj_lora",
    }
    state = {}
    for name, (down, up) in first.items():
        block, _, rest = name.partition(".0.") if ".0." in name else name.partition(".1.")
        if "blocks" not in block or rest not in names:
            continue
        place = name.removesuffix(rest) + names[rest]
        rows = up[: 3 * 64] if rest == "linear1" else up
        state |= {f"{place}.down.weight": down, f"{place}.up.weight": rows}
    return state


def test_t5_may_be_changed_too(
    flow_pipes: dict[str, Any], flow_opened: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    down, up = torch.randn(RANK, 96), torch.randn(32, RANK)
    module = "encoder.block.0.layer.0.SelfAttention.q"
    pair = (("lora_down.weight", down), ("lora_up.weight", up), ("alpha", torch.tensor(ALPHA)))
    plain: Any = parts.text_model(flow_opened["flux"].text_encoder, memory, DEVICE)
    before = plain.parts.t5._encoder.get_submodule(module).weight
    # Trainers number the encoders of all models, or those of this one.
    for name in ("lora_te3_", "lora_te2_"):
        state = {f"{name}{module.replace('.', '_')}.{end}": tensor for end, tensor in pair}
        changed = with_file(flow_opened["flux"], write(state, tmp_path / f"{name}.safetensors"))
        assert changed.model == flow_opened["flux"].model
        text: Any = parts.text_model(changed.text_encoder, memory, DEVICE)
        found = text.parts.t5._encoder.get_submodule(module).weight
        assert torch.allclose(found, before + ALPHA / RANK * up @ down, atol=1e-5)


@pytest.mark.parametrize("kind", ["flux", "sd3"])
def test_without_it_the_picture_is_the_old_one_to_the_bit(
    flow_pipes: dict[str, Any], flow_opened: Any, tmp_path: Path, kind: str
) -> None:
    memory, pipe, model = ModelMemory(), flow_pipes[kind], flow_opened[kind]
    layers = shared_factors(pipe.transformer, ORIGINALS[kind])
    first = original_lora(pipe.transformer, ORIGINALS[kind], layers)
    texts = clip_factors(pipe, *TEXTS[kind])
    file = write(kohya_flow_state(first, texts), tmp_path / "lora.safetensors")
    theirs(pipe, kind)
    before = ours(model, pipe, memory)
    assert not torch.equal(ours(with_file(model, file), pipe, memory), before)
    assert torch.equal(ours(model, pipe, memory), before)
    assert torch.equal(ours(with_file(model, file, 0.0, 0.0), pipe, memory), before)


def test_one_for_another_family_or_size_is_refused_before_the_run(
    flow_pipes: dict[str, Any], flow_opened: Any, tmp_path: Path
) -> None:
    facts = {kind: hooks.model_facts(Path(model.model.path)) for kind, model in flow_opened.items()}
    files = {}
    for kind, pipe in flow_pipes.items():
        layers = shared_factors(pipe.transformer, ORIGINALS[kind])
        first = original_lora(pipe.transformer, ORIGINALS[kind], layers)
        files[kind] = write(kohya_flow_state(first, {}), tmp_path / f"{kind}.safetensors")
        # Of what both families have under one name, the width tells them apart.
        both = {n: pair for n, pair in layers["transformer"].items() if n.startswith("tr")}
        both = {n: pair for n, pair in both.items() if "attn2" not in n}
        state, header = diffusers_state({"transformer": both})
        files[f"{kind}, shared"] = write(state, tmp_path / f"{kind}_2.safetensors", header)
    files["unet"] = write(kohya_state(unet_layers(make_pipeline("1"))), tmp_path / "1.safetensors")

    def check(model: str, file: str) -> None:
        check_lora(facts[model]["model"], facts[model]["text_encoder"], files[file])

    for kind in flow_pipes:
        check(kind, kind)
        check(kind, f"{kind}, shared")
    with pytest.raises(InputError, match="of the family stable_diffusion_3, and this one is of fl"):
        check("flux", "sd3")
    with pytest.raises(InputError, match="of the family flux, and this one is of stable_diffusion"):
        check("sd3", "flux")
    with pytest.raises(InputError, match="64 wide inside, and this model's is 128 wide"):
        check("sd3", "flux, shared")
    with pytest.raises(InputError, match="of the family stable_diffusion or stable_diffusion_xl"):
        check("flux", "unet")
    with pytest.raises(InputError, match="of the family flux, and this one is of stable_diffusion"):
        check_lora({"family": "stable_diffusion"}, {}, files["flux"])
