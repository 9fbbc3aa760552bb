"""Control networks of transformers out of folders and single files."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from diffusers.models.controlnets.controlnet_flux import FluxControlNetModel
from diffusers.models.controlnets.controlnet_sd3 import SD3ControlNetModel
from torch import Tensor

from nodeflow import Device
from nodeflow_nodes.diffusion.families.control_keys import ControlFile
from nodeflow_nodes.diffusion.families.flow_control import FluxControl, StableDiffusion3Control
from nodeflow_nodes.diffusion.families.flux_names import flux_state
from nodeflow_nodes.diffusion.families.pretrained import load_part
from nodeflow_nodes.diffusion.families.shapes import count
from nodeflow_nodes.diffusion.families.single_file import Weights, carried_config, fitting
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.transformer_shapes import HEAD_WIDTH, flux_config
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights

_WHAT = "control network"
_SD3_NAMES = {
    ".adaLN_modulation.1.": ".norm1.linear.",
    ".attn.proj.": ".attn.to_out.0.",
    ".mlp.fc1.": ".ff.net.0.proj.",
    ".mlp.fc2.": ".ff.net.2.",
}
_FUSED = re.compile(r"(transformer_blocks\.\d+\.attn)\.qkv\.(\w+)")
_HINT_LAYER = re.compile(r"input_hint_block\.(\d+)\.(\w+)")


def read_flux_control(file: ControlFile, device: Device) -> FluxControl:
    """A control network of Flux in diffusers' layout or XLabs'.

    Raises:
        InputError: It lacks tensors, or cannot be read.
    """
    network = _read(file, device, FluxControlNetModel, _flux_state, _flux_control_config)
    vae = carried_config(file.family)["vae"]
    return FluxControl(network, vae["scaling_factor"], vae["shift_factor"])


def read_sd3_control(file: ControlFile, device: Device) -> StableDiffusion3Control:
    """A control network of Stable Diffusion 3 in diffusers' layout or Stability's.

    Raises:
        InputError: It lacks tensors, or cannot be read.
    """
    network = _read(file, device, SD3ControlNetModel, _sd3_state, _sd3_control_config)
    vae = carried_config(file.family)["vae"]
    # Those that hear nothing pooled were trained on latents that are not centred.
    centred = not network.config["force_zeros_for_pooled_projection"]
    return StableDiffusion3Control(
        network, vae["scaling_factor"], vae["shift_factor"] if centred else 0.0
    )


def _read(
    file: ControlFile,
    device: Device,
    kind: Any,
    renamed: Callable[[Weights], Weights],
    config: Callable[[Mapping[str, Tensor]], dict[str, Any]],
) -> Any:
    if file.path.is_dir():
        variant = "fp16" if ".fp16" in file.weights.name else None
        with _own_warnings():
            return load_part(kind.from_pretrained, file.path, device, variant)
    table = TensorTable.read(file.path)
    state = read_weights(table, "", device)
    state = fitting(table, _WHAT, lambda: renamed(state))
    values = fitting(table, _WHAT, lambda: config(state))
    what = f"the {_WHAT} {file.path}"
    with _own_warnings():
        return assembled(lambda: kind.from_config(values), lambda _: state, device, what)


@contextmanager
def _own_warnings() -> Iterator[None]:
    """diffusers' control network for Flux takes a part by a name that diffusers frowns upon."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`FluxPosEmbed` is deprecated", FutureWarning)
        yield


def _flux_state(state: Weights) -> Weights:
    if "img_in.weight" not in state:
        return state
    return {_flux_name(name, state): tensor for name, tensor in flux_state(state).items()}


def _flux_name(name: str, state: Weights) -> str:
    """XLabs' names of what a control network has besides."""
    match = _HINT_LAYER.match(name)
    if match is None:
        return name.replace("pos_embed_input.", "controlnet_x_embedder.")
    layer, end = int(match[1]), match[2]
    last = max(int(m[1]) for other in state if (m := _HINT_LAYER.match(other)))
    # Every second layer is a function between two convolutions.
    place = {0: "conv_in", last: "conv_out"}.get(layer, f"blocks.{layer // 2 - 1}")
    return f"input_hint_block.{place}.{end}"


def _flux_control_config(state: Mapping[str, Tensor]) -> dict[str, Any]:
    config = flux_config(state)
    del config["out_channels"]
    modes = state.get("controlnet_mode_embedder.weight")
    if modes is not None:
        config["num_mode"] = modes.shape[0]
    hint = state.get("input_hint_block.conv_out.weight")
    if hint is not None:
        config |= {"conditioning_embedding_channels": hint.shape[0], "patch_size": 2}
    return config


def _sd3_state(state: Weights) -> Weights:
    found: Weights = {}
    for name, tensor in state.items():
        match = _FUSED.match(name)
        if match is not None:
            for part, rows in zip("qkv", tensor.chunk(3), strict=True):
                found[f"{match[1]}.to_{part}.{match[2]}"] = rows
            continue
        for theirs, ours in _SD3_NAMES.items():
            name = name.replace(theirs, ours)
        found[name] = tensor
    return found


def _sd3_control_config(state: Mapping[str, Tensor]) -> dict[str, Any]:
    patches, text = state["pos_embed_input.proj.weight"], state.get("context_embedder.weight")
    places = state.get("pos_embed.pos_embed")
    norm = state.get("transformer_blocks.0.attn.norm_q.weight")
    head_width = HEAD_WIDTH if norm is None else norm.shape[0]
    layers = count(state, r"transformer_blocks\.(\d+)\.")
    return {
        "patch_size": patches.shape[2],
        "in_channels": patches.shape[1],
        "num_layers": layers,
        "attention_head_dim": head_width,
        "num_attention_heads": patches.shape[0] // head_width,
        "joint_attention_dim": None if text is None else text.shape[1],
        "caption_projection_dim": patches.shape[0] if text is None else text.shape[0],
        "pooled_projection_dim": state["time_text_embed.text_embedder.linear_1.weight"].shape[1],
        "pos_embed_max_size": None if places is None else math.isqrt(places.shape[1]),
        "pos_embed_type": None if places is None else "sincos",
        "use_pos_embed": places is not None,
        "dual_attention_layers": [
            i for i in range(layers) if f"transformer_blocks.{i}.attn2.to_q.weight" in state
        ],
        "qk_norm": None if norm is None else "rms_norm",
        # InstantX's, which hear the prompt, were trained with nothing pooled; Stability's not.
        "force_zeros_for_pooled_projection": text is not None,
    }
