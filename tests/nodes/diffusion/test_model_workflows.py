"""Workflows that need models of the user's: run with tiny ones of the same architecture, they draw
what diffusers' pipelines draw."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, StableDiffusionControlNetPipeline
from nodeflow_nodes.image.files import load
from nodeflow_nodes.image.hints import canny
from torch import Tensor

from nodeflow import Workflow
from nodeflow.engine import Engine
from nodeflow.events import Event, NodePreview
from nodeflow.roots import MODEL_KINDS
from nodeflow.settings import Settings
from tests.nodes.diffusion.adapter_files import (
    IMAGE_SIDE,
    adapted,
    make_adapter,
    make_encoder,
    write_adapter,
)
from tests.nodes.diffusion.along import along, ended, levels_of, multistep, picture
from tests.nodes.diffusion.lora_files import kohya_state, make_layers, write
from tests.nodes.diffusion.original_layout import original_vae, plain_clip
from tests.nodes.diffusion.side_by_side import NEGATIVE, PROMPT, SIDE, distance
from tests.nodes.diffusion.tiny_flow_models import (
    make_flux,
    make_sd3,
    original_flux,
    sd3_state,
    t5_state,
)
from tests.nodes.diffusion.tiny_models import make_control, make_pipeline, original_state, save
from tests.test_workflows import QUICK, SHIPPED

QUICKLY: dict[str, Any] = {"prompt": PROMPT, "steps": 2, "width": SIDE, "height": SIDE}
TOLD: dict[str, Any] = QUICKLY | {"negative": NEGATIVE}
PROMPTS = {"prompt": PROMPT, "negative_prompt": NEGATIVE}
SIZE = {"width": SIDE, "height": SIDE}
SD1 = "v1-5-pruned-emaonly.safetensors"

Draw = Callable[[Workflow], Tensor]
"""What diffusers draws for a workflow: the picture [1, height, width, 3] in 0..1."""


@dataclass(frozen=True)
class Case:
    """A workflow whose models are written.

    Attributes:
        inputs: What it is run with.
        draw: What comes of it.
        without: Inputs that turn off what the workflow is about, if there are some.
        plain: What comes of it then.
    """

    inputs: Mapping[str, Any]
    draw: Draw
    without: Mapping[str, Any] = field(default_factory=dict)
    plain: Draw | None = None


def said(flow: Workflow, node: str, name: str) -> Any:
    """What the workflow says of an input."""
    return flow.nodes[node].inputs[name]


def sdxl(models: Path) -> Case:
    """The base and the refiner, as single files."""
    pipes, files = {}, {}
    for kind, name in (("xl", "sd_xl_base_1.0"), ("refiner", "sd_xl_refiner_1.0")):
        pipes[kind], files[kind] = (
            make_pipeline(kind),
            models / "checkpoints" / f"{name}.safetensors",
        )
        save(original_state(kind, pipes[kind]), files[kind])

    def draw(flow: Workflow) -> Tensor:
        """The base hands its latent on, with the noise that is left in it."""
        sigmas, times = levels_of(files["xl"], *(said(flow, "levels", n) for n in LEVELS))
        seed, change = said(flow, "draw", "seed"), said(flow, "finish", "start_step")
        assert change == said(flow, "draw", "end_step")
        # The last of its steps is not the last of the walk.
        first = multistep(pipes["xl"], final_sigmas_type="sigma_min", lower_order_final=False)
        told: dict[str, Any] = PROMPTS | {"guidance_scale": said(flow, "base_guider", "guidance")}
        half = ended(
            pipes["xl"],
            along(first, (sigmas[: change + 1], times[:change])),
            seed,
            change,
            **told | SIZE,
        )
        rest = along(multistep(pipes["refiner"]), (sigmas[change:], times[change:]))
        told["guidance_scale"] = said(flow, "refiner_guider", "guidance")
        # A start that leaves out no step: it says that there is noise in the latent.
        told |= {"image": half, "denoising_start": 1e-3}
        whole = ended(pipes["refiner"], rest, seed, len(times) - change, **told)
        return picture(pipes["xl"].vae, whole)

    return Case(TOLD | {"steps": 5, "base_steps": 3, "refiner_start": 3}, draw)


LEVELS = ("schedule", "steps")


def sd1(models: Path, pipe: Any, **more: Any) -> Draw:
    """What a pipeline with Stable Diffusion 1 draws."""

    def draw(flow: Workflow) -> Tensor:
        file, steps = models / "checkpoints" / SD1, said(flow, "sample", "steps")
        levels = levels_of(file, said(flow, "sample", "schedule"), steps)
        told = PROMPTS | {"guidance_scale": said(flow, "sample", "guidance")}
        told |= more if "image" in more else more | SIZE
        latent = ended(
            pipe, along(multistep(pipe), levels), said(flow, "sample", "seed"), steps, **told
        )
        return picture(pipe.vae, latent)

    return draw


def written(models: Path) -> Any:
    """A tiny Stable Diffusion 1, and its file."""
    pipe = make_pipeline("1")
    save(original_state("1", pipe), models / "checkpoints" / SD1)
    return pipe


def write_picture(models: Path, side: int) -> Path:
    """A picture among the user's inputs."""
    inputs = models.parent / "data" / "inputs"
    inputs.mkdir(parents=True)
    made = PIL.Image.radial_gradient("L").resize((side, side)).convert("RGB")
    made.save(inputs / "picture.png")
    return inputs / "picture.png"


