"""Models that are unloaded leave no memory behind, by what the system says of the process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from diffusers import UNet2DConditionModel

from tests.nodes.diffusion.conftest import make_pipeline

LEAST = 300 << 20
"""Bytes that the network takes, so that what else a process does is small beside it."""

RUN = """
import json, sys
from pathlib import Path

import psutil

from nodeflow import Workflow
from nodeflow.engine import Engine
from nodeflow.settings import Settings
from tests.nodes.diffusion.starving import flow_data

here, small, large, precision = sys.argv[1:]
settings = Settings(cache=Path(here) / "cache", data=Path(here) / "data", packs=())
engine = Engine(settings, device="cpu", precision=precision, cache=False)
flow = Workflow.from_data(flow_data())

def rss():
    return psutil.Process().memory_info().rss

def draw(folder):
    inputs = {"load.file": folder, "width": 64, "height": 64, "steps": 1}
    result = engine.run(engine.with_inputs(flow, inputs), out=Path(here) / "out")
    assert result.status == "done", result.errors
    del result

draw(small)  # all that is imported stays
engine.free()
before = rss()
draw(large)
held, models = rss(), engine.models.used
engine.free()
print(json.dumps([before, held, models, rss()]))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose network is large; the rest of it is as tiny as ever."""
    pipeline = make_pipeline()
    unet = UNet2DConditionModel.from_config(
        {**pipeline.unet.config, "block_out_channels": (320, 640), "norm_num_groups": 32}
    )
    pipeline.unet = unet
    folder = tmp_path_factory.mktemp("checkpoints") / "large"
    pipeline.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_system_has_the_memory_of_a_model_back_when_it_is_unloaded(
    precision: str, folder: Path, large: Path, tmp_path: Path
) -> None:
    said = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), str(folder), str(large), precision],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    before, held, models, after = json.loads(said.stdout)
    assert models >= (LEAST if precision == "fp32" else LEAST // 2)
    assert held >= before + 0.8 * models
    assert after <= 1.1 * before
