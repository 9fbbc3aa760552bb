"""Models that run by diffusers' own pipelines, with networks of GGUF files, beside diffusers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import GGUFQuantizationConfig
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.mapped_weights import MappedWeights
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.families.streaming import Resting
from nodeflow_nodes.diffusion.hooks import model_facts
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.lora import load_lora_model
from nodeflow_nodes.diffusion.lora_checks import check_lora_model
from nodeflow_nodes.diffusion.part_sizes import expected_bytes
from nodeflow_nodes.diffusion.quantize import quantize
from nodeflow_nodes.diffusion.quantize_checks import check_quantize
from nodeflow_nodes.diffusion.step_cache import taylor_seer_cache
from nodeflow_nodes.diffusion.text import encode_text
from safetensors.torch import save_file
from torch import Tensor

from nodeflow import Device, InputError, ModelMemory, Precision
from tests.nodes.diffusion.families.test_modular_lora import Z_IMAGE, diffusers_names, factors
from tests.nodes.diffusion.families.test_modular_step_caches import drawn_of
from tests.nodes.diffusion.gguf_writing import write_gguf
from tests.nodes.diffusion.modular_walks import DEVICE, PROMPT, SIDE, levels, unpatched, walked

State = dict[str, Tensor]
WHOLE = r".*(pad_token|scale_shift_table)"
"""Those that tools leave as they are, since they are no matrices of layers."""


def same(state: State) -> State:
    return state


def first_names(state: State) -> State:
    """Z-Image's as they were first published, where attention's three matrices are one."""
    found: State = {}
    for name, tensor in state.items():
        for ours, theirs in (
            ("all_final_layer.2-1.", "final_layer."),
            ("all_x_embedder.2-1.", "x_embedder."),
            ("attention.to_out.0", "attention.out"),
            ("attention.norm_k", "attention.k_norm"),
            ("attention.norm_q", "attention.q_norm"),
        ):
            name = name.replace(ours, theirs)
        found[name] = tensor
    for name in [name for name in found if ".to_q." in name]:
        three = [found.pop(name.replace(".to_q.", f".to_{one}.")) for one in "qkv"]
        found[name.replace(".to_q.", ".qkv.")] = torch.cat(three)
    return found


@pytest.fixture
def packed(made: Any, tmp_path: Path) -> Callable[..., Path]:
    """The folder of a kind whose network is a GGUF file."""

    def make(kind: str, names: Callable[[State], State] = same, blocks: str = "Q8_0") -> Path:
        folder, pipeline = made(f"large {kind}")
        other = tmp_path / f"{kind} {names.__name__}"
        shutil.copytree(folder, other)
        for name in ("transformer", "transformer_2"):
            network = getattr(pipeline, name, None)
            if network is not None:
                for file in (other / name).glob("*.safetensors*"):
                    file.unlink()
                state = names(network.state_dict())
                write_gguf(state, other / name / "network.gguf", blocks, whole=WHOLE)
        return other

    return make


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("z_image", same),
        ("z_image", first_names),
        ("wan", same),
        ("wan_of_two", same),
        ("qwen_image", same),
        ("flux_2", same),
    ],
)
def test_pictures_are_those_of_diffusers_with_the_same_file(
    made: Any, packed: Callable[..., Path], kind: str, names: Callable[[State], State]
) -> None:
    _, pipeline = made(f"large {kind}")
    folder, memory = packed(kind, names), ModelMemory()
    model, whole = load_model(folder), load_model(made(f"large {kind}")[0])
    latent = empty_latent(model.model, SIDE, SIDE, frames=5 if kind.startswith("wan") else 1)
    plain = {
        name: getattr(pipeline, name)
        for name in ("transformer", "transformer_2")
        if getattr(pipeline, name, None) is not None
    }
    try:
        for name, network in plain.items():
            theirs = type(network).from_single_file(
                str(folder / name / "network.gguf"),
                config=str(folder / name),
                quantization_config=GGUFQuantizationConfig(compute_dtype=torch.float32),
                dtype=torch.float32,
            )
            setattr(pipeline, name, theirs)
        reference = drawn_of(kind, pipeline, latent, memory, model)
    finally:
        for name, network in plain.items():
            setattr(pipeline, name, network)
    scale = 1.0 if kind == "flux_2" else 4.0
    found, before = (walked(one, latent, levels(pipeline), scale, memory) for one in (model, whole))
    if kind == "flux_2":
        found, before = unpatched(pipeline, found), unpatched(pipeline, before)
    assert (found - reference).abs().max() <= 1e-4
    assert (found - before).abs().max() > 1e-4


def test_it_takes_as_much_memory_as_its_file_and_was_expected(
    made: Any, packed: Callable[..., Path]
) -> None:
    memory = ModelMemory()
    small, plain = load_model(packed("z_image")).model, load_model(made("large z_image")[0]).model
    sizes = [parts.denoiser(model, memory, DEVICE).size for model in (small, plain)]
    assert expected_bytes(small, DEVICE)() == pytest.approx(sizes[0], rel=0.05)
    assert sizes[0] < 0.4 * sizes[1]


def test_loras_and_step_caches_lie_over_it_and_leave_it_as_it_was(
    made: Any, packed: Callable[..., Path], tmp_path: Path
) -> None:
    folder, memory = packed("z_image", first_names), ModelMemory()
    model = load_model(folder)
    file = tmp_path / "lora.safetensors"
    network = made("large z_image")[1].transformer
    save_file(diffusers_names(factors(network, Z_IMAGE)), file)
    facts = model_facts(folder)["model"]
    check_lora_model(facts, file)
    latent = empty_latent(model.model, SIDE, SIDE)

    def end(recipe: Any) -> Tensor:
        sigmas = [1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.0]
        return walked(model._replace(model=recipe), latent, sigmas, 1.0, memory)

    def end_of_the_plain(changed: Callable[[Any], Any]) -> Tensor:
        whole = load_model(made("large z_image")[0])
        return end(changed(whole.model))

    def laid(recipe: Any) -> Any:
        return load_lora_model(recipe, file)

    before, found = end(model.model), end(laid(model.model))
    expected = end_of_the_plain(laid)
    assert (found - expected).norm() < (found - before).norm() / 3
    assert not torch.equal(end(taylor_seer_cache(model.model, 2)), before)
    assert torch.equal(end(model.model), before)


@pytest.mark.parametrize("kind", ["z_image", "wan", "qwen_image", "flux_2"])
def test_half_precision_is_near(packed: Callable[..., Path], kind: str) -> None:
    model, memory = load_model(packed(kind)), ModelMemory()
    latent = empty_latent(model.model, SIDE, SIDE, frames=5 if kind == "wan" else 1)
    x = torch.randn(latent.samples.shape, generator=torch.Generator().manual_seed(1))
    found = []
    for device in (DEVICE, Device(precision=Precision.BF16)):
        heard = encode_text(model.text_encoder, PROMPT, models=memory, device=device)
        prompt = PromptBatch(heard.hidden, states=heard.states)
        network = parts.denoiser(model.model, memory, device)
        found.append(network.estimate(network.scaled(x), 0.7, prompt))
    assert 0 < (found[0] - found[1]).norm() < 0.05 * found[0].norm()


def test_it_streams_from_its_file(packed: Callable[..., Path], tmp_path: Path) -> None:
    model, memory = load_model(packed("wan")), ModelMemory()
    heard = encode_text(model.text_encoder, PROMPT, models=memory, device=DEVICE)
    prompt = PromptBatch(heard.hidden, states=heard.states)
    family = family_of(model.model)
    place = Resting("cpu", Precision.FP32, weights=MappedWeights(tmp_path / "cache"))
    whole, streamed = (family.load_denoiser(model.model, one) for one in (DEVICE, place))
    x = whole.scaled(empty_latent(model.model, SIDE, SIDE, frames=5).samples)
    for _ in range(2):
        assert torch.equal(streamed.estimate(x, 0.7, prompt), whole.estimate(x, 0.7, prompt))


@pytest.mark.usefixtures("with_libraries")
def test_what_it_cannot_be_is_said(packed: Callable[..., Path], made: Any) -> None:
    folder = packed("z_image")
    with pytest.raises(InputError, match=r"in few bits already \(q8_0\)"):
        check_quantize(model_facts(folder)["model"], "int8")
    with pytest.raises(InputError, match=r"in few bits already, as its GGUF file has them"):
        parts.denoiser(quantize(load_model(folder).model, "int8"), ModelMemory(), DEVICE)
    file = folder / "transformer" / "network.gguf"
    state = made("large wan")[1].transformer.state_dict()
    write_gguf(state, file, whole=WHOLE)
    with pytest.raises(InputError, match=r"network.gguf .*ZImageTransformer2DModel|lacks"):
        parts.denoiser(load_model(folder).model, ModelMemory(), DEVICE)
    shutil.copy(file, file.with_name("other.gguf"))
    with pytest.raises(
        InputError, match=r"several GGUF files, network\.gguf and other.gguf; leave"
    ):
        load_model(folder)