def lora(models: Path) -> Case:
    """A checkpoint and a LoRA for it, as kohya's scripts write it."""
    pipe, file = written(models), models / "loras" / "style.safetensors"
    write(kohya_state(make_layers(pipe, only="attn")), file)
    changed = copy.deepcopy(pipe)
    changed.load_lora_weights(file, adapter_name="style")

    def draw(flow: Workflow) -> Tensor:
        strengths = {
            "unet": said(flow, "lora", "strength_model"),
            "text_encoder": said(flow, "lora", "strength_text"),
        }
        changed.set_adapters("style", strengths)
        return sd1(models, changed)(flow)

    off = {"strength_model": 0.0, "strength_text": 0.0}
    return Case(TOLD, draw, off, sd1(models, pipe))


def controlnet(models: Path) -> Case:
    """A checkpoint, a control network for it, and a picture to take edges from."""
    pipe = written(models)
    network = make_control(pipe.unet)
    save(network.state_dict(), models / "controlnet" / "control_v11p_sd15_canny_fp16.safetensors")
    edges = canny(load(write_picture(models, SIDE)).image)
    held: Any = StableDiffusionControlNetPipeline(
        **pipe.components, controlnet=network, requires_safety_checker=False
    )

    def draw(flow: Workflow) -> Tensor:
        strength = said(flow, "apply", "strength")
        image = edges.expand(-1, -1, -1, 3).movedim(-1, 1)
        return sd1(models, held, image=image, controlnet_conditioning_scale=strength)(flow)

    return Case(TOLD, draw, {"strength": 0.0}, sd1(models, pipe))


def ip_adapter(models: Path) -> Case:
    """A checkpoint, an adapter for it, an image encoder, and a picture to be seen."""
    pipe = written(models)
    adapter = make_adapter(pipe.unet, "plus")
    write_adapter(adapter, models / "ipadapter" / "ip-adapter-plus_sd15.safetensors")
    file = models / "clip_vision" / "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
    save(make_encoder().state_dict(), file)
    with PIL.Image.open(write_picture(models, IMAGE_SIDE)) as opened:
        seen = [[opened.copy()]]

    def draw(flow: Workflow) -> Tensor:
        wanted = adapted(pipe, [adapter], [said(flow, "apply", "weight")])
        return sd1(models, wanted, ip_adapter_image=seen)(flow)

    return Case(TOLD, draw, {"weight": 0.0}, sd1(models, pipe))


def sd3(models: Path) -> Case:
    """One file with all parts, and T5's vocabulary beside it."""
    pipe, folder = make_sd3(), models / "checkpoints"
    # As the original code has it: no projection of what the first CLIP pools.
    pipe.text_encoder.text_projection.weight.data.copy_(torch.eye(64))
    file = folder / "sd3.5_medium_incl_clips_t5xxlfp8scaled.safetensors"
    save(sd3_state(pipe), file)
    pipe.tokenizer_3.save_pretrained(folder)

    def draw(flow: Workflow) -> Tensor:
        steps = said(flow, "sample", "steps")
        (_, *sigmas), times = levels_of(file, said(flow, "sample", "schedule"), steps)
        # Where there is nothing but noise, the solver would divide by the part of the picture.
        levels = [1 - 1e-6, *sigmas], times
        solver = multistep(pipe, use_flow_sigmas=True, prediction_type="flow_prediction")
        told = PROMPTS | SIZE | {"guidance_scale": said(flow, "sample", "guidance")}
        latent = ended(pipe, along(solver, levels), said(flow, "sample", "seed"), steps, **told)
        return picture(pipe.vae, latent)

    return Case(TOLD | {"steps": 4}, draw)


