"""Shrunk models whose repeated blocks are compiled, and what else is done to their networks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families.family import Denoiser, PromptBatch, Weakening
from nodeflow_nodes.diffusion.load import load_denoiser, load_model
from nodeflow_nodes.diffusion.lora import load_lora_model
from nodeflow_nodes.diffusion.step_cache import taylor_seer_cache
from torch import Tensor
from torch._dynamo.utils import counters

from nodeflow import Cancelled, Device, Model, ModelMemory, Workflow
from nodeflow.engine import COMPILED, Engine
from nodeflow.progress import working
from nodeflow.settings import Settings
from tests.nodes.diffusion.lora_files import kohya_state, make_layers, write
from tests.nodes.diffusion.tiny_flow_models import make_flux
from tests.nodes.diffusion.tiny_models import make_pipeline, original_state, save

DEVICES = (Device(), Device(compiled="blocks"))
SIGMA = 0.9


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """How many graphs were made of blocks. They are found and guarded as ever, and run without
    code being made of them, which takes seconds each."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/g++")
    torch._dynamo.reset()
    counters.clear()
    yield lambda: int(counters["stats"]["unique_graphs"])
    torch._dynamo.reset()


@pytest.fixture(scope="module")
def pipe() -> Any:
    torch.manual_seed(0)
    return make_pipeline("1")


@pytest.fixture
def unet(pipe: Any, tmp_path: Path) -> Model:
    return load_model(save(original_state("1", pipe), tmp_path / "sd.safetensors")).model


@pytest.fixture
def flux(tmp_path: Path) -> Model:
    torch.manual_seed(0)
    state = make_flux("dev", layers=1).transformer.state_dict()
    return load_denoiser(save(state, tmp_path / "flux.safetensors"))


def both(model: Model, memory: ModelMemory) -> tuple[Denoiser, Denoiser]:
    """As it was written, and with compiled blocks."""
    plain, network = (parts.denoiser(model, memory, device) for device in DEVICES)
    return plain, network


def of_unet(batch: int = 2, height: int = 8, width: int = 8) -> tuple[Tensor, PromptBatch]:
    return torch.randn(batch, 4, height, width), PromptBatch(torch.randn(batch, 77, 64))


def of_flux() -> tuple[Tensor, PromptBatch]:
    prompt = PromptBatch(
        torch.randn(1, 9, 96), torch.randn(1, 64), {"guidance": torch.tensor([3.5])}
    )
    return torch.randn(1, 16, 8, 8), prompt


def same(one: Denoiser, other: Denoiser, x: Tensor, prompt: PromptBatch) -> bool:
    return torch.allclose(
        one.estimate(x, SIGMA, prompt), other.estimate(x, SIGMA, prompt), atol=1e-5
    )


def drawing(model: Path) -> Workflow:
    """A picture of 64 pixels in two steps."""

    def link(node: str, output: str) -> dict[str, str]:
        return {"node": node, "output": output}

    def text(words: str) -> dict[str, Any]:
        inputs = {"encoder": link("load", "text_encoder"), "text": words}
        return {"type": "diffusion.encode_text", "inputs": inputs}

    size = {"model": link("load", "model"), "width": 64, "height": 64}
    sampled = {
        "model": link("load", "model"),
        "positive": link("prompt", "conditioning"),
        "negative": link("negative", "conditioning"),
        "latent": link("empty", "latent"),
        "steps": 2,
    }
    decoded = {"vae": link("load", "vae"), "latent": link("sample", "latent")}
    nodes = {
        "load": {"type": "diffusion.load_model", "inputs": {"file": str(model)}},
        "prompt": text("a red apple"),
        "negative": text(""),
        "empty": {"type": "diffusion.empty_latent", "inputs": size},
        "sample": {"type": "diffusion.sample", "inputs": sampled},
        "decode": {"type": "diffusion.decode", "inputs": decoded},
        "save": {"type": "image.save", "inputs": {"image": link("decode", "image")}},
    }
    return Workflow.from_data({"nodeflow": 1, "nodes": nodes})


