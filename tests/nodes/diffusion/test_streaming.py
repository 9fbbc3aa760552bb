"""Models larger than what models may take: they draw the same, and their weights stay in files."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodeflow_nodes
import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.families.streaming import Resting, StreamingToGpu
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_denoiser, load_model
from nodeflow_nodes.diffusion.lora import load_lora_model
from torch import Tensor

from nodeflow import Cancelled, Device, Engine, ModelMemory, NodeflowError, Precision, Workflow
from nodeflow.progress import working
from nodeflow.settings import Settings
from tests.nodes.diffusion.gguf_writing import write_gguf
from tests.nodes.diffusion.lora_files import diffusers_state, make_layers, write
from tests.nodes.diffusion.modular_models import save_wan, save_z_image
from tests.nodes.diffusion.modular_walks import SIDE, walked
from tests.nodes.diffusion.original_layout import original_unet
from tests.nodes.diffusion.test_gguf import estimate
from tests.nodes.diffusion.tiny_flow_models import original_flux
from tests.nodes.diffusion.tiny_models import save

WORKFLOW = Path(nodeflow_nodes.__file__).parents[2] / "workflows" / "text_to_image.json"
PRECISIONS = [Precision.FP32, Precision.BF16]
LITTLE = 1000
"""Bytes that models may take: too few for any."""


@pytest.fixture
def small(tmp_path: Path) -> ModelMemory:
    return ModelMemory(LITTLE, folder=tmp_path / "cache")


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["1", "xl", "flux"])
def test_a_network_that_streams_out_of_a_file_draws_the_same(
    pipes: dict[str, Any],
    flow_pipes: dict[str, Any],
    small: ModelMemory,
    tmp_path: Path,
    kind: str,
    stored: torch.dtype,
    precision: Precision,
) -> None:
    if kind == "flux":
        state = original_flux(flow_pipes[kind].transformer.state_dict())
    else:
        state = original_unet(pipes[kind].unet.state_dict(), 1)
    model = load_denoiser(save(state, tmp_path / "model.safetensors", stored))
    whole, wanted = estimate(model, ModelMemory(), precision)
    for _ in range(2):
        assert torch.equal(estimate(model, small, precision)[1], wanted)
    assert small.used < whole.size / 2
    # Nothing is left to be taken away, whatever happens.
    assert not list((tmp_path / "cache").glob("*"))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("variant", [None, "fp16"])
@pytest.mark.parametrize("kind", ["xl", "flux", "sd3"])
def test_so_does_one_of_a_folder(
    pipes: dict[str, Any],
    flow_pipes: dict[str, Any],
    small: ModelMemory,
    tmp_path: Path,
    kind: str,
    variant: str | None,
    precision: Precision,
) -> None:
    folder = tmp_path / "model"
    pipe = (pipes | flow_pipes)[kind]
    pipe.save_pretrained(folder, variant=variant, max_shard_size="1MB")
    model = load_model(folder).model
    whole, wanted = estimate(model, ModelMemory(), precision)
    assert torch.equal(estimate(model, small, precision)[1], wanted)
    assert small.used < whole.size / 2


def test_so_does_a_gguf_file_without_a_copy_of_it(
    flow_pipes: dict[str, Any], small: ModelMemory, tmp_path: Path
) -> None:
    state = original_flux(flow_pipes["flux"].transformer.state_dict())
    model = load_denoiser(write_gguf(state, tmp_path / "model.gguf"))
    whole, wanted = estimate(model, ModelMemory())
    assert torch.equal(estimate(model, small)[1], wanted)
    assert small.used < whole.size


@pytest.mark.parametrize("save_model", [save_z_image, save_wan])
def test_so_does_one_that_runs_by_a_pipeline_of_diffusers(
    small: ModelMemory, tmp_path: Path, save_model: Callable[[Path], Any]
) -> None:
    save_model(tmp_path / "model")
    model = load_model(tmp_path / "model")
    latent = empty_latent(model.model, SIDE, SIDE)
    levels = [1.0, 0.8, 0.4, 0.0]
    wanted = walked(model, latent, levels, 2.0, ModelMemory())
    assert torch.equal(walked(model, latent, levels, 2.0, small), wanted)


def test_text_encoders_and_autoencoders_stream_too(
    flow_opened: dict[str, LoadedModel], small: ModelMemory
) -> None:
    model, device = flow_opened["flux"], Device()
    plenty = ModelMemory()
    latents = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(0))

    def made(memory: ModelMemory) -> tuple[Tensor, Tensor | None, Tensor]:
        prompt = parts.text_model(model.text_encoder, memory, device).encode("a red apple")
        picture = parts.autoencoder(model.vae, memory, device).decode(latents)
        return prompt.hidden, prompt.pooled, picture

    for found, wanted in zip(made(small), made(plenty), strict=True):
        assert found is not None
        assert wanted is not None
        assert torch.equal(found, wanted)


def test_a_lora_lies_over_a_network_that_streams_and_goes_again(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], small: ModelMemory, tmp_path: Path
) -> None:
    state, metadata = diffusers_state(make_layers(pipes["xl"], only="attn"))
    lora = write(state, tmp_path / "lora.safetensors", metadata)
    plain = opened["xl"].model
    patched = load_lora_model(plain, lora, 2.0)
    plenty = ModelMemory()
    wanted, with_lora = estimate(plain, plenty)[1], estimate(patched, plenty)[1]
    assert not torch.equal(wanted, with_lora)
    assert torch.equal(estimate(plain, small)[1], wanted)
    for _ in range(2):
        assert torch.equal(estimate(patched, small)[1], with_lora)
    assert torch.equal(estimate(plain, small)[1], wanted)
    # What was computed anew lies in a file as well.
    assert small.used < estimate(plain, plenty)[0].size / 2


def test_a_cancelled_run_stops_between_the_blocks(
    opened: dict[str, LoadedModel], small: ModelMemory
) -> None:
    network: Any = parts.denoiser(opened["1"].model, small, Device())
    asked: list[int] = []

    def at_the_second() -> bool:
        asked.append(1)
        return len(asked) == 2

    x, prompt = torch.zeros(1, 4, 8, 8), PromptBatch(torch.zeros(1, 16, network.text_width))
    wanted = network.estimate(x, 1.0, prompt)
    with working(at_the_second), pytest.raises(Cancelled):
        network.estimate(x, 1.0, prompt)
    assert torch.equal(network.estimate(x, 1.0, prompt), wanted)


def test_the_log_of_a_run_says_what_streams_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(name: str, budget: int) -> Tensor:
        settings = Settings(cache=tmp_path / name, data=tmp_path / "data", model_memory=budget)
        with Engine(settings, device="cpu", precision="fp32", cache=False) as engine:
            workflow = engine.set_inputs(Workflow.load(WORKFLOW), {"steps": "2"})
            result = engine.run(workflow, out=tmp_path / name)
            assert result.status == "done", result.errors
            found: Tensor = result["image"]
            return found

    wanted = run("usual", 1 << 40)
    assert "streamed" not in capsys.readouterr().out
    assert torch.equal(run("small", 100_000), wanted)
    out = capsys.readouterr().out
    assert "The denoiser of emoji takes " in out
    assert "models may take 97.7KiB on cpu (NODEFLOW_MODEL_MEMORY): its weights are streamed" in out


def test_a_full_disk_is_said(
    opened: dict[str, LoadedModel], small: ModelMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tempfile.TemporaryFile

    class Full:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._file = make(*args, **kwargs)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def write(self, content: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(NodeflowError, match=r"the disk with .*cache is full.*NODEFLOW_CACHE"):
        parts.denoiser(opened["xl"].model, small, Device(precision=Precision.BF16))
    monkeypatch.undo()
    parts.denoiser(opened["xl"].model, small, Device(precision=Precision.BF16))


MEASURED = """
import gc, os, signal, sys
from pathlib import Path
import torch
from nodeflow import Device, ModelMemory, Precision
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families import flux
from nodeflow_nodes.diffusion.load import load_denoiser
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.families.streaming import Resting, StreamingToGpu

