"""Single files of full size, in the original layout: the same latents as by `from_single_file`."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.samplers.euler import euler

from nodeflow import ModelMemory
from tests.nodes.diffusion.full_size_models import write_config, write_random
from tests.nodes.diffusion.side_by_side import ours, theirs

PIPELINES: dict[str, Any] = {"1": StableDiffusionPipeline, "xl": StableDiffusionXLPipeline}


@pytest.fixture
def all_threads() -> Iterator[None]:
    """These tensors are not small."""
    before = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Where gigabytes may be for the time of a test."""
    path = tmp_path / "full.safetensors"
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.usefixtures("all_threads")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "kind",
    [
        "1",
        # 7 GB on the disk and 18 GB in memory.
        pytest.param("xl", marks=pytest.mark.slow),
    ],
)
def test_a_full_size_file_draws_what_diffusers_draws_with_it(
    kind: str, file: Path, tmp_path: Path
) -> None:
    write_random(kind, file)
    pipe = PIPELINES[kind].from_single_file(
        str(file),
        config=str(write_config(kind, tmp_path / "config")),
        local_files_only=True,
        torch_dtype=torch.float32,
    )
    reference = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    expected = theirs(pipe, reference, 5.0, steps=2)
    # One of both at a time: that is enough for a machine.
    del pipe
    gc.collect()
    found = ours(load_model(file), ModelMemory(), euler, reference, 5.0)
    assert expected.std() > 0.1
    assert float((found - expected).abs().max()) <= 1e-4
