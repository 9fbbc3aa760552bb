"""A LoRA file by the names and shapes of its tensors, in every layout. Without torch.

Kohya's scripts and LyCORIS name a module with underscores (`lora_unet_down_blocks_0_...`),
diffusers and peft with dots (`unet.down_blocks.0...`); here all have underscores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.flux_keys import FAMILY_FLUX
from nodeflow_nodes.diffusion.families.stable_diffusion_3_keys import FAMILY_3
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY, FAMILY_XL
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.headers import read_metadata

LORA = "lora"
"""The kind of patch."""
HIGH, LOW = "high", "low"
"""Noise that one of a model's two networks is for; a patch's name if it is for this one only."""
DENOISER = "denoiser"
TEXT_ENCODERS = ("text_encoder", "text_encoder_2", "text_encoder_3")

_PREFIXES: Mapping[str, str] = {
    "lora_unet_": DENOISER,
    "lora_transformer_": DENOISER,
    "lycoris_": DENOISER,
    "lora_te_": TEXT_ENCODERS[0],
    "lora_te1_": TEXT_ENCODERS[0],
    "lora_te2_": TEXT_ENCODERS[1],
    "lora_te3_": TEXT_ENCODERS[2],
    "unet_": DENOISER,
    "transformer_": DENOISER,
    "diffusion_model_": DENOISER,
    "model_diffusion_model_": DENOISER,
    "text_encoders_clip_l_transformer_": TEXT_ENCODERS[0],
    "text_encoders_clip_g_transformer_": TEXT_ENCODERS[1],
    "text_encoders_t5xxl_transformer_": TEXT_ENCODERS[2],
    "text_encoder_2_": TEXT_ENCODERS[1],
    "text_encoder_3_": TEXT_ENCODERS[2],
    "text_encoder_": TEXT_ENCODERS[0],
}
"""Beginnings of names with underscores; without any of them it is the network's own."""
_NO_PREFIX = ("transformer_blocks_",)
"""Modules of networks that begin as a prefix does."""

_ROLES: Mapping[str, str] = {
    r"\.lora_down\.weight": "down",
    r"\.lora_up\.weight": "up",
    r"\.lora_mid\.weight": "mid",
    r"\.lora_A(\.default)?\.weight": "down",
    r"\.lora_B(\.default)?\.weight": "up",
    r"[._]lora\.down\.weight": "down",
    r"[._]lora\.up\.weight": "up",
    r"(?<=_lora[12])\.down\.weight": "down",
    r"(?<=_lora[12])\.up\.weight": "up",
    r"\.lora_linear_layer\.down\.weight": "down",
    r"\.lora_linear_layer\.up\.weight": "up",
    r"([._]lora|\.lora_linear_layer)?\.alpha": "alpha",
    r"\.dora_scale": "dora",
    r"\.lora_magnitude_vector(\.default)?(\.weight)?": "magnitude",
    r"\.(?P<loha>hada_(?:w[12]_[ab]|t[12]))": "loha",
    r"\.(?P<lokr>lokr_(?:w[12](?:_[ab])?|t2))": "lokr",
    r"\.diff": "diff",
    r"\.diff_b": "diff_b",
}
"""Endings of a tensor's name to what it is for the module."""
_ENDINGS = tuple((re.compile(f"(?:{ending})$"), role) for ending, role in _ROLES.items())

_T5_MODULE = "encoder_block_"
"""Begins the names of T5's modules, whichever of a model's encoders a file takes it for."""
_OLD_PROJECTIONS = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}

Layer = Mapping[str, str]
"""What a tensor is for a module (`down`, `up`, `alpha`, ...) to the tensor's name in the file."""


@dataclass(frozen=True)
class _Architecture:
    """Which families have modules of these names.

    Attributes:
        families: Their names.
        modules: Matches a module of such a network.
        text: Ends the names of modules that take a prompt's hidden states.
        inner: Ends the names of modules that take the states between the network's blocks.
    """

    families: frozenset[str]
    modules: re.Pattern[str]
    text: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()


