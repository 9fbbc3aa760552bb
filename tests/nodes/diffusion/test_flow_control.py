"""Control networks of Stable Diffusion 3 and Flux 1 beside diffusers' pipelines."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    FluxControlNetModel,
    FluxControlNetPipeline,
    SD3ControlNetModel,
    StableDiffusion3ControlNetPipeline,
)
from nodeflow_nodes.diffusion import hooks, parts
from nodeflow_nodes.diffusion.control import apply_controlnet, load_controlnet
from nodeflow_nodes.diffusion.control_checks import check_control, control_facts, controlled_facts
from nodeflow_nodes.diffusion.latents import empty_latent
from nodeflow_nodes.diffusion.load import LoadedModel, load_denoiser, load_vae
from nodeflow_nodes.diffusion.samplers.euler import euler
from nodeflow_nodes.diffusion.sampling import sample
from nodeflow_nodes.diffusion.text import distilled_guidance, encode_text

from nodeflow import Conditioning, Control, Device, Image, InputError, ModelMemory, Progress
from tests.nodes.diffusion.hearing import guided_by
from tests.nodes.diffusion.original_layout import State
from tests.nodes.diffusion.side_by_side import distance
from tests.nodes.diffusion.tiny_flow_models import (
    make_flux,
    original_flux,
)
from tests.nodes.diffusion.tiny_models import make_control, make_pipeline, save

PROMPT, NEGATIVE, STEPS, DEVICE = "a red apple on a table", "pale", 4, Device()
NOISE = torch.randn(1, 16, 8, 8, generator=torch.Generator().manual_seed(7))
IMAGES = torch.rand(2, 1, 64, 64, 3, generator=torch.Generator().manual_seed(0))
MODES = {"flux union": "depth"}
KINDS = ("flux", "flux union", "flux xlabs", "sd3", "sd3.5")


# diffusers' control network for Flux takes a part by a name that diffusers frowns upon.
pytestmark = pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")


def heard(network: Any, seed: int = 0) -> Any:
    """A control network whose layers that begin as zeros are random."""
    torch.manual_seed(seed)
    for name, weight in network.named_parameters():
        if not weight.any() or name.startswith(("controlnet", "pos_embed_input", "input_hint")):
            weight.data = torch.randn(weight.shape) * 0.1
    return network.eval()


def make_network(kind: str, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    flux = {
        "num_layers": 1, "num_single_layers": 1, "attention_head_dim": 32, "num_attention_heads": 2,
        "joint_attention_dim": 96, "pooled_projection_dim": 64, "axes_dims_rope": [4, 14, 14],
        "guidance_embeds": True, "in_channels": 64,
    }  # fmt: skip
    sd3: dict[str, Any] = {
        "num_layers": 2, "attention_head_dim": 64, "num_attention_heads": 2,
        "pooled_projection_dim": 192, "pos_embed_max_size": 16, "sample_size": 16,
    }  # fmt: skip
    makers: dict[str, Callable[[], Any]] = {
        "flux": lambda: FluxControlNetModel(**flux),
        "flux union": lambda: FluxControlNetModel(**flux, num_mode=10),
        "flux xlabs": lambda: FluxControlNetModel(
            **(flux | {"num_single_layers": 0}), conditioning_embedding_channels=16, patch_size=2
        ),
        "sd3": lambda: SD3ControlNetModel(
            **sd3, joint_attention_dim=224, caption_projection_dim=128
        ),
        "sd3.5": lambda: SD3ControlNetModel(
            **(sd3 | {"pos_embed_max_size": None}), joint_attention_dim=None, pos_embed_type=None,
            use_pos_embed=False, force_zeros_for_pooled_projection=False,
        ),
    }  # fmt: skip
    return heard(makers[kind](), seed)


def original(kind: str, state: State) -> State:
    """The layout in which XLabs' and Stability's own files are."""
    if kind == "flux xlabs":
        return xlabs(state)
    found = {}
    for name, tensor in state.items():
        match = re.match(r"(transformer_blocks\.\d+\.attn)\.to_([qkv])\.(\w+)", name)
        if match is None:
            for ours, theirs in (
                ("norm1.linear.", "adaLN_modulation.1."),
                ("attn.to_out.0.", "attn.proj."),
                ("ff.net.0.proj.", "mlp.fc1."),
                ("ff.net.2.", "mlp.fc2."),
            ):
                name = name.replace(ours, theirs)
            found[name] = tensor
        elif match[2] == "q":
            rows = [state[f"{match[1]}.to_{part}.{match[3]}"] for part in "qkv"]
            found[f"{match[1]}.qkv.{match[3]}"] = torch.cat(rows)
    return found


def xlabs(state: State) -> State:
    """XLabs' names: those of Flux itself, and the hint's layers by their numbers."""
    whole = make_flux("dev").transformer.state_dict()
    whole |= {n: t for n, t in state.items() if n in whole}
    found = {
        n: t
        for n, t in original_flux(whole).items()
        if not n.startswith(("single_blocks.", "double_blocks.1.", "final_layer."))
    }
    hint = {"conv_in": 0, "conv_out": 14} | {f"blocks.{i}": 2 * i + 2 for i in range(6)}
    for name, tensor in state.items():
        if name.startswith("controlnet_x_embedder."):
            found[name.replace("controlnet_x_embedder", "pos_embed_input")] = tensor
        elif name.startswith("controlnet_blocks."):
            found[name] = tensor
        elif name.startswith("input_hint_block."):
            place, end = name.removeprefix("input_hint_block.").rsplit(".", 1)
            found[f"input_hint_block.{hint[place]}.{end}"] = tensor
    return found


def family(kind: str) -> str:
    return "flux" if "flux" in kind else "sd3"


def theirs(
    pipe: Any, networks: list[Any], strengths: list[float], mode: int | None
) -> torch.Tensor:
    flux = isinstance(networks[0], FluxControlNetModel)
    of: Any = FluxControlNetPipeline if flux else StableDiffusion3ControlNetPipeline
    one = len(networks) == 1
    whole = of(**pipe.components, controlnet=networks[0] if one else networks)
    whole.set_progress_bar_config(disable=True)
    images = [image.movedim(-1, 1) * 2 - 1 for image in IMAGES[: len(networks)]]
    more: dict[str, Any] = {"control_mode": mode if one else None} if flux else {}
    more |= {"negative_prompt": None if flux else NEGATIVE}
    found = whole(
        PROMPT, guidance_scale=3.5, num_inference_steps=STEPS, height=64, width=64,
        latents=pipe._pack_latents(NOISE, 1, 16, 8, 8) if flux else NOISE, output_type="latent",
        control_image=images[0] if one else images, **more,
        controlnet_conditioning_scale=strengths[0] if one else strengths,
    ).images  # fmt: skip
    pipe.scheduler = whole.scheduler
    return torch.as_tensor(pipe._unpack_latents(found, 64, 64, 8) if flux else found)


def ours(
    model: LoadedModel,
    pipe: Any,
    memory: ModelMemory,
    change: Callable[[Any, Any], tuple[Any, Any]] = lambda yes, no: (yes, no),
) -> torch.Tensor:
    network = parts.denoiser(model.model, memory, DEVICE)
    prompts = [
        distilled_guidance(encode_text(model.text_encoder, text, models=memory, device=DEVICE), 3.5)
        for text in (PROMPT, NEGATIVE)
    ]

    def load(control: Control) -> Any:
        vae = parts.autoencoder(model.vae, memory, DEVICE)
        found = parts.control_network(control.network, memory, DEVICE)
        return found, lambda images: vae.encode(images, None)

    scale = 1.0 if model.model.family == "flux" else 3.5
    estimate = guided_by(network, *change(*prompts), scale, NOISE, load)
    return euler(estimate, NOISE, pipe.scheduler.sigmas.tolist())


def written(kind: str, network: Any, layout: str, folder: Path) -> Path:
    if layout == "folder":
        network.save_pretrained(folder / "control")
        return folder / "control"
    state = network.state_dict()
    state = original(kind, state) if layout == "original" else state
    return save(state, folder / "control.safetensors")


LAYOUTS = [(kind, layout) for kind in KINDS for layout in ("folder", "diffusers")]
LAYOUTS += [("flux xlabs", "original"), ("sd3.5", "original")]


@pytest.mark.parametrize(("kind", "layout"), LAYOUTS)
def test_it_draws_what_the_pipeline_draws(
    flow_pipes: dict[str, Any],
    flow_opened: Any,
    memory: ModelMemory,
    tmp_path: Path,
    kind: str,
    layout: str,
) -> None:
    network, pipe, model = make_network(kind), flow_pipes[family(kind)], flow_opened[family(kind)]
    net = load_controlnet(written(kind, network, layout, tmp_path))
    mode: Any = MODES.get(kind, "none")

    def change(yes: Conditioning, no: Conditioning) -> tuple[Conditioning, Conditioning]:
        return apply_controlnet(yes, no, net, Image(IMAGES[0]), 0.7, mode=mode)

    expected = theirs(pipe, [network], [0.7], 2 if mode == "depth" else None)
    assert distance(ours(model, pipe, memory, change), expected) <= 1e-4
    assert distance(expected, ours(model, pipe, memory)) > 0.02


@pytest.mark.parametrize("kind", ["flux", "sd3"])
def test_several_hold_a_walk_together(
    flow_pipes: dict[str, Any], flow_opened: Any, memory: ModelMemory, tmp_path: Path, kind: str
) -> None:
    networks, strengths, nets = [make_network(kind, seed) for seed in (1, 2)], [0.6, 0.3], []
    for network, name in zip(networks, "12", strict=True):
        (tmp_path / name).mkdir()
        nets.append(load_controlnet(written(kind, network, "diffusers", tmp_path / name)))

    def change(yes: Conditioning, no: Conditioning) -> tuple[Conditioning, Conditioning]:
        for net, image, strength in zip(nets, IMAGES, strengths, strict=True):
            yes, no = apply_controlnet(yes, no, net, Image(image), strength)
        return yes, no

    expected = theirs(flow_pipes[kind], networks, strengths, None)
    assert distance(ours(flow_opened[kind], flow_pipes[kind], memory, change), expected) <= 1e-4


@pytest.mark.parametrize("kind", ["flux", "flux xlabs", "sd3", "sd3.5"])
def test_strength_and_time_decide_how_much_it_is_heard(
    flow_pipes: dict[str, Any], flow_opened: Any, memory: ModelMemory, tmp_path: Path, kind: str
) -> None:
    model, services = flow_opened[family(kind)], {"models": memory, "device": DEVICE}
    net = load_controlnet(written(kind, make_network(kind), "diffusers", tmp_path))
    prompt = encode_text(model.text_encoder, "a frog", **services)

    def draw(*options: float, width: int = 64) -> torch.Tensor:
        yes, no = (prompt, prompt)
        if options:
            yes, no = apply_controlnet(prompt, prompt, net, Image(IMAGES[0]), *options)
        latent = empty_latent(model.model, width, 64)
        return sample(
            model.model, yes, no, latent, steps=4, guidance=1.0, progress=Progress(), **services
        ).samples

    plain = draw()
    assert torch.equal(draw(0.0), plain)
    pictures = [plain, draw(1.0, 0.0, 0.4), draw(1.0, 0.4, 1.0), draw(1.0), draw(0.5)]
    assert all(distance(a, b) > 1e-3 for i, a in enumerate(pictures) for b in pictures[:i])
    # A latent of odd sides is filled up to whole patches, and so is what is seen of the picture.
    assert draw(1.0, width=72).shape == (1, 16, 8, 9)


def test_the_autoencoder_may_be_given_where_the_models_file_has_none(
    flow_pipes: dict[str, Any], flow_opened: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    model, services = flow_opened["flux"], {"models": memory, "device": DEVICE}
    file = save(
        original_flux(flow_pipes["flux"].transformer.state_dict()), tmp_path / "n.safetensors"
    )
    alone = load_denoiser(file)
    net = load_controlnet(written("flux", make_network("flux"), "diffusers", tmp_path))
    prompt = encode_text(model.text_encoder, "a frog", **services)

    def draw(network: Any, **more: Any) -> torch.Tensor:
        yes, no = apply_controlnet(prompt, prompt, net, Image(IMAGES[0]), **more)
        latent = empty_latent(network, 64, 64)
        return sample(
            network, yes, no, latent, steps=2, guidance=1.0, progress=Progress(), **services
        ).samples

    with pytest.raises(InputError, match="sees its picture as a latent, and the model's file has"):
        draw(alone)
    vae = load_vae(Path(model.vae.path))
    assert distance(draw(alone, vae=vae), draw(model.model)) <= 1e-5


def test_what_does_not_fit_is_told(
    flow_pipes: dict[str, Any], flow_opened: Any, tmp_path: Path
) -> None:
    facts = {}
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        file = written(kind, make_network(kind), "diffusers", tmp_path / kind)
        facts[kind] = control_facts(file)["controlnet"]
    assert facts["sd3.5"].items() >= {"family": "stable_diffusion_3", "channels": 16}.items()
    assert facts["flux xlabs"].items() >= {"family": "flux", "text_width": 96}.items()
    prompts = {
        kind: hooks.model_facts(Path(model.model.path))["text_encoder"]
        for kind, model in flow_opened.items()
    }
    for kind in KINDS:
        prompt = prompts[family(kind)]
        check_control(prompt, prompt, facts[kind], 0.0, 1.0, "depth")
    flux = prompts["flux"]
    with pytest.raises(InputError, match="for the family stable_diffusion_3, and the positive"):
        check_control(flux, flux, facts["sd3"], 0.0, 1.0)
    with pytest.raises(InputError, match="several kinds of pictures; choose which kind"):
        check_control(flux, flux, facts["flux union"], 0.0, 1.0)
    with pytest.raises(
        InputError, match="sees latents of 16 channels, and the autoencoder makes 4"
    ):
        check_control(flux, flux, facts["flux"], 0.0, 1.0, "none", {"channels": 4})
    unet = save(make_control(make_pipeline("1").unet).state_dict(), tmp_path / "1.safetensors")
    with pytest.raises(InputError, match="for the family stable_diffusion, and the positive"):
        check_control(flux, flux, control_facts(unet)["controlnet"], 0.0, 1.0)


def test_a_missing_autoencoder_is_told_before_the_run(
    flow_pipes: dict[str, Any], flow_opened: Any, tmp_path: Path
) -> None:
    state = original_flux(flow_pipes["flux"].transformer.state_dict())
    alone = hooks.denoiser_facts(save(state, tmp_path / "network.safetensors"))["model"]
    whole = hooks.model_facts(Path(flow_opened["flux"].model.path))
    prompt = whole["text_encoder"]
    for kind, needs in (("flux", True), ("flux xlabs", False)):
        (tmp_path / kind).mkdir()
        file = written(kind, make_network(kind), "diffusers", tmp_path / kind)
        net = control_facts(file)["controlnet"]
        told = controlled_facts(prompt, prompt, net, None)
        hooks.check_sample(whole["model"], told["positive"], told["negative"], None)
        given = controlled_facts(prompt, prompt, net, {"channels": 16})
        hooks.check_sample(alone, given["positive"], given["negative"], None)
        if not needs:
            hooks.check_sample(alone, told["positive"], told["negative"], None)
            continue
        with pytest.raises(InputError, match=r"sees its picture as a latent, and .* load_vae"):
            hooks.check_sample(alone, told["positive"], told["negative"], None)


def test_one_for_a_network_of_another_size_says_so(
    flow_pipes: dict[str, Any], flow_opened: Any, memory: ModelMemory, tmp_path: Path
) -> None:
    network = SD3ControlNetModel(
        num_layers=1, attention_head_dim=64, num_attention_heads=1, joint_attention_dim=224,
        caption_projection_dim=64, pooled_projection_dim=192, pos_embed_max_size=16,
    )  # fmt: skip
    net = load_controlnet(written("sd3", heard(network), "diffusers", tmp_path))

    def change(yes: Conditioning, no: Conditioning) -> tuple[Conditioning, Conditioning]:
        return apply_controlnet(yes, no, net, Image(IMAGES[0]))

    with pytest.raises(InputError, match="networks that are 64 wide inside, and this model's is 1"):
        ours(flow_opened["sd3"], flow_pipes["sd3"], memory, change)


def test_bad_files_are_said(tmp_path: Path) -> None:
    for kind in ("flux", "sd3"):
        state = make_network(kind).state_dict()
        less = {n: t for n, t in state.items() if n != "controlnet_blocks.0.bias"}
        file = save(less, tmp_path / f"{kind}.safetensors")
        with pytest.raises(InputError, match=r"lacks 1 tensors .*'controlnet_blocks\.0\.bias'"):
            parts.control_network(load_controlnet(file), ModelMemory(), DEVICE)
        name = "time_text_embed.text_embedder.linear_1.weight"
        less = {n: t for n, t in state.items() if n != name}
        file = save(less, tmp_path / f"{kind}_2.safetensors")
        with pytest.raises(InputError, match=rf"control network in .* lacks .*{name}"):
            parts.control_network(load_controlnet(file), ModelMemory(), DEVICE)
        entry = {"flux": "controlnet_x_embedder", "sd3": "pos_embed_input.proj"}[kind] + ".weight"
        sides = list(state[entry].shape)
        sides[1] += 1
        file = save(state | {entry: torch.zeros(sides)}, tmp_path / f"{kind}_3.safetensors")
        with pytest.raises(InputError, match="one that fills holes is not supported"):
            load_controlnet(file)