def bytes_of(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name))
    return int(line.split()[1]) << 10

file, budget, cache = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
model, memory = load_denoiser(Path(file)), ModelMemory(budget, folder=cache)
Path("/proc/self/clear_refs").write_text("5")  # what was most begins anew
before = bytes_of("VmHWM")
network = parts.denoiser(model, memory, Device(precision=Precision.BF16))
loaded = bytes_of("VmHWM")
Path("/proc/self/clear_refs").write_text("5")
prompt = PromptBatch(torch.zeros(1, 8, 64), torch.zeros(1, 64), {"guidance": torch.ones(1)})
for _ in range(2):
    network.estimate(torch.zeros(1, 16, 8, 8), 0.5, prompt)
print("network", network.size, loaded - before, bytes_of("VmHWM") - before, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells it")
@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16])
def test_memory_stays_under_the_budget_and_nothing_is_left_after_a_crash(
    tmp_path: Path, stored: torch.dtype
) -> None:
    from diffusers import FluxTransformer2DModel

    torch.manual_seed(0)
    network = FluxTransformer2DModel(
        in_channels=64,
        num_layers=6,
        num_single_layers=10,
        attention_head_dim=64,
        num_attention_heads=12,
        joint_attention_dim=64,
        pooled_projection_dim=64,
        guidance_embeds=True,
        axes_dims_rope=(16, 24, 24),
    )
    file = save(network.state_dict(), tmp_path / "model.safetensors", stored)
    size, budget, cache = (
        2 * sum(p.numel() for p in network.parameters()),
        150 << 20,
        tmp_path / "c",
    )
    assert size > 2 * budget
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, str(file), str(budget), str(cache)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    _, whole, loading, walking = ended.stdout.splitlines()[-1].split()
    assert int(whole) == size
    assert int(loading) < budget
    assert int(walking) < budget
    assert not cache.exists() or not list(cache.iterdir())
    file.unlink()


def test_blocks_that_come_out_of_ram_compute_the_same(opened: dict[str, LoadedModel]) -> None:
    """As to a GPU; here both ends are the CPU."""
    model = opened["xl"].model
    place = Resting("cpu", Precision.FP32)
    streaming = StreamingToGpu(Device())
    loaded = family_of(model).load_denoiser(model, place)
    x = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    numbers = {name: torch.full((1,), value) for name, value in loaded.defaults(False).items()}
    prompt = PromptBatch(torch.ones(1, 8, loaded.text_width), torch.ones(1, 128), numbers)
    wanted = loaded.estimate(x, 0.7, prompt)
    streamed = loaded.changed(streaming)
    for _ in range(2):
        assert torch.equal(streamed.estimate(x, 0.7, prompt), wanted)
    assert 0 < streaming.held < loaded.size * 1.5
