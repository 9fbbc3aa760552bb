from __future__ import annotations

import copy
import inspect
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.families.compiling import as_written, compiled, repeated_blocks
from nodeflow_nodes.diffusion.families.packing import PackedConv2d, packs
from nodeflow_nodes.diffusion.families.pretrained import settled
from torch import Tensor, nn
from torch._dynamo.utils import counters

from nodeflow import Cancelled, Device, InputError, Precision
from nodeflow.progress import working
from tests.nodes.diffusion.tiny_models import make_unet

COMPILING = Device(compiled=True)
BY_BLOCKS = Device(compiled="blocks")

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None, reason="compiling needs a C++ compiler"
)


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


class Block(nn.Module):
    """It says by `eager` whether it was run as it was written."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, width)
        self.more = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width)])
        self.eager = 0

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            self.eager += 1
        for layer in self.more:
            x = layer(self.first(x).tanh())
        return x


class Stack(nn.Module):
    """Three blocks that are alike, and one that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.Linear(4, 8)
        self.blocks = nn.ModuleList([Block(8), Block(8), Block(8), nn.Linear(8, 4)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        for block in self.blocks:
            x = block(x)
        return x


def stacks() -> tuple[Stack, Stack]:
    """One as it was written, and the same with its blocks compiled."""
    torch.manual_seed(0)
    plain = settled(Stack(), Device())
    return plain, compiled(copy.deepcopy(plain), BY_BLOCKS)


def ran_eagerly(network: nn.Module) -> list[int]:
    return [block.eager for block in network.modules() if isinstance(block, Block)]


@pytest.fixture
def graphs() -> Iterator[Any]:
    """What torch counts: nothing yet."""
    torch._dynamo.reset()
    counters.clear()
    yield lambda: int(counters["stats"]["unique_graphs"])
    torch._dynamo.reset()


@pytest.fixture
def no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs are found and guarded as ever, and run without code being made of them, which takes
    seconds."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/g++")


def test_without_being_asked_nothing_is_compiled() -> None:
    network = compiled(settled(Layers(), Device()), Device())
    network(torch.zeros(1, 2, 4, 4))
    assert network.eager == 1
    with working(lambda: True), pytest.raises(Cancelled):
        network(torch.zeros(1, 2, 4, 4))


@needs_compiler
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


@needs_compiler
@pytest.mark.filterwarnings("ignore")
def test_one_compiled_block_serves_all_blocks_alike_and_those_of_twins(graphs: Any) -> None:
    plain, network = stacks()
    x = torch.randn(1, 5, 4)
    with torch.no_grad():
        assert torch.allclose(network(x), plain(x), atol=1e-6)
        assert (graphs(), dict(counters["graph_break"])) == (1, {})
        twin = copy.deepcopy(network)
        twin.blocks[1].load_state_dict(twin.blocks[0].state_dict())
        found = twin(x)
        assert not torch.allclose(found, network(x), atol=1e-3)
        plain.blocks[1].load_state_dict(plain.blocks[0].state_dict())
        assert torch.allclose(found, plain(x), atol=1e-6)
    assert graphs() == 1
    assert ran_eagerly(network) == ran_eagerly(twin) == [0, 0, 0]


@pytest.mark.usefixtures("no_code")
@pytest.mark.skipif(
    "recompile_limit" not in inspect.signature(torch.compile).parameters,
    reason="this torch has a limit of its own",
)
def test_blocks_of_many_widths_are_compiled_in_whichever_thread(graphs: Any) -> None:
    widths = range(1, 12)
    network = nn.ModuleList(nn.ModuleList([Block(width), Block(width)]) for width in widths)
    compiled(network, BY_BLOCKS)
    with ThreadPoolExecutor(1) as threads:
        for pair, width in zip(network, widths, strict=True):
            threads.submit(pair[0], torch.zeros(2, width)).result()
    assert graphs() == len(widths)
    assert not any(ran_eagerly(network))


@pytest.mark.usefixtures("no_code")
def test_a_network_with_compiled_blocks_stops_between_them(graphs: Any) -> None:
    _, network = stacks()
    x = torch.randn(1, 5, 4)
    done: list[nn.Module] = []
    for block in network.blocks:
        block.register_forward_hook(lambda block, inputs, outputs: done.append(block))
    network(x)
    assert len(done) == 4
    done.clear()
    with working(lambda: len(done) == 2), pytest.raises(Cancelled):
        network(x)
    assert done == list(network.blocks)[:2]
    assert ran_eagerly(network) == [0, 0, 0]
    assert graphs() == 1


@pytest.mark.usefixtures("no_code", "graphs")
def test_it_may_be_called_as_it_was_written_for_a_while() -> None:
    _, network = stacks()
    with as_written(network) as call:
        call(torch.randn(1, 5, 4))
    assert ran_eagerly(network) == [1, 1, 1]
    network(torch.randn(1, 5, 4))
    assert ran_eagerly(network) == [1, 1, 1]


def test_blocks_are_those_that_a_network_declares_or_the_alike_items_of_a_list() -> None:
    declared = repeated_blocks(make_unet("1"))
    assert {type(block).__name__ for block in declared} == {"BasicTransformerBlock"}
    assert len(declared) == 4
    network = Stack()
    network.blocks.append(Block(16))
    found = repeated_blocks(nn.Sequential(network))
    assert [list(network.blocks).index(block) for block in found] == [0, 1, 2, 4]


def test_a_network_that_repeats_no_blocks_runs_as_it_was_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    network = compiled(settled(Layers(), BY_BLOCKS), BY_BLOCKS)
    assert "A Layers repeats no blocks, so nothing of it is compiled." in capsys.readouterr().out
    network(torch.zeros(1, 2, 4, 4))
    assert network.eager == 1


@pytest.mark.skipif(not packs(Device(precision=Precision.BF16)), reason="no bf16 here")
@pytest.mark.usefixtures("no_code")
def test_convolutions_are_packed_outside_of_compiled_blocks_only() -> None:
    device = Device(precision=Precision.BF16, compiled="blocks")
    network = nn.Sequential(
        nn.Conv2d(4, 4, 3), nn.ModuleList([nn.Sequential(nn.Conv2d(4, 4, 3)) for _ in range(2)])
    )
    compiled(settled(network.to(torch.bfloat16), device), device)
    kinds = [type(module) for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert kinds == [PackedConv2d, nn.Conv2d, nn.Conv2d]


@pytest.mark.parametrize(
    ("device", "option"), [(COMPILING, "--compile"), (BY_BLOCKS, "--compile-blocks")]
)
def test_where_there_is_nothing_to_compile_with_it_is_said(
    monkeypatch: pytest.MonkeyPatch, device: Device, option: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=rf"install g\+\+, or run without {option}$"):
        compiled(Layers(), device)
