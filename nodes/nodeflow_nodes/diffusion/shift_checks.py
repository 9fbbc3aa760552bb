"""What is known of a shift before a run: whether it is for the model. Quick to import."""

from __future__ import annotations

from collections.abc import Mapping

from nodeflow import InputError
from nodeflow_nodes.diffusion.hooks import Facts, Known

_FLOW = "flow"


def check_shift(model: Known) -> None:
    """The model must be one of rectified flows, as far as the file tells."""
    facts = model if isinstance(model, Mapping) else {}
    prediction = facts.get("prediction")
    # Of a pipeline of diffusers' it is known only when its scheduler is loaded.
    if prediction and prediction != _FLOW:
        raise InputError(
            "only models of rectified flows, such as Stable Diffusion 3 and Flux, have a shift, "
            f"and this one is of the family {facts.get('family')}; link it without this node"
        )


def shift_facts(model: Known) -> dict[str, Facts]:
    """Facts of nodes that shift noise levels: those of the model."""
    return {"model": model if isinstance(model, Mapping) else {}}
