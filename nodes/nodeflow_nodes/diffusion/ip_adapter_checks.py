"""What is known of IP-Adapters and image encoders before a run. Quick to import."""

from __future__ import annotations

from pathlib import Path

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.ip_adapter_keys import ClipVisionFile, IpAdapterFile
from nodeflow_nodes.diffusion.hooks import (
    FILE,
    Facts,
    Known,
    called,
    check_for_prompts,
    check_together,
    check_walk_part,
    facts_of,
)


def ip_adapter_facts(file: Known) -> dict[str, Facts]:
    """Facts of `load_ip_adapter`; an unusable file is said here."""
    if not isinstance(file, Path):
        return {}
    found = IpAdapterFile.read(file)
    family: Facts = {"family": found.family} if found.family else {}
    return {
        "ip_adapter": {
            **family,
            "text_width": found.text_width,
            "image_width": found.image_width,
            "projected": found.projected,
            "precision": found.precision,
            FILE: str(found.path),
        }
    }


def clip_vision_facts(file: Known) -> dict[str, Facts]:
    """Facts of `load_clip_vision`; an unusable file is said here."""
    if not isinstance(file, Path):
        return {}
    found = ClipVisionFile.read(file)
    return {
        "clip_vision": {
            "width": found.width,
            "projected": found.projected,
            "precision": found.precision,
            FILE: str(found.path),
        }
    }


def check_ip_adapter(
    positive: Known,
    negative: Known,
    ip_adapter: Known,
    clip_vision: Known,
    start: Known,
    end: Known,
) -> None:
    """The adapter must be for the model that the prompts are for, and for the image encoder."""
    check_walk_part(start, end)
    check_together(positive, negative)
    facts = facts_of(ip_adapter)
    check_for_prompts("IP-Adapter", ip_adapter, positive, negative)
    wanted = facts.get("image_width")
    gives = facts_of(clip_vision).get("projected" if facts.get("projected") else "width")
    if wanted is not None and gives is not None and wanted != gives:
        raise InputError(
            f"{called('the IP-Adapter', ip_adapter)} takes pictures as states of width {wanted}, "
            f"and {called('the image encoder', clip_vision)} gives {gives}; choose "
            "the image encoder that the adapter was trained with"
        )


def ip_adapted_facts(positive: Known, negative: Known) -> dict[str, Facts]:
    """Facts of `apply_ip_adapter`: those of the prompts."""
    return {"positive": facts_of(positive), "negative": facts_of(negative)}
