"""What is known of a step cache before a run: whether it is for the model. Quick to import."""

from __future__ import annotations

from pathlib import Path

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.fingerprints import UNETS
from nodeflow_nodes.diffusion.hooks import Facts, Known
from nodeflow_nodes.diffusion.modular_folders import MODULAR, components, denoising

FIRST_BLOCK = "first_block_cache"
TAYLOR_SEER = "taylor_seer_cache"
STEP_CACHES = (FIRST_BLOCK, TAYLOR_SEER)
"""The kinds of patch."""


def check_step_cache(model: Known) -> None:
    """The network must be a transformer, as far as the file tells."""
    family = model.get("family") if isinstance(model, dict) else None
    if family in UNETS:
        raise InputError(
            f"step caches are for transformers, such as Stable Diffusion 3 and Flux, and the "
            f"network of {UNETS[family]} is a UNet; link the model without this node"
        )
    folder = model.get("folder") if isinstance(model, dict) else None
    if family == MODULAR and isinstance(folder, str):
        networks = denoising(component.name for component in components(Path(folder)))
        if any(name.startswith("unet") for name in networks):
            raise InputError(
                f"step caches are for transformers, and the network of {folder} is a UNet; link "
                "the model without this node"
            )


def step_cache_facts(model: Known) -> dict[str, Facts]:
    """Facts of nodes that lay a step cache over a model: those of the model."""
    return {"model": model if isinstance(model, dict) else {}}