_FROM_BLOCKS = (
    *(f"_attn_{name}" for name in ("to_q", "to_k", "to_v")),
    *(f"_attn_add_{name}_proj" for name in "qkv"),
    *("_qkv", "_qkv_lora1", "_qkv_lora2"),
    "_linear1",
    "_ff_net_0_proj",
    "_mlp_0",
    "_mlp_fc1",
)

_ARCHITECTURES: tuple[_Architecture, ...] = (
    _Architecture(
        frozenset({FAMILY, FAMILY_XL}),
        re.compile(
            r"(down_blocks|up_blocks|mid_block|input_blocks|output_blocks|middle_block|conv_in"
            r"|conv_out|time_embed|label_emb|add_embedding|out_2)"
        ),
        ("_attn2_to_k", "_attn2_to_v"),
    ),
    _Architecture(
        frozenset({FAMILY_FLUX}),
        re.compile(
            r"(double_blocks|single_blocks|single_transformer_blocks|img_in|txt_in|time_in_"
            r"|vector_in_|guidance_in_)"
        ),
        ("context_embedder", "txt_in"),
        _FROM_BLOCKS,
    ),
    _Architecture(
        frozenset({FAMILY_3}),
        re.compile(
            r"(joint_blocks|x_embedder_proj|t_embedder_|y_embedder_|pos_embed_proj"
            r"|transformer_blocks_\d+_attn2_)"
        ),
        ("context_embedder",),
        _FROM_BLOCKS,
    ),
    # What both have under one name.
    _Architecture(
        frozenset({FAMILY_FLUX, FAMILY_3}),
        re.compile(
            r"(transformer_blocks|context_embedder|x_embedder|time_text_embed|norm_out_linear"
            r"|proj_out|final_layer_)"
        ),
        ("context_embedder",),
        _FROM_BLOCKS,
    ),
)
"""Asked in order."""
FAMILIES = frozenset(family for found in _ARCHITECTURES for family in found.families)
"""Whose networks are known here."""
OF_UNETS = frozenset((FAMILY, FAMILY_XL))
"""Those whose network is a UNet."""


@dataclass(frozen=True)
class LoraFile:
    """A LoRA file by its header.

    Attributes:
        table: Its tensors.
        layers: Part of a model (`DENOISER`, one of `TEXT_ENCODERS`) to modules, with underscores
            in their names, to what the file has for each.
        unknown: Tensors that are of no layout known here.
        families: Names of the families whose network it changes; empty if it changes none, or one
            that only diffusers knows.
        text_width: Length of the hidden states that the network takes; 0 if unknown.
        inner_width: Length of the states between the network's blocks; 0 if unknown.
        encoder_widths: Part to the length of the hidden states that this text encoder makes.
    """

    table: TensorTable
    layers: Mapping[str, Mapping[str, Layer]]
    unknown: tuple[str, ...]
    families: frozenset[str]
    text_width: int
    inner_width: int
    encoder_widths: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> LoraFile:
        """Read the header of a file.

        Raises:
            InputError: The file is broken, or no LoRA.
        """
        if path.suffix in (".ckpt", ".pt", ".pth", ".bin"):
            raise InputError(f"{path} is a pickle, which is not loaded; convert it to safetensors")
        table = TensorTable.read(path)
        _settings(path)
        layers, unknown = layers_of(table.entries)
        if not any(layers.values()):
            raise InputError(
                f"{path} is no LoRA: it holds {some(table.entries)}; choose a file that changes a "
                "model, or open this one with load_model"
            )
        found = _architecture(layers.get(DENOISER, {}))
        widths = {
            part: width
            for part in TEXT_ENCODERS
            if (width := _in_width(table, layers.get(part, {}), ("self_attn_q_proj", "mlp_fc1")))
        }
        return cls(
            table,
            layers,
            unknown,
            frozenset() if found is None else found.families,
            0 if found is None else _in_width(table, layers[DENOISER], found.text),
            0 if found is None else _in_width(table, layers[DENOISER], found.inner),
            widths,
        )

    def scale(self, part: str, module: str, rank: int) -> float:
        """What a product of rank `rank` is to be multiplied by where the file has no `alpha`.

        peft writes it into the header instead, for a whole part or by patterns of modules.
        """
        told = _settings(self.table.path)
        if told is None:
            return 1.0
        config = _flat(told, "unet" if part == DENOISER else part)
        config = config or _flat(told, "transformer" if part == DENOISER else part)
        patterns = config.get("alpha_pattern")
        alpha = config.get("lora_alpha", rank)
        for pattern, value in (patterns if isinstance(patterns, dict) else {}).items():
            if module.endswith(pattern.replace(".", "_")):
                alpha = value
        if not isinstance(alpha, int | float):
            return 1.0
        return float(alpha) / (rank**0.5 if config.get("use_rslora") else rank)


