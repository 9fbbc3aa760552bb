"""Single files of Flux 1, by the names and shapes of their tensors. Without torch."""

from __future__ import annotations

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import vae_downscale, vae_prefix
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.text_encoder_keys import T5, encoder_prefixes
from nodeflow_nodes.diffusion.model_file import Found

FAMILY_FLUX = "flux"
PACKED = 4
"""Latent pixels that the network takes as one, two by two."""
NETWORK_PREFIXES = ("model.diffusion_model.", "")
_FIRST_BLOCK = "double_blocks.0.img_attn.norm."
"""Its norms have names of their own only here."""
_DOWNSCALE = 8
CONTROL_BLOCKS = "controlnet_blocks.0.weight"
"""What control networks of transformers have, whose other names are those of what they control."""
_DIFFUSERS = ("single_transformer_blocks.0.proj_mlp.", "time_text_embed.text_embedder.linear_1.")


def network_prefix(table: TensorTable) -> str | None:
    """Before the names of the network in its original layout; None if there is none."""
    ends = ("key_norm.scale", "query_norm.scale")
    firsts = {p: [f"{p}{_FIRST_BLOCK}{end}" for end in ends] for p in NETWORK_PREFIXES}
    return next((p for p, names in firsts.items() if any(n in table for n in names)), None)


def in_diffusers_layout(table: TensorTable) -> bool:
    """Whether a file holds the network under diffusers' names."""
    return all(map(table.starts, _DIFFUSERS))


def takes_guidance(table: TensorTable) -> bool:
    """Whether the network in a file was distilled to guidance, as dev was and schnell was not."""
    prefix = network_prefix(table)
    return table.starts(
        "time_text_embed.guidance_embedder." if prefix is None else f"{prefix}guidance_in."
    )


def find_flux(table: TensorTable) -> Found | None:
    """What a file of this architecture holds; None if it is of another."""
    prefix = network_prefix(table)
    if CONTROL_BLOCKS in table or (prefix is None and not in_diffusers_layout(table)):
        return None
    names = (
        ("x_embedder", "proj_out", "context_embedder")
        if prefix is None
        else tuple(f"{prefix}{name}" for name in ("img_in", "final_layer.linear", "txt_in"))
    )
    taken, given, text = (table.sides(f"{name}.weight") for name in names)
    # Those that fill holes see a second latent and the mask's pixels.
    if taken[1] not in (given[0], 2 * given[0] + PACKED * _DOWNSCALE**2):
        raise InputError(
            f"the network in {table.path} takes {taken[1:]} channels and gives {given[:1]}: only "
            "models that draw from text or fill holes are supported of this kind, not those that "
            "follow edges or depth; choose such a model"
        )
    encoders = encoder_prefixes(table)
    parts = {"denoiser"}
    parts |= {"vae"} if vae_prefix(table) is not None else set()
    parts |= {"text_encoder"} if T5 in encoders else set()
    return Found(
        FAMILY_FLUX,
        "diffusers" if prefix is None else "original",
        frozenset(parts),
        prediction="flow",
        channels=given[0] // PACKED,
        downscale=vae_downscale(table) if "vae" in parts else _DOWNSCALE,
        text_width=text[1],
        inputs=taken[1] // PACKED,
        inner_width=taken[0],
        encoders=frozenset(encoders),
    )
