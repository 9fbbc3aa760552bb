"""Control networks through our nodes beside diffusers' pipelines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    StableDiffusionControlNetPipeline,
    StableDiffusionXLControlNetPipeline,
)
from nodeflow_nodes.diffusion import control, parts
from nodeflow_nodes.diffusion.control import CONTROL_NET, apply_controlnet, load_controlnet
from nodeflow_nodes.diffusion.control_checks import check_control, control_facts
from nodeflow_nodes.diffusion.families.control import fitted
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.samplers.euler import euler
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.text import encode_text

from nodeflow import Conditioning, Device, Image, InputError, ModelMemory, Progress
from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED
from tests.nodes.diffusion.original_layout import prefixed
from tests.nodes.diffusion.side_by_side import EULER, SIDE, distance, ours, theirs
from tests.nodes.diffusion.tiny_models import (
    make_control,
    original_control,
    save,
)

KINDS = ("1", "2", "xl")
IMAGES = torch.rand(2, 1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(0))


def controlled(pipe: Any, networks: list[Any], strengths: list[float]) -> torch.Tensor:
    """What diffusers' pipeline draws with control networks."""
    kind: Any = (
        StableDiffusionXLControlNetPipeline
        if "text_encoder_2" in pipe.components
        else StableDiffusionControlNetPipeline
    )
    whole = kind(
        **pipe.components,
        controlnet=networks if len(networks) > 1 else networks[0],
        **({"add_watermarker": False} if "text_encoder_2" in pipe.components else {}),
        **({} if "text_encoder_2" in pipe.components else {"requires_safety_checker": False}),
    )
    images = [image.movedim(-1, 1) for image in IMAGES[: len(networks)]]
    return theirs(
        whole,
        EULER,
        5.0,
        image=images if len(images) > 1 else images[0],
        controlnet_conditioning_scale=strengths if len(strengths) > 1 else strengths[0],
    )


def written(network: Any, layout: str, folder: Path) -> Path:
    if layout == "folder":
        network.save_pretrained(folder / "control")
        return folder / "control"
    state = network.state_dict() if layout == "diffusers" else original_control(network)
    state = prefixed("control_model.", state) if layout == "original" else state
    return save(state, folder / "control.safetensors")


@pytest.mark.parametrize("node", [control.load_controlnet, control.apply_controlnet])
def test_the_nodes_are_described(node: Any) -> None:
    sockets = {socket.of: socket.name for socket in (*SHARED, CONTROL_NET)}
    spec = read_node(node, "diffusion", sockets)
    assert spec.description
    assert [item.name for item in spec.inputs if not item.description] == []


@pytest.mark.parametrize("layout", ["folder", "diffusers", "original", "original, alone"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_draws_what_the_pipeline_draws(
    pipes: dict[str, Any],
    opened: dict[str, LoadedModel],
    memory: ModelMemory,
    tmp_path: Path,
    kind: str,
    layout: str,
) -> None:
    network = make_control(pipes[kind].unet)
    net = load_controlnet(written(network, layout, tmp_path))

    def change(yes: Conditioning, no: Conditioning) -> tuple[Conditioning, Conditioning]:
        return apply_controlnet(yes, no, net, Image(IMAGES[0]), 0.8)

    found = ours(opened[kind], memory, euler, EULER, 5.0, change=change)
    assert distance(found, controlled(pipes[kind], [network], [0.8])) <= 1e-4
    assert distance(found, ours(opened[kind], memory, euler, EULER, 5.0)) > 0.02


def test_several_hold_a_walk_together(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], memory: ModelMemory, tmp_path: Path
) -> None:
    networks, strengths = [make_control(pipes["1"].unet, seed) for seed in (1, 2)], [0.6, 0.3]
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    nets = [
        load_controlnet(written(network, "diffusers", tmp_path / name))
        for network, name in zip(networks, "12", strict=True)
    ]

    def change(yes: Conditioning, no: Conditioning) -> tuple[Conditioning, Conditioning]:
        for net, image, strength in zip(nets, IMAGES, strengths, strict=True):
            yes, no = apply_controlnet(yes, no, net, Image(image), strength)
        return yes, no

    found = ours(opened["1"], memory, euler, EULER, 5.0, change=change)
    assert distance(found, controlled(pipes["1"], networks, strengths)) <= 1e-4


def test_strength_and_time_decide_how_much_it_is_heard(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], memory: ModelMemory, tmp_path: Path
) -> None:
    model, services = opened["1"], {"models": memory, "device": Device()}
    net = load_controlnet(written(make_control(pipes["1"].unet), "diffusers", tmp_path))
    yes, no = (encode_text(model.text_encoder, text, **services) for text in ("a frog", ""))

    def draw(*options: float) -> torch.Tensor:
        prompts = (
            apply_controlnet(yes, no, net, Image(IMAGES[0]), *options) if options else (yes, no)
        )
        latent = empty_latent(model.model, SIDE, SIDE)
        return sample(
            model.model, *prompts, latent, steps=4, progress=Progress(), **services
        ).samples

    plain = draw()
    assert torch.equal(draw(0.0), plain)
    pictures = [plain, draw(1.0, 0.0, 0.4), draw(1.0, 0.4, 1.0), draw(1.0), draw(0.5)]
    assert all(distance(a, b) > 0.01 for i, a in enumerate(pictures) for b in pictures[:i])


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [
        (4, 4, (0, 0, 1, 1, 2, 2, 3, 3), (0, 0, 1, 1, 2, 2, 3, 3)),
        (4, 8, (0, 0, 1, 1, 2, 2, 3, 3), (2, 2, 3, 3, 4, 4, 5, 5)),
        (9, 4, (2, 2, 3, 4, 4, 5, 6, 6), (0, 0, 1, 1, 2, 2, 3, 3)),
        (16, 16, (1, 3, 5, 7, 9, 11, 13, 15), (1, 3, 5, 7, 9, 11, 13, 15)),
        (8, 8, tuple(range(8)), tuple(range(8))),
        # A half is rounded as ComfyUI rounds it: 0.4999... is nothing.
        (7, 6, (0, 1, 2, 3, 3, 4, 5, 6), (0, 1, 1, 2, 3, 4, 4, 5)),
        (1, 20, (0,) * 8, (9, 9, 9, 9, 10, 10, 10, 10)),
        (20, 1, (9, 9, 9, 9, 10, 10, 10, 10), (0,) * 8),
    ],
)
def test_a_picture_is_cut_about_its_middle_and_resized_by_the_nearest_pixel(
    height: int, width: int, rows: tuple[int, ...], columns: tuple[int, ...]
) -> None:
    places = torch.arange(float(height * width)).reshape(height, width)
    image = places.unsqueeze(0).unsqueeze(-1).expand(2, -1, -1, 3)
    expected = places[list(rows)][:, list(columns)].expand(2, 3, -1, -1)
    assert torch.equal(fitted(image, 8, 8), expected)


