from __future__ import annotations

import copy
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from nodeflow_nodes.diffusion.families.lora_weights import twin
from nodeflow_nodes.diffusion.families.packing import (
    PackedConv2d,
    by_channels,
    packed,
    packs,
    plain,
)
from torch import Tensor, nn

from nodeflow import Device, Precision

SHAPES = ((2, 8, 12, 12), (2, 8, 12, 12), (1, 8, 9, 7), (2, 8, 12, 12), (1, 8, 9, 7), (1, 8, 9, 7))

BF16 = Device(precision=Precision.BF16)

needs_bf16 = pytest.mark.skipif(not packs(BF16), reason="this processor has no bf16")


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(8, 16, 3, padding=1),
        nn.SiLU(),
        nn.Conv2d(16, 16, 3, stride=2, padding=1, bias=False),
        nn.Conv2d(16, 8, 1),
    )
    network.to(torch.bfloat16).to(memory_format=torch.channels_last)
    return network.requires_grad_(False).eval()


def picture(shape: tuple[int, ...], seed: int = 1) -> Tensor:
    found = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return found.bfloat16().contiguous(memory_format=torch.channels_last)


def test_what_is_compiled_or_elsewhere_or_exact_is_not_packed() -> None:
    assert not packs(Device())
    assert not packs(replace(BF16, compiled=True))
    assert packs(replace(BF16, compiled="blocks")) == packs(BF16)
    assert not packs(Device("cuda:0", Precision.BF16))
    assert not packs(Device(precision=Precision.FP16))


@needs_bf16
def test_whatever_shapes_come_the_same_is_computed() -> None:
    usual, network = layers(), packed(layers(), BF16)
    with torch.inference_mode():
        for seed, shape in enumerate(SHAPES):
            x = picture(shape, seed)
            assert torch.equal(network(x), usual(x)), shape
    assert all(m.weight.is_mkldnn for m in network if isinstance(m, nn.Conv2d))


@needs_bf16
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_one_by_one_gives_the_bits_of_weights_that_lie_by_channels(
    layout: torch.memory_format,
) -> None:
    def shortcut() -> nn.Conv2d:
        torch.manual_seed(0)
        conv = nn.Conv2d(1280, 1280, 1).bfloat16().requires_grad_(False)
        # Both layouts are the same numbers in a row; the strides do not say which is meant.
        conv.weight.data = conv.weight.data.as_strided(conv.weight.shape, (1280, 1, 1, 1))
        return conv

    x = picture((1, 1280, 8, 8)).contiguous(memory_format=layout)
    with torch.inference_mode():
        plainly, found = shortcut()(x), packed(shortcut(), BF16)(x)
        assert torch.equal(found, by_channels(shortcut(), BF16)(x))
    torch.testing.assert_close(found, plainly)
    if layout is torch.channels_last:
        assert torch.equal(found, plainly)


@needs_bf16
def test_a_shape_gives_the_same_bits_whatever_came_before() -> None:
    network = packed(layers(), BF16)
    x = picture(SHAPES[0])
    with torch.inference_mode():
        first = network(x)
        for other in SHAPES:
            network(picture(other))
        assert torch.equal(network(x), first)
        assert torch.equal(network(x), first)


@needs_bf16
def test_a_weight_is_packed_anew_when_another_shape_has_come_to_stay() -> None:
    network = packed(layers(), BF16)
    conv = network[0]
    assert isinstance(conv, PackedConv2d)
    fits = []
    with torch.inference_mode():
        for shape in SHAPES:
            network(picture(shape))
            fits.append(conv.weight.fits)  # type: ignore[attr-defined]
    changes = [index for index, (a, b) in enumerate(pairwise(fits), 1) if a != b]
    assert changes == [5]
    assert fits[0] == SHAPES[0]
    assert fits[5] == SHAPES[5]


@needs_bf16
def test_weights_stay_the_same_objects_are_read_as_ever_and_held_once() -> None:
    usual, network = layers(), packed(layers(), BF16)
    before = dict(network.named_parameters())
    with torch.inference_mode():
        network(picture(SHAPES[0]))
    after = dict(network.named_parameters())
    for name, weight in usual.named_parameters():
        assert after[name] is before[name]
        assert torch.equal(plain(after[name]), weight)
        assert after[name].nbytes == weight.nbytes


@needs_bf16
def test_a_twin_shares_what_is_packed_and_has_its_own_where_it_differs() -> None:
    usual, network = layers(), packed(layers(), BF16)
    x = picture(SHAPES[0])
    with torch.inference_mode():
        before = network(x)
        other = torch.full((16, 8, 3, 3), 0.01)
        changed = twin(network, [("0.weight", other)])
        wanted = copy.deepcopy(usual)
        wanted[0].weight.copy_(other)
        assert torch.equal(changed(x), wanted(x))
        assert torch.equal(network(x), before)
    assert changed[2].weight is network[2].weight
    assert changed[0].weight is not network[0].weight
    assert changed[0].weight.is_mkldnn


@needs_bf16
def test_other_kinds_of_convolutions_are_left_alone() -> None:
    class Own(nn.Conv2d):
        pass

    network = packed(
        nn.Sequential(
            Own(2, 2, 1), nn.Conv2d(2, 2, 3, padding="same"), nn.Conv2d(2, 2, 3, 1, 1, 1, 1, True)
        ),
        BF16,
    )
    circular = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular")
    packed(circular, BF16)
    assert type(network[0]) is Own
    assert type(network[1]) is nn.Conv2d
    assert type(network[2]) is PackedConv2d
    assert type(circular) is nn.Conv2d
