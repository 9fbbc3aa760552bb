"""Workflows that need models of the user's: run with tiny ones of the same architecture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from nodeflow.engine import Engine
from nodeflow.roots import MODEL_KINDS
from nodeflow.settings import Settings
from tests.nodes.diffusion.adapter_files import make_adapter, make_encoder, write_adapter
from tests.nodes.diffusion.lora_files import kohya_state, make_layers, write
from tests.nodes.diffusion.original_layout import original_vae, plain_clip
from tests.nodes.diffusion.tiny_flow_models import (
    make_flux,
    make_sd3,
    original_flux,
    sd3_state,
    t5_state,
)
from tests.nodes.diffusion.tiny_models import make_control, make_pipeline, original_state, save
from tests.test_workflows import QUICK, SHIPPED


def sdxl(models: Path) -> dict[str, Any]:
    """The base and the refiner, as single files."""
    for kind, name in (("xl", "sd_xl_base_1.0"), ("refiner", "sd_xl_refiner_1.0")):
        state = original_state(kind, make_pipeline(kind))
        save(state, models / "checkpoints" / f"{name}.safetensors")
    size = {"width": 64, "height": 64}
    return {"steps": 4, "base_steps": 3, "refiner_start": 3, **size}


def lora(models: Path) -> dict[str, Any]:
    """A checkpoint and a LoRA for it, as kohya's scripts write it."""
    pipe = plain(models)
    write(kohya_state(make_layers(pipe)), models / "loras" / "style.safetensors")
    return QUICKLY


def controlnet(models: Path) -> dict[str, Any]:
    """A checkpoint, a control network for it, and a picture to take edges from."""
    network = make_control(plain(models).unet)
    save(network.state_dict(), models / "controlnet" / "control_v11p_sd15_canny_fp16.safetensors")
    inputs = models.parent / "data" / "inputs"
    inputs.mkdir(parents=True)
    PIL.Image.radial_gradient("L").resize((64, 64)).save(inputs / "picture.png")
    return QUICKLY


def ip_adapter(models: Path) -> dict[str, Any]:
    """A checkpoint, an adapter for it, an image encoder, and a picture to be seen."""
    adapter = make_adapter(plain(models).unet, "plus")
    write_adapter(adapter, models / "ipadapter" / "ip-adapter-plus_sd15.safetensors")
    file = models / "clip_vision" / "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
    save(make_encoder().state_dict(), file)
    inputs = models.parent / "data" / "inputs"
    inputs.mkdir(parents=True)
    PIL.Image.radial_gradient("L").resize((64, 64)).save(inputs / "picture.png")
    return QUICKLY


def sd3(models: Path) -> dict[str, Any]:
    """One file with all parts, and T5's vocabulary beside it."""
    pipe, folder = make_sd3(), models / "checkpoints"
    save(sd3_state(pipe), folder / "sd3.5_medium_incl_clips_t5xxlfp8scaled.safetensors")
    pipe.tokenizer_3.save_pretrained(folder)
    return QUICKLY


def flux(models: Path) -> dict[str, Any]:
    """Each part in a file of its own."""
    pipe, texts = make_flux("dev"), models / "text_encoders"
    network = original_flux(pipe.transformer.state_dict())
    save(network, models / "diffusion_models" / "flux1-dev.safetensors")
    save(plain_clip(pipe.text_encoder.state_dict()), texts / "clip_l.safetensors")
    save(t5_state(pipe.text_encoder_2), texts / "t5xxl_fp16.safetensors")
    pipe.tokenizer_2.save_pretrained(texts)
    save(original_vae(pipe.vae.state_dict()), models / "vae" / "ae.safetensors")
    return QUICKLY


def plain(models: Path) -> Any:
    """A tiny Stable Diffusion 1, and its file."""
    pipe = make_pipeline("1")
    file = models / "checkpoints" / "v1-5-pruned-emaonly.safetensors"
    save(original_state("1", pipe), file)
    return pipe


QUICKLY = {"steps": 2, "width": 64, "height": 64}

MODELS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "controlnet": controlnet,
    "flux": flux,
    "ip_adapter": ip_adapter,
    "lora": lora,
    "sd3": sd3,
    "sdxl": sdxl,
}
"""Workflow to what writes its models into a folder and gives quick inputs."""


def test_every_workflow_is_run_somewhere() -> None:
    assert sorted(SHIPPED) == sorted([*QUICK, *MODELS])


@pytest.mark.parametrize("name", MODELS)
def test_it_runs_with_models_of_its_kind(name: str, tmp_path: Path) -> None:
    models = tmp_path / "models"
    for kind in MODEL_KINDS:
        (models / kind).mkdir(parents=True)
    inputs = MODELS[name](models)
    settings = Settings(
        cache=tmp_path / "cache", data=tmp_path / "data", packs=(), models=(models,)
    )
    with Engine(settings, device="cpu", precision="fp32", guard=True) as engine:
        flow = engine.with_inputs(engine.load(SHIPPED[name]), inputs)
        assert engine.check(flow) == []
        result = engine.run(flow, out=tmp_path / "out").loaded()
    assert (result.status, result.errors) == ("done", ())
    assert result["image"].shape[1:] == (64, 64, 3)
    assert float(result["image"].std()) > 0


def test_an_adapter_for_another_family_is_refused_before_the_run(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for kind in MODEL_KINDS:
        (models / kind).mkdir(parents=True)
    ip_adapter(models)
    file = models / "ipadapter" / "ip-adapter-plus_sd15.safetensors"
    write_adapter(make_adapter(make_pipeline("xl").unet, "plus"), file)
    settings = Settings(
        cache=tmp_path / "cache", data=tmp_path / "data", packs=(), models=(models,)
    )
    with Engine(settings, device="cpu", precision="fp32") as engine:
        (problem,) = engine.check(engine.load(SHIPPED["ip_adapter"]))
    assert "is for text of width 192, and the positive prompt is for 64" in str(problem)