def test_pictures_of_any_size_and_channels_fit(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], memory: ModelMemory, tmp_path: Path
) -> None:
    net = load_controlnet(written(make_control(pipes["1"].unet), "diffusers", tmp_path))

    def draw(image: torch.Tensor) -> torch.Tensor:
        return ours(
            opened["1"],
            memory,
            euler,
            EULER,
            5.0,
            change=lambda yes, no: apply_controlnet(yes, no, net, Image(image)),
        )

    grey = torch.full((1, SIDE, SIDE, 1), 0.5)
    expected = draw(grey.expand(-1, -1, -1, 3))
    assert torch.equal(draw(grey), expected)
    assert distance(draw(grey[:, :30, :50]), expected) <= 1e-4
    clear = torch.cat([torch.ones(1, SIDE, SIDE, 3), torch.zeros(1, SIDE, SIDE, 1)], dim=-1)
    assert torch.equal(draw(clear), draw(torch.zeros(1, SIDE, SIDE, 3)))
    with pytest.raises(InputError, match="a picture of 2 channels is no control picture"):
        draw(torch.zeros(1, SIDE, SIDE, 2))
    with pytest.raises(InputError, match=r"control picture of the positive prompt .* 3 pict"):
        draw(torch.zeros(3, SIDE, SIDE, 3))


def test_one_for_another_family_is_told_before_the_run(
    pipes: dict[str, Any], tmp_path: Path
) -> None:
    facts = {}
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        file = written(make_control(pipes[kind].unet), "diffusers", tmp_path / kind)
        facts[kind] = control_facts(file)["controlnet"]
    xl = {"family": "stable_diffusion_xl", "text_width": 192, "precision": "fp32"}
    assert facts["xl"].items() >= xl.items()
    prompt = {"family": "stable_diffusion", "text_width": 64}
    check_control(prompt, prompt, facts["1"], 0.0, 1.0)
    with pytest.raises(InputError, match="is for the family stable_diffusion_xl, and the positive"):
        check_control(prompt, prompt, facts["xl"], 0.0, 1.0)
    with pytest.raises(InputError, match=r"is for text of width 128, and the .* is for 64"):
        check_control(prompt, prompt, facts["2"], 0.0, 1.0)
    with pytest.raises(InputError, match=r"begins at 0\.5 and ends at 0\.5"):
        check_control(prompt, prompt, facts["1"], 0.5, 0.5)
    assert control_facts({}) == {}


def test_bad_files_are_said(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="is no control network that is known here: it holds"):
        load_controlnet(Path(opened["1"].model.path))
    lora = save({"lora_controlnet": torch.zeros(1)}, tmp_path / "lora.safetensors")
    with pytest.raises(InputError, match="is a control LoRA, which is not supported"):
        load_controlnet(lora)
    with pytest.raises(InputError, match="is a pickle"):
        load_controlnet(tmp_path / "old.pth")

    network = make_control(pipes["1"].unet)
    folder = written(network, "folder", tmp_path)
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"_class_name": "UNet"}))
    with pytest.raises(InputError, match="holds a 'UNet', not a ControlNetModel"):
        load_controlnet(folder)
    shutil.rmtree(folder)
    folder = written(network, "folder", tmp_path)
    (folder / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InputError, match=r"diffusion_pytorch_model\.safetensors are missing"):
        load_controlnet(folder)

    state = network.state_dict()
    del state["controlnet_mid_block.weight"]
    file = save(state, tmp_path / "less.safetensors")
    with pytest.raises(InputError, match=r"lacks 1 tensors .* 'controlnet_mid_block\.weight'"):
        parts.control_network(load_controlnet(file), ModelMemory(), Device())