@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")
def test_a_picture_is_the_same_and_the_code_is_kept_in_the_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Put back afterwards whatever an engine makes of it.
    monkeypatch.setenv(COMPILED, "")
    monkeypatch.delenv(COMPILED)
    torch._dynamo.reset()
    pictures = []
    for name, how in (("plain", False), ("blocks", "blocks")):
        settings = Settings(cache=tmp_path / name, data=tmp_path, compile=how)
        with Engine(settings, device="cpu", precision="fp32") as engine:
            engine.run(drawing(folder), out=tmp_path / f"out {name}").raise_if_failed()
        (file,) = (tmp_path / f"out {name}").iterdir()
        with PIL.Image.open(file) as picture:
            pictures.append(np.asarray(picture, np.int16))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1
    assert pictures[0].std() > 5
    assert not (tmp_path / "plain" / "compiled").exists()
    assert list((tmp_path / "blocks" / "compiled").rglob("*.so"))


def test_a_unet_is_compiled_once_for_each_width_and_for_sizes_once_more(
    unet: Model, graphs: Callable[[], int]
) -> None:
    plain, network = both(unet, ModelMemory())
    asked = of_unet()
    assert same(plain, network, *asked)
    made = graphs()
    # Four blocks of two widths.
    assert (made, dict(counters["graph_break"])) == (2, {})
    assert same(plain, network, *asked)
    assert graphs() == made
    assert same(plain, network, *of_unet(2, 16, 8))
    made = graphs()
    assert same(plain, network, *of_unet(2, 16, 16))
    assert graphs() == made


def test_a_lora_is_drawn_with_the_same_code(
    unet: Model, pipe: Any, tmp_path: Path, graphs: Callable[[], int]
) -> None:
    memory, asked = ModelMemory(), of_unet()
    layers = {"unet": make_layers(pipe)["unet"]}
    file = write(kohya_state(layers), tmp_path / "lora.safetensors")
    laid = load_lora_model(unet, file, 0.8)
    plain, network = both(unet, memory)
    assert same(plain, network, *asked)
    made = graphs()
    with_lora = both(laid, memory)
    assert same(*with_lora, *asked)
    assert not same(plain, with_lora[1], *asked)
    assert same(plain, network, *asked)
    assert graphs() == made


def test_perturbed_attention_is_compiled_once_more_and_gone_afterwards(
    unet: Model, graphs: Callable[[], int]
) -> None:
    plain, network = both(unet, ModelMemory())
    asked = of_unet()
    assert same(plain, network, *asked)
    made, weakening = graphs(), Weakening(attention=True)
    for _ in range(2):
        with plain.weakened(weakening), network.weakened(weakening):
            assert same(plain, network, *asked)
    assert graphs() == made + 1
    assert same(plain, network, *asked)
    assert graphs() == made + 1


@pytest.mark.usefixtures("graphs")
def test_layers_are_skipped_and_compiled_again_afterwards(flux: Model) -> None:
    plain, network = both(flux, ModelMemory())
    asked = of_flux()
    whole, weakening = plain.estimate(asked[0], SIGMA, asked[1]), Weakening(layers=(1,))
    assert same(plain, network, *asked)
    with plain.weakened(weakening), network.weakened(weakening):
        assert same(plain, network, *asked)
        assert not torch.allclose(network.estimate(asked[0], SIGMA, asked[1]), whole, atol=1e-3)
    assert all("forward" in vars(block) for block in network.blocks())  # type: ignore[attr-defined]
    assert same(plain, network, *asked)


@pytest.mark.usefixtures("graphs")
def test_a_step_cache_leaves_out_the_same_steps(flux: Model) -> None:
    x, prompt = of_flux()
    plain, network = both(taylor_seer_cache(flux), ModelMemory())
    for sigma in (0.9, 0.8, 0.7, 0.6, 0.5):
        found, expected = (one.estimate(x, sigma, prompt) for one in (network, plain))
        assert torch.allclose(found, expected, atol=1e-5)
    assert network.computed == plain.computed < network.calls  # type: ignore[attr-defined]


@pytest.mark.usefixtures("graphs")
def test_a_run_is_cancelled_in_the_middle_of_a_step(unet: Model) -> None:
    network: Any = parts.denoiser(unet, ModelMemory(), DEVICES[1])
    x, prompt = of_unet()
    done: list[object] = []
    blocks = [module for module in network.network.modules() if "forward" in vars(module)]
    for block in blocks:
        block.register_forward_hook(lambda block, inputs, outputs: done.append(block))
    network.estimate(x, SIGMA, prompt)
    assert len(done) == len(blocks) > 2
    order = done.copy()
    done.clear()
    with working(lambda: len(done) == 2), pytest.raises(Cancelled):
        network.estimate(x, SIGMA, prompt)
    assert done == order[:2]
