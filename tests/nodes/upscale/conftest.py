"""A small network with random weights, in the layout that spandrel knows as Compact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

MakeFile = Callable[..., Path]


def weights(channels: int = 3, scale: int = 2, seed: int = 5) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        fan_in = max(1, torch.Size(shape[1:]).numel())
        return torch.randn(*shape, generator=generator) / fan_in**0.5

    return {
        "body.0.weight": random(8, channels, 3, 3),
        "body.0.bias": random(8) * 0.1,
        "body.1.weight": random(8) * 0.2,
        "body.2.weight": random(8, 8, 3, 3),
        "body.2.bias": random(8) * 0.1,
        "body.3.weight": random(8) * 0.2,
        "body.4.weight": random(channels * scale**2, 8, 3, 3) * 0.5,
        "body.4.bias": random(channels * scale**2) * 0.1,
    }


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    def make(name: str = "tiny.safetensors", channels: int = 3, scale: int = 2) -> Path:
        path = tmp_path / name
        if path.suffix == ".safetensors":
            save_file(weights(channels, scale), path)
        else:
            torch.save({"params_ema": weights(channels, scale)}, path)
        return path

    return make


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small lose more by waiting for a second thread than they win."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
