"""What people call a model, told by its header; a family may hold several. Without torch."""

from __future__ import annotations

from collections.abc import Mapping

from nodeflow_nodes.diffusion.families.flux_keys import FAMILY_FLUX
from nodeflow_nodes.diffusion.families.stable_diffusion_3_keys import FAMILY_3
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY, FAMILY_XL
from nodeflow_nodes.diffusion.model_file import Found

_UNETS: Mapping[tuple[str, int], str] = {
    (FAMILY, 768): "Stable Diffusion 1",
    (FAMILY, 1024): "Stable Diffusion 2",
    (FAMILY_XL, 2048): "Stable Diffusion XL",
    (FAMILY_XL, 1280): "Stable Diffusion XL refiner",
}
"""By the family and the length of the hidden states that the network takes."""
_TRANSFORMERS: Mapping[str, str] = {FAMILY_3: "Stable Diffusion 3", FAMILY_FLUX: "Flux 1"}


def title(model: Found) -> str:
    """A model with a network as people call it, such as `Stable Diffusion 2, v-prediction`; empty
    for what has no network, or has one of a kind that has no name of its own."""
    name = _TRANSFORMERS.get(model.family) or _UNETS.get((model.family, model.text_width))
    if "denoiser" not in model.parts or name is None:
        return ""
    marks = [
        # Beside the latent to draw it is given the mask and the latent around the hole.
        "inpainting" if 2 * model.channels < model.inputs else "",
        "v-prediction" if model.prediction == "v_prediction" else "",
    ]
    return ", ".join(filter(None, [name, *marks]))
