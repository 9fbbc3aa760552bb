"""GGUF files of shrunk networks: what they are, and that they draw what the weights do."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families.blocks import in_blocks
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.step_caches import CachedDenoiser
from nodeflow_nodes.diffusion.hooks import denoiser_facts
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.load import load_denoiser
from nodeflow_nodes.diffusion.lora import load_lora_model
from nodeflow_nodes.diffusion.part_sizes import expected_bytes
from nodeflow_nodes.diffusion.step_cache import first_block_cache
from nodeflow_nodes.diffusion.step_cache_checks import STEP_CACHES
from torch import Tensor

from nodeflow import Device, InputError, Model, ModelMemory, Precision
from tests.nodes.diffusion.gguf_writing import write_gguf
from tests.nodes.diffusion.lora_files import diffusers_state, make_layers, write
from tests.nodes.diffusion.original_layout import original_unet
from tests.nodes.diffusion.tiny_flow_models import make_flux, make_sd3, original_flux, original_sd3
from tests.nodes.diffusion.tiny_models import make_pipeline, make_unet, save

KINDS = ("1", "xl", "sd3", "flux")


@pytest.fixture(scope="module")
def pipes() -> dict[str, Any]:
    made = {kind: make_pipeline(kind) for kind in ("1", "xl")}
    return made | {"sd3": make_sd3(), "flux": make_flux("dev")}


@pytest.fixture(scope="module")
def states(pipes: dict[str, Any]) -> dict[str, dict[str, Tensor]]:
    """The networks under their original names."""
    return {
        "1": original_unet(pipes["1"].unet.state_dict(), 1),
        "xl": original_unet(pipes["xl"].unet.state_dict(), 1),
        "sd3": original_sd3(pipes["sd3"].transformer.state_dict()),
        "flux": original_flux(pipes["flux"].transformer.state_dict()),
    }


@pytest.fixture
def memory() -> ModelMemory:
    return ModelMemory()


def estimate(
    model: Model, memory: ModelMemory, precision: Precision = Precision.FP32
) -> tuple[Any, Tensor]:
    device = Device(precision=precision)
    network = parts.denoiser(model, memory, device)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, network.channels, 8, 8, generator=generator)
    # A step cache shows nothing of the network below it.
    patches = tuple(patch for patch in model.patches if patch.kind not in STEP_CACHES)
    below: Any = parts.denoiser(replace(model, patches=patches), memory, device)
    config = below.network.config
    pooled = int(config.get("pooled_projection_dim") or 128)
    prompt = PromptBatch(
        torch.randn(1, 20, network.text_width, generator=generator),
        torch.randn(1, pooled, generator=generator),
        {name: torch.full((1,), value) for name, value in network.defaults(False).items()},
    )
    return network, network.estimate(x, 0.7, prompt)


def apart(found: Tensor, expected: Tensor) -> float:
    """The norm of the difference, in parts of that of the picture."""
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_of_a_file_in_blocks_gives_nearly_what_the_weights_give(
    states: dict[str, dict[str, Tensor]], memory: ModelMemory, tmp_path: Path, kind: str
) -> None:
    plain = load_denoiser(save(states[kind], tmp_path / "plain.safetensors"))
    packed = load_denoiser(write_gguf(states[kind], tmp_path / "packed.gguf"))
    (one, expected), (other, found) = estimate(plain, memory), estimate(packed, memory)
    assert 0 < apart(found, expected) < 0.02
    # Tiny networks of float32 have few matrices; those of Flux have most of their bytes in them.
    assert other.size < (0.4 if kind in ("sd3", "flux") else 0.9) * one.size


@pytest.mark.parametrize(("kind", "limit"), [("Q8_0", 0.02), ("Q5_0", 0.1), ("Q4_0", 0.2)])
def test_fewer_bits_are_smaller_and_farther_away(
    states: dict[str, dict[str, Tensor]],
    memory: ModelMemory,
    tmp_path: Path,
    kind: str,
    limit: float,
) -> None:
    plain = load_denoiser(save(states["flux"], tmp_path / "plain.safetensors"))
    file = write_gguf(states["flux"], tmp_path / "packed.gguf", kind)
    found = inspect_model(file)
    assert (found.family, found.precision) == ("flux", kind.lower())
    _, expected = estimate(plain, memory)
    _, drawn = estimate(load_denoiser(file), memory, Precision.BF16)
    assert 0 < apart(drawn, expected) < limit


def test_facts_are_those_of_the_same_network_as_safetensors(
    states: dict[str, dict[str, Tensor]], tmp_path: Path
) -> None:
    for kind in KINDS:
        plain = denoiser_facts(save(states[kind], tmp_path / f"{kind}.safetensors"))["model"]
        found = denoiser_facts(write_gguf(states[kind], tmp_path / f"{kind}.gguf"))["model"]
        own = {"precision": "q8_0", "file": str(tmp_path)}
        assert {**plain, **own} == {**found, **own}


def test_tensors_that_were_folded_get_their_shape_back(
    states: dict[str, dict[str, Tensor]], memory: ModelMemory, tmp_path: Path
) -> None:
    folded = tuple(n for n, t in states["1"].items() if t.ndim == 4 and not t.numel() % 32)
    assert len(folded) > 3
    plain = load_denoiser(save(states["1"], tmp_path / "plain.safetensors"))
    file = write_gguf(states["1"], tmp_path / "packed.gguf", folded=folded)
    (_, expected), (_, found) = estimate(plain, memory), estimate(load_denoiser(file), memory)
    assert 0 < apart(found, expected) < 0.02


def test_matrices_that_were_folded_get_their_rows_back_whether_blocks_cross_them_or_not(
    memory: ModelMemory, tmp_path: Path
) -> None:
    state = original_unet(make_unet("1", cross_attention_dim=48).state_dict(), 1)
    folded = tuple(n for n, t in state.items() if t.ndim == 2 and t.shape[1] in (48, 64))
    assert {state[name].shape[1] for name in folded} == {48, 64}
    plain = load_denoiser(save(state, tmp_path / "plain.safetensors"))
    packed = load_denoiser(write_gguf(state, tmp_path / "packed.gguf", folded=folded))
    assert denoiser_facts(Path(packed.path))
    (_, expected), (network, found) = estimate(plain, memory), estimate(packed, memory)
    assert 0 < apart(found, expected) < 0.02
    # Rows of 64 are two blocks each and stay in them; of 48 they are unpacked.
    assert expected_bytes(packed, Device())() == pytest.approx(network.size, rel=0.02)
    held = network.network.mid_block.attentions[0].transformer_blocks[0]
    assert (in_blocks(held.attn1.to_k.weight), in_blocks(held.attn2.to_k.weight)) == (True, False)


def test_a_lora_and_a_step_cache_lie_over_blocks_and_leave_them_as_they_were(
    pipes: dict[str, Any], states: dict[str, dict[str, Tensor]], memory: ModelMemory, tmp_path: Path
) -> None:
    file = write_gguf(states["1"], tmp_path / "packed.gguf")
    plain = load_denoiser(save(states["1"], tmp_path / "plain.safetensors"))
    layers = make_layers(pipes["1"], only="attn")
    state, metadata = diffusers_state(layers)
    lora = write(state, tmp_path / "lora.safetensors", metadata)
    packed = load_denoiser(file)
    _, before = estimate(packed, memory)
    _, found = estimate(load_lora_model(packed, lora, 4.0), memory)
    _, expected = estimate(load_lora_model(plain, lora, 4.0), memory)
    assert apart(before, expected) > 0.02 > apart(found, expected)
    assert torch.equal(estimate(packed, memory)[1], before)
    flux = load_denoiser(write_gguf(states["flux"], tmp_path / "flux.gguf"))
    cached, drawn = estimate(first_block_cache(flux), memory)
    assert isinstance(cached, CachedDenoiser)
    assert torch.allclose(drawn, estimate(flux, memory)[1], atol=1e-5)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def cut_in_the_head(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:300])


def other_mark(file: Path) -> None:
    file.write_bytes(b"GGML" + file.read_bytes()[4:])


def too_many(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[8:16] = (1 << 50).to_bytes(8, "little")
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [cut, cut_in_the_head, other_mark, too_many])
def test_a_damaged_file_is_named(
    states: dict[str, dict[str, Tensor]], tmp_path: Path, damage: Any
) -> None:
    file = write_gguf(states["flux"], tmp_path / "damaged.gguf")
    damage(file)
    with pytest.raises(InputError, match=r"damaged\.gguf is not a whole GGUF file"):
        denoiser_facts(file)


def test_a_file_of_another_architecture_says_what_it_holds(tmp_path: Path) -> None:
    file = write_gguf({"enc.blk.0.attn_q.weight": torch.ones(64, 64)}, tmp_path / "t5.gguf")
    with pytest.raises(InputError, match=r"no architecture that is known.*enc\.blk\.0\.attn_q"):
        denoiser_facts(file)


def test_without_the_package_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_gguf({"a": torch.ones(64, 64)}, tmp_path / "model.gguf")
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(InputError, match=r"package gguf.*pip install 'nodeflow\[quantized\]'"):
        denoiser_facts(file)