def _settings(path: Path) -> object:
    """What peft writes into the header; None if it did not."""
    text = read_metadata(path).get("lora_adapter_metadata")
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise InputError(
            f"the LoRA {path} has settings in its header that are not JSON ({error}); fetch the "
            "file again"
        ) from error


def _flat(found: object, part: str) -> dict[str, object]:
    """The settings of one part, whose names begin with the part's."""
    if not isinstance(found, dict):
        return {}
    return {n.removeprefix(f"{part}."): v for n, v in found.items() if n.startswith(f"{part}.")}


def layers_of(
    names: Iterable[str],
) -> tuple[dict[str, dict[str, dict[str, str]]], tuple[str, ...]]:
    """`LoraFile.layers` of tensors with these names, and the names that are of no layout."""
    layers: dict[str, dict[str, dict[str, str]]] = {}
    unknown = []
    for name in names:
        found = _role(name)
        if found is None:
            unknown.append(name)
            continue
        start, role = found
        part, module = _module(start)
        layers.setdefault(part, {}).setdefault(module, {})[role] = name
    return layers, tuple(unknown)


def _role(name: str) -> tuple[str, str] | None:
    """A tensor's name before its ending, and what it is for the module."""
    for ending, role in _ENDINGS:
        if match := ending.search(name):
            inner = match.groupdict()
            return name[: match.start()], inner.get("loha") or inner.get("lokr") or role
    return None


def _module(name: str) -> tuple[str, str]:
    """Part and module of a name without its ending."""
    name = name.removeprefix("base_model.model.").replace(".processor.", ".")
    # With its dot it is the network; `transformer_blocks` is within one.
    name = name.removeprefix("transformer.")
    name = name.replace(".", "_")
    part, module = DENOISER, name
    for prefix, of in _PREFIXES.items():
        if name.startswith(prefix) and not name.startswith(_NO_PREFIX):
            part, module = of, name.removeprefix(prefix)
            break
    if part == DENOISER:
        return part, module + "_0" if module.endswith("_to_out") else module
    if module.startswith(_T5_MODULE):
        return TEXT_ENCODERS[2], module
    module = module.removeprefix("text_model_")
    for old, new in _OLD_PROJECTIONS.items():
        if module.endswith(f"self_attn_{old}"):
            module = module.removesuffix(old) + new
    return part, module


def _architecture(modules: Mapping[str, Layer]) -> _Architecture | None:
    for architecture in _ARCHITECTURES:
        if any(architecture.modules.match(module) for module in modules):
            return architecture
    return None


def _in_width(table: TensorTable, modules: Mapping[str, Layer], endings: tuple[str, ...]) -> int:
    """Length of the vectors that the modules with such names take; 0 if there are none."""
    for module, layer in modules.items():
        if endings and module.endswith(endings):
            sides = {role: table.shape(name) for role, name in layer.items()}
            width = _taken(sides)
            if width:
                return width
    return 0


def _taken(shapes: Mapping[str, tuple[int, ...]]) -> int:
    def side(*roles: str) -> int:
        found = [shapes[role] for role in roles if len(shapes.get(role, ())) > 1]
        return found[0][1] if found else 0

    factors = side("lokr_w1", "lokr_w1_b") * side("lokr_w2", "lokr_w2_b")
    return side("down", "hada_w1_b", "diff") or factors


def some(names: Iterable[str], what: str = "tensors") -> str:
    """How many there are, and a few of them."""
    found = sorted(names)
    shown = ", ".join(f"'{name}'" for name in found[:: max(len(found) // 3, 1)][:3]) or "nothing"
    return f"{len(found)} {what}, such as {shown}"
