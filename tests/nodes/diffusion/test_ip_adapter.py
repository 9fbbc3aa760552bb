"""IP-Adapters through our nodes beside diffusers' pipelines."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from diffusers import StableDiffusionControlNetPipeline
from nodeflow_nodes.diffusion import ip_adapter, parts
from nodeflow_nodes.diffusion.conditioning import area_conditioning, combine_conditioning
from nodeflow_nodes.diffusion.control import apply_controlnet, load_controlnet
from nodeflow_nodes.diffusion.families.compiling import compiled, repeated_blocks
from nodeflow_nodes.diffusion.ip_adapter import (
    CLIP_VISION_SOCKET,
    IP_ADAPTER_SOCKET,
    apply_ip_adapter,
    load_clip_vision,
    load_ip_adapter,
)
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.lora import load_lora_model
from nodeflow_nodes.diffusion.samplers.euler import euler
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.text import encode_text

from nodeflow import Conditioning, Device, Image, InputError, ModelMemory, Precision, Progress
from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED
from tests.nodes.diffusion.adapter_files import (
    IMAGE_SIDE,
    adapted,
    make_adapter,
    make_encoder,
    write_adapter,
)
from tests.nodes.diffusion.lora_files import ALPHA, RANK, kohya_state, make_layers, write
from tests.nodes.diffusion.side_by_side import EULER, SIDE, distance, ours, theirs
from tests.nodes.diffusion.tiny_models import make_control, save

KINDS = ("1", "2", "xl")
SERVICES: dict[str, Any] = {"models": ModelMemory(), "device": Device()}
PIXELS = np.random.default_rng(0).integers(0, 256, (2, IMAGE_SIDE, IMAGE_SIDE, 3), np.uint8)
IMAGES = [Image(torch.from_numpy(pixels / np.float32(255))[None]) for pixels in PIXELS]
Change = Callable[[Conditioning, Conditioning], tuple[Conditioning, Conditioning]]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("clip_vision")
    network = make_encoder()
    network.save_pretrained(folder / "folder")
    save(network.state_dict(), folder / "file.safetensors")
    torch.save(network.state_dict(), folder / "file.bin")
    return folder


def pictures(*groups: list[int]) -> list[list[PIL.Image.Image]]:
    return [[PIL.Image.fromarray(PIXELS[index]) for index in group] for group in groups]


def seeing(adapter: Path, encoder: Path, images: list[Image], *options: float) -> Change:
    """What lays an adapter beside prompts."""

    def change(yes: Conditioning, no: Conditioning) -> tuple[Conditioning, Conditioning]:
        found = load_ip_adapter(adapter), load_clip_vision(encoder)
        return apply_ip_adapter(yes, no, *found, tuple(images), *options, **SERVICES)

    return change


def draw(model: LoadedModel, change: Change | None = None, guidance: float = 5.0) -> torch.Tensor:
    options = {} if change is None else {"change": change}
    return ours(model, SERVICES["models"], euler, EULER, guidance, **options)


NODES = [ip_adapter.load_ip_adapter, ip_adapter.load_clip_vision, ip_adapter.apply_ip_adapter]


@pytest.mark.parametrize("node", NODES)
def test_the_nodes_are_described(node: Any) -> None:
    own = (IP_ADAPTER_SOCKET, CLIP_VISION_SOCKET)
    spec = read_node(node, "diffusion", {socket.of: socket.name for socket in (*SHARED, *own)})
    assert spec.description
    assert [item.name for item in spec.inputs if not item.description] == []


@pytest.mark.parametrize("kind", ["plain", "plus", "full"])
@pytest.mark.parametrize("model", KINDS)
def test_it_draws_what_the_pipeline_draws(
    pipes: dict[str, Any],
    opened: dict[str, LoadedModel],
    encoder: Path,
    tmp_path: Path,
    model: str,
    kind: str,
) -> None:
    groups = make_adapter(pipes[model].unet, kind)
    file = write_adapter(groups, tmp_path / "adapter.safetensors")
    found = draw(opened[model], seeing(file, encoder / "folder", IMAGES[:1], 0.6))
    wanted = adapted(pipes[model], [groups], [0.6])
    assert distance(found, theirs(wanted, EULER, 5.0, ip_adapter_image=pictures([0]))) <= 1e-4
    assert distance(found, draw(opened[model])) > 0.02


def test_several_pictures_and_adapters_are_seen_at_once(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    groups = [make_adapter(pipes["1"].unet, kind, seed=1) for kind in ("plain", "plus")]
    files = [
        write_adapter(one, tmp_path / f"{name}.bin") for one, name in zip(groups, "ab", strict=True)
    ]
    first = seeing(files[0], encoder / "file.bin", IMAGES, 0.7)
    second = seeing(files[1], encoder / "file.safetensors", IMAGES[1:], 0.4)
    found = draw(opened["1"], lambda yes, no: second(*first(yes, no)))
    wanted = adapted(pipes["1"], groups, [0.7, 0.4])
    images = pictures([0, 1], [1])
    assert distance(found, theirs(wanted, EULER, 5.0, ip_adapter_image=images)) <= 1e-4


def test_it_works_beside_a_lora_and_a_control_network(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    pipe, model = pipes["1"], opened["1"]
    groups, control = make_adapter(pipe.unet, "plus"), make_control(pipe.unet)
    layers = {"unet": make_layers(pipe)["unet"]}
    lora = write(kohya_state(layers), tmp_path / "lora.safetensors")
    net = load_controlnet(save(control.state_dict(), tmp_path / "control.safetensors"))
    see = seeing(
        write_adapter(groups, tmp_path / "ip.safetensors"), encoder / "folder", IMAGES[:1], 0.8
    )
    hint = torch.rand(1, SIDE, SIDE, 3, generator=torch.Generator().manual_seed(0))

    def change(yes: Conditioning, no: Conditioning) -> tuple[Conditioning, Conditioning]:
        return apply_controlnet(*see(yes, no), net, Image(hint), 0.5)

    patched = LoadedModel(load_lora_model(model.model, lora), model.text_encoder, model.vae)
    found = draw(patched, change)

    unet = copy.deepcopy(pipe.unet)
    for name, (down, up) in layers["unet"].items():
        weight = unet.get_submodule(name).weight
        product = up.flatten(1) @ down.flatten(1) * ALPHA / RANK
        weight.data += product.reshape(weight.shape)
    changed = type(pipe)(**pipe.components | {"unet": unet}, requires_safety_checker=False)
    whole = StableDiffusionControlNetPipeline(
        **adapted(changed, [groups], [0.8]).components,
        controlnet=control,
        requires_safety_checker=False,
    )
    wanted = theirs(
        whole,
        EULER,
        5.0,
        image=hint.movedim(-1, 1),
        controlnet_conditioning_scale=0.5,
        ip_adapter_image=pictures([0]),
    )
    assert distance(found, wanted) <= 1e-4
    assert distance(found, draw(patched, see)) > 0.01


def test_the_model_draws_afterwards_what_it_drew_before(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    file = write_adapter(make_adapter(pipes["1"].unet, "plain"), tmp_path / "ip.safetensors")
    network: Any = parts.denoiser(opened["1"].model, **SERVICES)
    before, processors = draw(opened["1"]), dict(network.network.attn_processors)
    weights = {name: tensor.clone() for name, tensor in network.network.state_dict().items()}
    draw(opened["1"], seeing(file, encoder / "folder", IMAGES[:1]))
    assert torch.equal(draw(opened["1"]), before)
    assert network.network.attn_processors == processors
    assert weights.keys() == network.network.state_dict().keys()
    assert all(torch.equal(t, weights[n]) for n, t in network.network.state_dict().items())
    hooked = [m for m in network.network.modules() if m._forward_hooks]
    assert hooked == []


def test_weight_and_time_decide_how_much_is_seen(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    file = write_adapter(make_adapter(pipes["1"].unet, "plain"), tmp_path / "ip.safetensors")
    model = opened["1"]
    yes, no = (encode_text(model.text_encoder, text, **SERVICES) for text in ("a frog", ""))

    def run(*options: float) -> torch.Tensor:
        see = seeing(file, encoder / "folder", IMAGES[:1], *options)
        prompts = see(yes, no) if options else (yes, no)
        latent = empty_latent(model.model, SIDE, SIDE, 2)
        drawn = sample(model.model, *prompts, latent, steps=4, progress=Progress(), **SERVICES)
        return drawn.samples

    plain = run()
    assert torch.equal(run(0.0), plain)
    found = [plain, run(1.0, 0.0, 0.4), run(1.0, 0.4, 1.0), run(1.0), run(0.5)]
    assert all(distance(a, b) > 0.01 for i, a in enumerate(found) for b in found[:i])


def test_only_prompts_with_pictures_see_them(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    file = write_adapter(make_adapter(pipes["1"].unet, "plain"), tmp_path / "ip.safetensors")
    model = opened["1"]
    yes, no = (encode_text(model.text_encoder, text, **SERVICES) for text in ("a frog", ""))
    see = seeing(file, encoder / "folder", IMAGES[:1])
    left, right = (area_conditioning(yes, x, 0.0, 0.5, 1.0) for x in (0.0, 0.5))

    def run(positive: Conditioning) -> torch.Tensor:
        latent = empty_latent(model.model, SIDE, SIDE)
        return sample(
            model.model, positive, no, latent, steps=1, progress=Progress(), **SERVICES
        ).samples

    plain = run(combine_conditioning(left, right))
    seen = run(combine_conditioning(see(left, no)[0], right))
    changed = (seen - plain).abs().amax((0, 1, 2)) > 1e-3
    # The halves pass into each other in the middle only.
    assert bool(changed[:2].all())
    assert not bool(changed[-2:].any())


def test_of_any_picture_the_middle_is_seen(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    file = write_adapter(make_adapter(pipes["1"].unet, "plain"), tmp_path / "ip.safetensors")
    model = opened["1"]
    prompt = encode_text(model.text_encoder, "a frog", **SERVICES)

    def seen(image: torch.Tensor) -> torch.Tensor:
        change = seeing(file, encoder / "folder", [Image(image)])
        return change(prompt, prompt)[0].images[0].hidden

    def scaled(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
        planes = torch.nn.functional.interpolate(image.movedim(-1, 1), (height, width), mode="area")
        return planes.movedim(1, -1)

    coarse = torch.rand(1, 4, 8, 3, generator=torch.Generator().manual_seed(0))
    wide = scaled(coarse, IMAGE_SIDE, 2 * IMAGE_SIDE)
    middle = wide[:, :, IMAGE_SIDE // 2 : IMAGE_SIDE * 3 // 2]
    assert torch.equal(seen(wide), seen(middle))
    large = scaled(middle, 3 * IMAGE_SIDE, 3 * IMAGE_SIDE)
    assert distance(seen(large), seen(middle)) < distance(seen(large), seen(1 - middle)) / 3
    clear = torch.cat([middle, torch.zeros(1, IMAGE_SIDE, IMAGE_SIDE, 1)], -1)
    assert torch.equal(seen(clear), seen(torch.ones(1, IMAGE_SIDE, IMAGE_SIDE, 3)))
    with pytest.raises(InputError, match="there is no picture"):
        seeing(file, encoder / "folder", [])(prompt, prompt)


def test_in_bf16_nearly_the_same_is_seen(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    file = write_adapter(make_adapter(pipes["1"].unet, "plus"), tmp_path / "ip.safetensors")
    prompt = encode_text(opened["1"].text_encoder, "a frog", **SERVICES)
    found = []
    for precision in (Precision.FP32, Precision.BF16):
        services = {"models": SERVICES["models"], "device": Device("cpu", precision)}
        see = load_ip_adapter(file), load_clip_vision(encoder / "folder")
        prompts = apply_ip_adapter(prompt, prompt, *see, (IMAGES[0],), **services)
        latent = empty_latent(opened["1"].model, SIDE, SIDE)
        drawn = sample(
            opened["1"].model, *prompts, latent, steps=2, progress=Progress(), **services
        )
        assert drawn.samples.dtype == torch.float32
        found.append(drawn.samples)
    assert (found[0] - found[1]).abs().mean() < 0.05 * found[0].abs().mean()


def test_a_compiled_network_sees_too(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    file = write_adapter(make_adapter(pipes["1"].unet, "plain"), tmp_path / "ip.safetensors")
    change, plain = seeing(file, encoder / "folder", IMAGES[:1]), draw(opened["1"])
    found = draw(opened["1"], change)
    network: Any = parts.denoiser(opened["1"].model, **SERVICES)

    def code(*args: Any, **kwargs: Any) -> Any:
        """Code that was made when nothing was hooked."""
        hooks = [(m, m._forward_hooks.copy()) for m in network.network.modules()]
        for module, _ in hooks:
            module._forward_hooks.clear()
        try:
            return network.network.forward(*args, **kwargs)
        finally:
            for module, kept in hooks:
                module._forward_hooks.update(kept)

    network.network._compiled_call_impl = code
    try:
        assert torch.equal(draw(opened["1"], change), found)
        assert torch.equal(draw(opened["1"]), plain)
    finally:
        network.network._compiled_call_impl = None


def test_a_network_with_compiled_blocks_sees_too(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    file = write_adapter(make_adapter(pipes["1"].unet, "plain"), tmp_path / "ip.safetensors")
    change, plain = seeing(file, encoder / "folder", IMAGES[:1]), draw(opened["1"])
    found = draw(opened["1"], change)
    network: Any = parts.denoiser(opened["1"].model, **SERVICES)
    blocks = repeated_blocks(network.network)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(torch, "compile", partial(torch.compile, backend="eager"))
        compiled(network.network, Device(compiled="blocks"))
    try:
        assert torch.equal(draw(opened["1"]), plain)
        assert torch.equal(draw(opened["1"], change), found)
        assert all("forward" in vars(block) for block in blocks)
        assert torch.equal(draw(opened["1"]), plain)
    finally:
        for block in blocks:
            del block.forward


def test_one_for_a_network_of_other_layers_is_told(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], encoder: Path, tmp_path: Path
) -> None:
    groups = make_adapter(pipes["1"].unet, "plain")
    last = max(groups["ip_adapter"], key=lambda name: int(name.split(".")[0])).split(".")[0]
    for which in "kv":
        del groups["ip_adapter"][f"{last}.to_{which}_ip.weight"]
    file = write_adapter(groups, tmp_path / "less.safetensors")
    with pytest.raises(InputError, match=r"less\.safetensors is for another network: it has"):
        draw(opened["1"], seeing(file, encoder / "folder", IMAGES[:1]))
