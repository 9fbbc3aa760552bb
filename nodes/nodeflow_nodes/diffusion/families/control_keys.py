"""Control networks by the names and shapes of their tensors. Without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.flux_keys import CONTROL_BLOCKS, FAMILY_FLUX, PACKED
from nodeflow_nodes.diffusion.families.stable_diffusion_3_keys import FAMILY_3
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY, FAMILY_XL
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable, expected_shapes
from nodeflow_nodes.diffusion.headers import read_config, weights_digest

CONTROL = "control"
"""The part that a control network's recipe names."""
PREFIXES = ("control_model.", "")
"""Before the names of the original layout, in a whole model and alone."""

_WEIGHTS = "diffusion_pytorch_model"
_FOLDER_CLASSES = ("ControlNetModel", "SD3ControlNetModel", "FluxControlNetModel")
_SD3_CHANNELS = 16
_OTHERS = {
    "lora_controlnet": "a control LoRA",
    "task_embedding": "a union of control networks",
    "adapter.body.0.resnets.0.block1.weight": "a T2I adapter",
    "body.0.block1.weight": "a T2I adapter",
}
"""Names in files that control a model in ways that are not supported, and what they are."""


@dataclass(frozen=True)
class ControlFile:
    """A control network by its header.

    Attributes:
        path: Its file or folder.
        weights: The file with its weights.
        family: Name of the family whose network it controls.
        text_width: Length of the hidden states that it takes, as that network does; 0 if it hears
            no prompt.
        channels: Channels of the latents that it sees of its picture; 0 if it sees pixels.
        union: It is for several kinds of pictures, and must be told which.
        precision: In which most of its weights are stored.
        digest: Tells control networks apart that are loaded in one process.
    """

    path: Path
    weights: Path
    family: str
    text_width: int
    channels: int
    union: bool
    precision: str
    digest: str

    @classmethod
    def read(cls, path: Path) -> ControlFile:
        """Look at a safetensors file in original or diffusers layout, or at a diffusers folder.

        Raises:
            InputError: It is broken, or no control network that is known here.
        """
        weights = _weights_in(path) if path.is_dir() else path
        if weights.suffix in (".ckpt", ".pt", ".pth", ".bin"):
            raise InputError(f"{path} is a pickle, which is not loaded; convert it to safetensors")
        table = TensorTable.read(weights)
        with expected_shapes(path):
            found = _beside_transformer(table) or _beside_unet(table)
        if found is None:
            raise InputError(_unknown(table))
        hasher = blake3(b"control\0" + weights_digest(weights))
        if path.is_dir():
            hasher.update((path / "config.json").read_bytes())
        return cls(path, weights, *found, table.precision, hasher.hexdigest(16))


def control_prefix(table: TensorTable) -> str | None:
    """Before the names of the original layout; None if it is another."""
    for prefix in PREFIXES:
        if (
            f"{prefix}input_hint_block.0.weight" in table
            and f"{prefix}zero_convs.0.0.weight" in table
        ):
            return prefix
    return None


def _weights_in(path: Path) -> Path:
    config = read_config(path / "config.json")
    if config.get("_class_name") not in _FOLDER_CLASSES:
        raise InputError(
            f"the folder {path} holds a {config.get('_class_name')!r}, not a "
            f"{' or '.join(_FOLDER_CLASSES)}; choose a control network"
        )
    for ending in (".safetensors", ".fp16.safetensors"):
        file = path / (_WEIGHTS + ending)
        if file.exists():
            return file
    raise InputError(
        f"the weights {path / _WEIGHTS}.safetensors are missing; fetch the control network again"
    )


_Found = tuple[str, int, int, bool]
"""Family, text width, channels, union; as `ControlFile` has them."""


def _beside_unet(table: TensorTable) -> _Found | None:
    width = _text_width(table)
    return None if width is None else (_family(table), width, 0, False)


def _beside_transformer(table: TensorTable) -> _Found | None:
    if CONTROL_BLOCKS not in table:
        return None
    if "pos_embed_input.proj.weight" in table:
        family, channels = FAMILY_3, table.shape("pos_embed_input.proj.weight")[1]
        _require_plain(table, channels, _SD3_CHANNELS)
        text = table.shape("context_embedder.weight")
    elif "double_blocks.0.img_attn.qkv.weight" in table and "pos_embed_input.weight" in table:
        family, channels, text = FAMILY_FLUX, 0, table.shape("txt_in.weight")
    elif "controlnet_x_embedder.weight" in table:
        family, text = FAMILY_FLUX, table.shape("context_embedder.weight")
        hint = "input_hint_block.conv_in.weight" in table
        taken = table.shape("controlnet_x_embedder.weight")[1]
        _require_plain(table, taken, table.shape("x_embedder.weight")[-1])
        channels = 0 if hint else taken // PACKED
    else:
        return None
    union = "controlnet_mode_embedder.weight" in table
    return family, text[1] if text else 0, channels, union


def _require_plain(table: TensorTable, sees: int, takes: int) -> None:
    if sees != takes:
        raise InputError(
            f"the control network {table.path} sees {sees} channels where a picture's latent has "
            f"{takes}: one that fills holes is not supported; choose another"
        )


def _text_width(table: TensorTable) -> int | None:
    original = control_prefix(table)
    if any(mark in table for mark in _OTHERS):
        return None
    if original is None and "controlnet_cond_embedding.conv_in.weight" not in table:
        return None
    start = "down_blocks." if original is None else f"{original}input_blocks."
    for name, entry in table.entries.items():
        if name.startswith(start) and name.endswith("attn2.to_k.weight"):
            return entry.shape[1]
    return None


def _family(table: TensorTable) -> str:
    names = [f"{prefix}label_emb.0.0.weight" for prefix in PREFIXES]
    names.append("add_embedding.linear_1.weight")
    return FAMILY_XL if any(name in table for name in names) else FAMILY


def _unknown(table: TensorTable) -> str:
    for mark, what in _OTHERS.items():
        if mark in table:
            return f"{table.path} is {what}, which is not supported; choose a ControlNet"
    shown = ", ".join(f"'{name}'" for name in sorted(table.entries)[:3]) or "nothing"
    return (
        f"{table.path} is no control network that is known here: it holds {len(table.entries)} "
        f"tensors, such as {shown}; choose a ControlNet for "
        "Stable Diffusion 1, 2, XL, 3 or 3.5, or for Flux"
    )
