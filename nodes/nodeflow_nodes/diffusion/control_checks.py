"""What is known of control networks before a run. Quick to import."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.control_keys import ControlFile
from nodeflow_nodes.diffusion.hooks import (
    FILE,
    NEEDS_VAE,
    Facts,
    Known,
    called,
    check_for_prompts,
    check_together,
    check_walk_part,
    facts_of,
)


def control_facts(file: Known) -> dict[str, Facts]:
    """Facts of `load_controlnet`; an unusable file is said here."""
    if not isinstance(file, Path):
        return {}
    found = ControlFile.read(file)
    facts: dict[str, JsonValue] = {
        "family": found.family,
        "precision": found.precision,
        FILE: str(found.path),
    }
    facts |= {"text_width": found.text_width} if found.text_width else {}
    facts |= {"channels": found.channels} if found.channels else {}
    facts |= {"union": True} if found.union else {}
    return {"controlnet": facts}


def check_control(
    positive: Known,
    negative: Known,
    controlnet: Known,
    start: Known,
    end: Known,
    mode: Known = "none",
    vae: Known = None,
) -> None:
    """The control network must be for the model that the prompts are for."""
    check_walk_part(start, end)
    check_together(positive, negative)
    facts = facts_of(controlnet)
    if facts.get("union") and mode == "none":
        raise InputError(
            f"{called('the control network', controlnet)} is one for several kinds of "
            "pictures; choose which kind it is "
            "given by mode"
        )
    sees, makes = facts.get("channels"), facts_of(vae).get("channels")
    if sees is not None and makes is not None and sees != makes:
        raise InputError(
            f"{called('the control network', controlnet)} sees latents of {sees} channels, and "
            f"{called('the autoencoder', vae)} makes {makes}; give it the autoencoder of the model"
        )
    check_for_prompts("control network", controlnet, positive, negative)


def controlled_facts(
    positive: Known, negative: Known, controlnet: Known = None, vae: Known = None
) -> dict[str, Facts]:
    """Facts of `apply_controlnet`: those of the prompts, and whether an autoencoder is missing."""
    needs = bool(facts_of(controlnet).get("channels")) and vae is None
    more: Facts = {NEEDS_VAE: True} if needs else {}
    return {"positive": {**facts_of(positive), **more}, "negative": {**facts_of(negative), **more}}
