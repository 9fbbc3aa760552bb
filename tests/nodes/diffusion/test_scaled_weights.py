"""Files in fp8 whose weights stand beside their scales, as ComfyUI writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.load import load_denoiser, load_model, load_text_encoder
from safetensors.torch import save_file

from nodeflow import Device, InputError, ModelMemory
from tests.nodes.diffusion.original_layout import State, plain_clip, prefixed
from tests.nodes.diffusion.tiny_flow_models import (
    make_flux,
    make_sd3,
    original_flux,
    original_sd3,
    sd3_state,
    t5_state,
)
from tests.nodes.diffusion.tiny_models import save

FP8 = torch.float8_e4m3fn
LARGEST = 448.0


def scaled(state: State, names: str = "old", rows: bool = False) -> tuple[State, State]:
    """The matrices of a network in fp8 beside their scales, and what they then mean."""
    stored: State = {"scaled_fp8": torch.zeros(0, dtype=FP8)} if names == "old" else {}
    meant: State = {}
    for name, tensor in state.items():
        if tensor.ndim != 2 or not name.endswith(".weight"):
            stored[name] = meant[name] = tensor
            continue
        over = tensor.abs().amax(dim=1, keepdim=True) if rows else tensor.abs().max()
        scale = over.clamp_min(1e-6) / LARGEST
        stored[name] = (tensor / scale).to(FP8)
        meant[name] = stored[name].float() * scale
        base = name.removesuffix(".weight")
        if names == "old":
            stored |= {f"{base}.scale_weight": scale, f"{base}.scale_input": torch.ones(())}
        else:
            stored |= {f"{base}.weight_scale": scale, f"{base}.input_scale": torch.ones(())}
            stored[f"{base}.comfy_quant"] = torch.zeros(9, dtype=torch.uint8)
    return stored, meant


def same(one: Any, other: Any) -> bool:
    theirs = dict(other.named_parameters())
    return all(torch.equal(weight, theirs[name]) for name, weight in one.named_parameters())


def written(state: State, path: Path) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    return path


@pytest.mark.parametrize("rows", [False, True], ids=["a number", "a number for each row"])
@pytest.mark.parametrize("names", ["old", "new"])
@pytest.mark.parametrize("kind", ["flux", "sd3"])
def test_weights_are_multiplied_by_their_scales(
    tmp_path: Path, kind: str, names: str, rows: bool
) -> None:
    pipe = make_flux("dev") if kind == "flux" else make_sd3()
    original = original_flux if kind == "flux" else original_sd3
    stored, meant = scaled(original(pipe.transformer.state_dict()), names, rows)
    networks: list[Any] = [
        parts.denoiser(load_denoiser(file), ModelMemory(), Device())
        for file in (
            written(stored, tmp_path / "fp8.safetensors"),
            save(meant, tmp_path / "fp32.safetensors"),
        )
    ]
    assert same(networks[0].network, networks[1].network)


def test_a_whole_file_may_have_some_parts_so(tmp_path: Path) -> None:
    pipe = make_sd3()
    pipe.tokenizer_3.save_pretrained(tmp_path)
    state = sd3_state(pipe)
    prefix = "text_encoders.t5xxl.transformer."
    t5 = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
    stored, meant = scaled(t5)
    files = (
        written(state | prefixed(prefix, stored), tmp_path / "fp8.safetensors"),
        save(state | prefixed(prefix, meant), tmp_path / "fp32.safetensors"),
    )
    encoders: list[Any] = [
        parts.text_model(load_model(file).text_encoder, ModelMemory(), Device()).parts.t5
        for file in files
    ]
    assert same(encoders[0]._encoder, encoders[1]._encoder)


def test_text_encoders_of_their_own_may_be_so(tmp_path: Path) -> None:
    pipe = make_flux("dev")
    pipe.tokenizer_2.save_pretrained(tmp_path)
    clip = save(plain_clip(pipe.text_encoder.state_dict()), tmp_path / "clip_l.safetensors")
    stored, meant = scaled(t5_state(pipe.text_encoder_2))
    encoders: list[Any] = [
        parts.text_model(load_text_encoder(clip, file), ModelMemory(), Device()).parts.t5
        for file in (
            written(stored, tmp_path / "t5xxl_fp8_e4m3fn_scaled.safetensors"),
            save(meant, tmp_path / "t5xxl.safetensors"),
        )
    ]
    assert same(encoders[0]._encoder, encoders[1]._encoder)


def test_what_is_packed_otherwise_is_refused(tmp_path: Path) -> None:
    stored, _ = scaled(original_flux(make_flux("dev").transformer.state_dict()), "new")
    stored["img_in.weight"] = stored["img_in.weight"].view(torch.uint8)
    file = written(stored, tmp_path / "packed.safetensors")
    with pytest.raises(InputError, match=r"'img_in\.weight' in .* packed into whole numbers \(U8"):
        parts.denoiser(load_denoiser(file), ModelMemory(), Device())
