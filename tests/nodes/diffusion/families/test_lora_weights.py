"""The kinds of layers, each beside peft's own, on a network of one matrix and one convolution."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from nodeflow_nodes.diffusion.families.lora_weights import with_loras
from torch import Tensor, nn

from nodeflow import InputError, Patch
from tests.nodes.diffusion.lora_files import write

ALPHA, RANK, STRENGTH = 3.0, 2, 0.6
IN, OUT = 36, 64


class Net(nn.Module):
    """Modules under names that a network for pictures has."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(IN, OUT, 3)
        self.time_embed = nn.Linear(IN, OUT)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net().requires_grad_(False)


def laid(net: Net, state: dict[str, Tensor], folder: Path, **metadata: Any) -> Net:
    text = {name: json.dumps(value) for name, value in metadata.items()}
    file = write(state, folder / "lora.safetensors", text or None)
    return with_loras(net, "denoiser", [Patch("lora", STRENGTH, path=str(file))])


def merged(net: Net, config: Any) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """peft's tensors for a network, drawn at random, and the weights that it makes with them."""
    torch.manual_seed(1)
    model: Any = peft.get_peft_model(nn.Sequential(copy.deepcopy(net)), config)
    found = {}
    for name, weight in model.named_parameters():
        if any(mark in name for mark in ("lora_", "hada_", "lokr_")):
            weight.data = torch.rand(weight.shape) + 0.1
            found[name] = weight.data.clone()
    weights = model.merge_and_unload()[0].state_dict()
    return found, {n: weights[f"{n}.weight"] for n in ("conv_in", "time_embed")}


def kohya(found: dict[str, Tensor]) -> dict[str, Tensor]:
    state = {}
    for name, tensor in found.items():
        module = "conv_in" if "conv_in" in name else "time_embed"
        role = name.split(f"{module}.")[1].replace(".default", "")
        state[f"lora_unet_{module}.{role}"] = tensor
        state[f"lora_unet_{module}.alpha"] = torch.tensor(ALPHA)
    return state


TARGETS = ["conv_in", "time_embed"]


@pytest.mark.parametrize(
    "config",
    [
        peft.LoHaConfig(r=RANK, alpha=ALPHA, target_modules=TARGETS),
        peft.LoHaConfig(r=RANK, alpha=ALPHA, target_modules=TARGETS, use_effective_conv2d=True),
        peft.LoKrConfig(r=RANK, alpha=ALPHA, target_modules=TARGETS),
        peft.LoKrConfig(r=RANK, alpha=ALPHA, target_modules=TARGETS, use_effective_conv2d=True),
        peft.LoKrConfig(r=RANK, alpha=ALPHA, target_modules=TARGETS, decompose_both=True),
    ],
    ids=["loha", "loha with a core", "lokr", "lokr with a core", "lokr of four"],
)
def test_products_of_lycoris_are_those_of_peft(net: Net, tmp_path: Path, config: Any) -> None:
    found, expected = merged(net, config)
    compare(net, laid(net, kohya(found), tmp_path), expected)


def compare(net: Net, changed: Net, expected: dict[str, Tensor]) -> None:
    """The strength is a part of the way from the plain weights to the whole ones."""
    state, weights = net.state_dict(), changed.state_dict()
    for module, whole in expected.items():
        plain = state[f"{module}.weight"]
        wanted = plain + STRENGTH * (whole - plain)
        assert torch.allclose(weights[f"{module}.weight"], wanted, atol=1e-5)
        assert not torch.allclose(plain, wanted, atol=1e-2)