def flux(models: Path) -> Case:
    """Each part in a file of its own."""
    pipe, texts = make_flux("dev"), models / "text_encoders"
    file = models / "diffusion_models" / "flux1-dev.safetensors"
    save(original_flux(pipe.transformer.state_dict()), file)
    save(plain_clip(pipe.text_encoder.state_dict()), texts / "clip_l.safetensors")
    save(t5_state(pipe.text_encoder_2), texts / "t5xxl_fp16.safetensors")
    pipe.tokenizer_2.save_pretrained(texts)
    save(original_vae(pipe.vae.state_dict()), models / "vae" / "ae.safetensors")

    def draw(flow: Workflow) -> Tensor:
        steps = said(flow, "sample", "steps")
        sigmas, times = levels_of(file, said(flow, "sample", "schedule"), steps)
        # The pipeline tells the network a thousandth of its scheduler's times.
        walk = along(FlowMatchEulerDiscreteScheduler(), (sigmas, [1000 * time for time in times]))
        told = SIZE | {"prompt": PROMPT, "guidance_scale": said(flow, "firmly", "guidance")}
        latent = ended(pipe, walk, said(flow, "sample", "seed"), steps, **told)
        return picture(pipe.vae, pipe._unpack_latents(latent, SIDE, SIDE, 8))

    return Case(QUICKLY, draw)


MODELS: dict[str, Callable[[Path], Case]] = {
    "controlnet": controlnet,
    "flux": flux,
    "ip_adapter": ip_adapter,
    "lora": lora,
    "sd3": sd3,
    "sdxl": sdxl,
}
"""Workflow to what writes its models into a folder."""


def test_every_workflow_is_run_somewhere() -> None:
    assert sorted(SHIPPED) == sorted([*QUICK, *MODELS])


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for kind in MODEL_KINDS:
        (tmp_path / "models" / kind).mkdir(parents=True)
    return tmp_path / "models"


@pytest.fixture
def settings(tmp_path: Path, cache: Path, models: Path) -> Settings:
    return Settings(cache=cache, data=tmp_path / "data", packs=(), models=(models,))


@pytest.mark.parametrize("name", MODELS)
def test_it_draws_what_diffusers_draws(
    name: str, tmp_path: Path, models: Path, settings: Settings
) -> None:
    case = MODELS[name](models)
    events: list[Event] = []
    with Engine(settings, device="cpu", precision="fp32", guard=True) as engine:

        def drawn(inputs: Mapping[str, Any]) -> tuple[Workflow, Tensor]:
            flow = engine.with_inputs(engine.load(SHIPPED[name]), inputs)
            assert engine.check(flow) == []
            result = engine.run(flow, out=tmp_path / "out", emit=events.append, watched=True)
            assert (result.status, result.errors) == ("done", ())
            return flow, result.loaded()["image"]

        flow, image = drawn(case.inputs)
        expected = case.draw(flow)
        assert image.shape == expected.shape == (1, SIDE, SIDE, 3)
        assert distance(image, expected) <= 1e-4
        assert expected.std() > 0.01
        # Whoever watches sees something of it.
        assert {event.node for event in events if isinstance(event, NodePreview)} <= WALKS
        assert any(isinstance(event, NodePreview) for event in events)
        if case.plain is not None:
            flow, without = drawn({**case.inputs, **case.without})
            assert distance(without, case.plain(flow)) <= 1e-4
            assert distance(without, image) > 0.01


WALKS = {"sample", "draw", "finish"}


def test_an_adapter_for_another_family_is_refused_before_the_run(
    models: Path, settings: Settings
) -> None:
    ip_adapter(models)
    file = models / "ipadapter" / "ip-adapter-plus_sd15.safetensors"
    write_adapter(make_adapter(make_pipeline("xl").unet, "plus"), file)
    with Engine(settings, device="cpu", precision="fp32") as engine:
        (problem,) = engine.check(engine.load(SHIPPED["ip_adapter"]))
    assert "is for text of width 192, and the positive prompt is for 64" in str(problem)
