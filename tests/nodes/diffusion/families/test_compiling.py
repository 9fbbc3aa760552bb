from __future__ import annotations

import shutil

import pytest
import torch
from nodeflow_nodes.diffusion.families.compiling import compiled
from nodeflow_nodes.diffusion.families.pretrained import settled
from torch import Tensor, nn

from nodeflow import Cancelled, Device, InputError
from nodeflow.progress import working

COMPILING = Device(compiled=True)


class Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 1)])
        self.eager = 0

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            self.eager += 1
        for layer in self.layers:
            x = layer(x).relu()
        return x


def test_without_being_asked_nothing_is_compiled() -> None:
    network = compiled(settled(Layers(), Device()), Device())
    network(torch.zeros(1, 2, 4, 4))
    assert network.eager == 1
    with working(lambda: True), pytest.raises(Cancelled):
        network(torch.zeros(1, 2, 4, 4))


@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_network_gives_the_same_and_is_not_run_layer_by_layer() -> None:
    torch.manual_seed(0)
    plain = settled(Layers(), Device())
    network = settled(Layers(), COMPILING)
    network.load_state_dict(plain.state_dict())
    compiled(network, COMPILING)
    with torch.no_grad():
        for side in (4, 6):
            x = torch.randn(1, 2, side, side)
            assert torch.allclose(network(x), plain(x), atol=1e-6)
    assert network.eager == 0


def test_where_there_is_nothing_to_compile_with_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"install g\+\+, or run without --compile"):
        compiled(Layers(), COMPILING)