@pytest.mark.parametrize("written", ["peft", "kohya"])
@pytest.mark.parametrize("dora", [False, True])
def test_low_rank_layers_with_and_without_magnitudes(
    net: Net, tmp_path: Path, dora: bool, written: str
) -> None:
    config = peft.LoraConfig(r=RANK, lora_alpha=int(ALPHA), target_modules=TARGETS, use_dora=dora)
    found, expected = merged(net, config)
    if written == "peft":
        state = {
            n.replace(".default", "").replace("model.0.", "model."): t for n, t in found.items()
        }
        changed = laid(
            net, state, tmp_path, lora_adapter_metadata={"unet.r": RANK, "unet.lora_alpha": ALPHA}
        )
    else:
        roles = {"lora_A": "lora_down", "lora_B": "lora_up"}
        state = {}
        for name, tensor in kohya(found).items():
            for theirs, ours in roles.items():
                name = name.replace(theirs, ours)
            if "magnitude" in name:
                module = name.split(".")[0]
                sides = 3 if "conv" in module else 1
                name, tensor = f"{module}.dora_scale", tensor.reshape(-1, *[1] * sides)
            state[name] = tensor
        changed = laid(net, state, tmp_path)
    compare(net, changed, expected)


def test_magnitudes_of_columns(net: Net, tmp_path: Path) -> None:
    down, up, scale = torch.rand(RANK, IN), torch.rand(OUT, RANK), torch.rand(1, IN) + 0.1
    start = "lora_unet_time_embed"
    state = {f"{start}.lora_down.weight": down, f"{start}.lora_up.weight": up}
    changed = laid(net, state | {f"{start}.dora_scale": scale}, tmp_path)
    whole = net.time_embed.weight + up @ down
    compare(net, changed, {"time_embed": scale * whole / whole.norm(dim=0, keepdim=True)})


def test_a_convolution_through_a_core(net: Net, tmp_path: Path) -> None:
    down, up = torch.rand(RANK, IN, 1, 1), torch.rand(OUT, RANK, 1, 1)
    core = torch.rand(RANK, RANK, 3, 3)
    start = "lora_unet_conv_in"
    state = {
        f"{start}.lora_down.weight": down,
        f"{start}.lora_mid.weight": core,
        f"{start}.lora_up.weight": up,
        f"{start}.alpha": torch.tensor(1.0),
    }
    # One convolution after the other is what such a layer is.
    picture = torch.rand(1, IN, 8, 8)
    inner = nn.functional.conv2d(nn.functional.conv2d(picture, down), core)
    expected = net.conv_in(picture) + STRENGTH / RANK * nn.functional.conv2d(inner, up)
    assert torch.allclose(laid(net, state, tmp_path).conv_in(picture), expected, atol=1e-3)


def test_whole_differences_of_weights_and_biases(net: Net, tmp_path: Path) -> None:
    weight, bias = torch.rand(OUT, IN), torch.rand(OUT)
    state = {"lora_unet_time_embed.diff": weight, "lora_unet_time_embed.diff_b": bias}
    changed = laid(net, state, tmp_path)
    assert torch.allclose(changed.time_embed.weight, net.time_embed.weight + STRENGTH * weight)
    assert torch.allclose(changed.time_embed.bias, net.time_embed.bias + STRENGTH * bias)
    assert changed.conv_in.weight is net.conv_in.weight


def test_the_header_may_tell_scales_by_module_and_by_the_root_of_the_rank(
    net: Net, tmp_path: Path
) -> None:
    down, up = torch.rand(RANK, IN), torch.rand(OUT, RANK)
    state = {"unet.time_embed.lora_A.weight": down, "unet.time_embed.lora_B.weight": up}
    config: dict[str, Any] = {
        "unet.lora_alpha": 1,
        "unet.use_rslora": True,
        "unet.alpha_pattern": {"time_embed": 5, "conv_in": 7},
    }
    changed = laid(net, state, tmp_path, lora_adapter_metadata=config)
    expected = net.time_embed.weight + STRENGTH * 5 / RANK**0.5 * up @ down
    assert torch.allclose(changed.time_embed.weight, expected, atol=1e-6)


def test_a_bias_that_is_not_there_is_said(tmp_path: Path) -> None:
    net = Net()
    net.time_embed = nn.Linear(IN, OUT, bias=False)
    with pytest.raises(InputError, match="'time_embed' changes a bias that the model has not"):
        laid(net, {"lora_unet_time_embed.diff_b": torch.rand(OUT)}, tmp_path)
