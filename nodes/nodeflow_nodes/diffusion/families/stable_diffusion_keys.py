"""Single files of Stable Diffusion 1, 2 and XL, recognised by their tensors. Without torch."""

from __future__ import annotations

import re
from statistics import pstdev

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.text_encoder_keys import (
    CLIP_G_WIDTH,
    clip_width,
    encoder_prefixes,
)
from nodeflow_nodes.diffusion.model_file import Found, Layout

FAMILY = "stable_diffusion"
FAMILY_XL = "stable_diffusion_xl"

UNET_PREFIXES = ("model.diffusion_model.", "")
"""Before the names of the network, in a whole model and alone."""
VAE_PREFIXES = ("first_stage_model.", "vae.", "")

# A network trained for velocities has, in its last attention, biases that vary more than this.
_V_DEVIATION = 0.09
_XL_FIRST = "conditioner.embedders.0.transformer."
_LAST_BIAS = re.compile(r".*output_blocks\.(\d+)\.1\.transformer_blocks\.0\.norm1\.bias$")


def find_stable_diffusion(table: TensorTable) -> Found | None:
    """What a file of this architecture holds; None if it is of another."""
    for prefix in UNET_PREFIXES:
        if f"{prefix}input_blocks.0.0.weight" in table and f"{prefix}out.2.weight" in table:
            return _with_network(table, prefix, "original")
    if "down_blocks.0.resnets.0.conv1.weight" in table and "conv_out.weight" in table:
        return _with_network(table, "", "diffusers")
    if vae_prefix(table) is not None:
        return _alone(table, "vae", channels=_vae_channels(table), downscale=vae_downscale(table))
    width = clip_width(table)
    if width:
        family = FAMILY_XL if width == CLIP_G_WIDTH else FAMILY
        return Found(
            family,
            "diffusers",
            frozenset({"text_encoder"}),
            text_width=width,
            encoders=frozenset(encoder_prefixes(table)),
        )
    return None


def text_prefixes(table: TensorTable) -> tuple[str, ...]:
    """Before the names of each text encoder, in their order; empty if there is none."""
    known = (
        "cond_stage_model.transformer.",
        "cond_stage_model.model.",
        _XL_FIRST,
        "conditioner.embedders.0.model.",
        "conditioner.embedders.1.model.",
    )
    found = tuple(prefix for prefix in known if table.starts(prefix))
    return ("",) if not found and clip_width(table) else found


def vae_prefix(table: TensorTable) -> str | None:
    """Before the names of the autoencoder; None if there is none."""
    for prefix in VAE_PREFIXES:
        if (
            f"{prefix}decoder.conv_in.weight" in table
            and f"{prefix}encoder.conv_in.weight" in table
        ):
            return prefix
    return None


def vae_downscale(table: TensorTable) -> int:
    """Picture pixels to one latent pixel: the encoder halves the sides between its levels."""
    levels = {
        int(match[1])
        for name in table.entries
        if (match := re.match(r".*encoder\.down(?:_blocks)?\.(\d+)\.", name))
    }
    return int(2 ** max(len(levels) - 1, 0))


def projects_linearly(table: TensorTable) -> bool:
    """Whether the network is of the second generation or later: its transformers begin with a
    matrix, where the first generation has a convolution."""
    return any(
        name.endswith(".proj_in.weight") and len(entry.shape) == 2
        for name, entry in table.entries.items()
    )


def _with_network(table: TensorTable, prefix: str, layout: Layout) -> Found | None:
    widths = [
        entry.shape[1]
        for name, entry in table.entries.items()
        if name.startswith(prefix) and name.endswith("attn2.to_k.weight")
    ]
    if not widths:
        return None
    first, last, added = (
        ("input_blocks.0.0.weight", "out.2.weight", "label_emb.0.0.weight")
        if layout == "original"
        else ("conv_in.weight", "conv_out.weight", "add_embedding.linear_1.weight")
    )
    is_xl = f"{prefix}{added}" in table
    parts = {"denoiser"}
    if layout == "original":
        parts |= {"vae"} if vae_prefix(table) is not None else set()
        parts |= {"text_encoder"} if _has_text_encoders(table, is_xl) else set()
    return Found(
        family=FAMILY_XL if is_xl else FAMILY,
        layout=layout,
        parts=frozenset(parts),
        prediction=_prediction(table, is_xl),
        zero_terminal_snr="ztsnr" in table,
        channels=table.shape(prefix + last)[0],
        downscale=vae_downscale(table) if "vae" in parts else 8,
        text_width=widths[0],
        inputs=table.shape(prefix + first)[1],
    )


def _has_text_encoders(table: TensorTable, is_xl: bool) -> bool:
    found = text_prefixes(table)
    # The first of XL's two alone is not enough; its refiner has only the second kind.
    return bool(found) and not (is_xl and found == (_XL_FIRST,))


def _prediction(table: TensorTable, is_xl: bool) -> str:
    """Marks that trainers leave; for Stable Diffusion 2 there are none, but the weights tell."""
    if "edm_mean" in table or "edm_vpred.sigma_max" in table:
        raise InputError(
            f"{table.path} was trained with the noise levels of EDM, which are not supported; "
            "choose a model that predicts noise or velocity"
        )
    if "v_pred" in table:
        return "v_prediction"
    if is_xl or not projects_linearly(table):
        return "epsilon"
    found = {int(match[1]): name for name in table.entries if (match := _LAST_BIAS.match(name))}
    if not found:  # a network in diffusers layout
        found = {
            int(match[1]) * 100 + int(match[2]): name
            for name in table.entries
            if (match := re.match(r"up_blocks\.(\d+)\.attentions\.(\d+)\..*\.0\.norm1\.bias", name))
        }
    numbers = table.numbers(found[max(found)]) if found else []
    return "v_prediction" if numbers and pstdev(numbers) > _V_DEVIATION else "epsilon"


def _vae_channels(table: TensorTable) -> int:
    return table.shape(f"{vae_prefix(table)}decoder.conv_in.weight")[1]


def _alone(table: TensorTable, part: str, channels: int, downscale: int) -> Found:
    diffusers = table.starts("encoder.down_blocks.")
    return Found(
        FAMILY,
        "diffusers" if diffusers else "original",
        frozenset({part}),
        channels=channels,
        downscale=downscale,
    )
