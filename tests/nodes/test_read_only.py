"""Every built-in node runs with its inputs fingerprinted before and after: none changes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from diffusers import AutoencoderTiny
from nodeflow_nodes import emoji
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from nodeflow import Engine, Workflow
from nodeflow.packs import find_packs
from nodeflow.registry import Registry
from nodeflow.settings import Settings
from nodeflow.spec import InputSpec, NodeSpec

PACKS = ("diffusion", "image", "logic", "upscale")
SIDE = 16
SMALL = {"steps": 2, "width": SIDE, "height": SIDE, "template": "no parts", "x": 0, "y": 0}

EMBEDDED = str(Path(emoji.__path__[0]) / "models" / "checkpoints" / "emoji")
"""A whole model, for nodes that take a part out of one."""

PATCHES: dict[str, dict[str, tuple[int, ...]]] = {
    "loras": {
        "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": (2, 4),
        "lora_unet_mid_block_attentions_0_proj_in.lora_up.weight": (4, 2),
    },
    "embeddings": {"emb_params": (2, 256)},
    "controlnet": {
        "controlnet_cond_embedding.conv_in.weight": (4, 3, 3, 3),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (8, 256),
    },
    "ipadapter": {
        "image_proj.proj.weight": (4 * 256, 4),
        "image_proj.proj.bias": (4 * 256,),
        "image_proj.norm.weight": (256,),
        "image_proj.norm.bias": (256,),
        "ip_adapter.1.to_k_ip.weight": (8, 256),
        "ip_adapter.1.to_v_ip.weight": (8, 256),
    },
    "clip_vision": {
        name: tuple(tensor.shape)
        for name, tensor in CLIPVisionModelWithProjection(
            CLIPVisionConfig(
                hidden_size=8,
                intermediate_size=8,
                num_hidden_layers=1,
                num_attention_heads=1,
                image_size=8,
                patch_size=4,
                projection_dim=4,
            )
        )
        .state_dict()
        .items()
    },
    "vae_approx": {
        name: tuple(tensor.shape)
        for name, tensor in AutoencoderTiny(latent_channels=16).state_dict().items()
    },
}
"""Kinds of files that go with a model, by the tensors of a small one."""

SOURCES: dict[str, dict[str, Any]] = {
    "picture": {"type": "image.load", "inputs": {"file": "picture.png"}},
    "pictures": {
        "type": "image.unbatch",
        "inputs": {"image": {"node": "picture", "output": "image"}},
    },
    "load": {"type": "diffusion.load_model", "inputs": {}},
    "text": {
        "type": "diffusion.encode_text",
        "inputs": {"encoder": {"node": "load", "output": "text_encoder"}, "text": "an apple"},
    },
    "latent": {
        "type": "diffusion.empty_latent",
        "inputs": {"model": {"node": "load", "output": "model"}, "width": SIDE, "height": SIDE},
    },
    "guider": {
        "type": "diffusion.guider",
        "inputs": {
            "model": {"node": "load", "output": "model"},
            "positive": {"node": "text", "output": "conditioning"},
        },
    },
    "control": {"type": "diffusion.load_controlnet", "inputs": {"file": "small.safetensors"}},
    "adapter": {"type": "diffusion.load_ip_adapter", "inputs": {"file": "small.safetensors"}},
    "sees": {"type": "diffusion.load_clip_vision", "inputs": {"file": "small.safetensors"}},
    "sigmas": {"type": "logic.number_range", "inputs": {"start": 9.0, "stop": 0.0, "count": 3}},
    "load_upscaler": {"type": "upscale.load_upscaler", "inputs": {}},
    "numbers": {"type": "logic.integer_range", "inputs": {"count": 2}},
    "words": {"type": "logic.lines", "inputs": {"text": "a\nb"}},
    "word": {"type": "logic.text", "inputs": {"value": "a"}},
}
LINKS = {
    "Image": ("picture", "image"),
    "list[Image]": ("pictures", "images"),
    "Mask": ("picture", "mask"),
    "Latent": ("latent", "latent"),
    "Conditioning": ("text", "conditioning"),
    "Model": ("load", "model"),
    "TextEncoder": ("load", "text_encoder"),
    "Vae": ("load", "vae"),
    "diffusion.Guider": ("guider", "guider"),
    "diffusion.ControlNet": ("control", "controlnet"),
    "diffusion.IpAdapter": ("adapter", "ip_adapter"),
    "diffusion.ClipVision": ("sees", "clip_vision"),
    "list[float]": ("sigmas", "numbers"),
    "Upscaler": ("load_upscaler", "upscaler"),
    "list[int]": ("numbers", "numbers"),
    "list[~T]": ("numbers", "numbers"),
    "list[~A]": ("numbers", "numbers"),
    "list[~B]": ("words", "lines"),
    "list[str]": ("words", "lines"),
}
ELSEWHERE = {
    f"diffusion.{name}"
    for name in (
        "encode_text_and_image",  # is run with a model of its kind in test_modular_workflows.py
        "first_block_cache",
        "quantize",  # needs packages that may be missing; it hands on a recipe
        "taylor_seer_cache",
        "shift_noise",
        "shift_noise_for_size",
    )
}
"""Nodes that the embedded model cannot serve: for models of other kinds, most of them."""
LITERALS: dict[str, Any] = {"int": 1, "float": 0.5, "str": "a", "bool": True, "json": 1, "~T": 1}


def builtin_nodes() -> list[NodeSpec]:
    registry = Registry.discover(find_packs([]), None)
    found = [spec for spec in registry.specs.values() if spec.pack in PACKS]
    return [spec for spec in found if spec.id not in ELSEWHERE]


def given(port: InputSpec) -> Any:
    """A value or link for an input; None where its default will do."""
    if port.name == "labels":
        return None  # As many as pictures; what a list of texts does is seen at `join_list`.
    if port.file is not None:
        if port.file.root == "inputs":
            return "picture.png"
        if port.file.root in PATCHES:
            return "small.safetensors"
        return EMBEDDED if port.required else None
    if port.type in LINKS:
        node, output = LINKS[port.type]
        link = {"node": node, "output": output}
        return [link, link] if port.grows else link
    if port.grows:
        return [{"node": "word", "output": "value"}] * 2
    if (port.name, port.type) == ("layers", "list[int]"):
        return None  # The embedded model has no layers to skip.
    if port.name in SMALL and port.type != "float":
        return SMALL[port.name]
    return LITERALS[port.type] if port.required else None


def with_sources(nodes: dict[str, Any]) -> dict[str, Any]:
    """The nodes, and the sources that they need."""
    text = str(nodes)
    needed = {name: node for name, node in SOURCES.items() if f"'node': '{name}'" in text}
    return nodes if needed.keys() <= nodes.keys() else with_sources({**needed, **nodes})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("read_only")
    (folder / "data" / "inputs").mkdir(parents=True)
    picture = PIL.Image.radial_gradient("L").resize((SIDE, SIDE)).convert("RGBA")
    picture.save(folder / "data" / "inputs" / "picture.png")
    for kind, tensors in PATCHES.items():
        (folder / "models" / kind).mkdir(parents=True)
        state = {name: torch.zeros(shape) for name, shape in tensors.items()}
        save_file(state, folder / "models" / kind / "small.safetensors")
    settings = Settings(cache=folder / "cache", data=folder / "data", models=(folder / "models",))
    with Engine(settings, device="cpu", precision="fp32", cache=False, guard=True) as engine:
        yield engine


@pytest.mark.parametrize("spec", builtin_nodes(), ids=lambda spec: spec.id)
def test_a_built_in_node_leaves_its_inputs_as_they_were(
    spec: NodeSpec, engine: Engine, tmp_path: Path
) -> None:
    inputs = {port.name: value for port in spec.inputs if (value := given(port)) is not None}
    nodes = with_sources({"node": {"type": spec.id, "inputs": inputs}})
    flow = Workflow.from_data({"nodeflow": 1, "nodes": nodes})
    result = engine.run(flow, out=tmp_path, only=["node"])
    assert [str(error) for error in result.errors] == []
    assert result.nodes["node"].outcome in ("ran", "memory")
