"""What is known of small decoders before a run. Quick to import."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.by_size import BY_LATENT
from nodeflow_nodes.diffusion.families.tiny_decoder_keys import TINY_DOWNSCALE, TinyDecoderFile
from nodeflow_nodes.diffusion.hooks import FILE, Facts, Known, called, check_decode, facts_of


def decode_taesd_facts(file: Known) -> dict[str, Facts]:
    """Facts of `decode_taesd`, for people: nothing that comes after depends on them."""
    if not isinstance(file, Path):
        return {}
    head = TinyDecoderFile.read(file)
    families: list[JsonValue] = [*BY_LATENT.get(head.channels, ())]
    told: dict[str, JsonValue] = {"families": families} if families else {}
    return {"image": {**told, "precision": head.table.precision}}


def check_decode_taesd(file: Known, model: Known, latent: Known) -> None:
    """Decoder, model and latent must be of one kind."""
    if not isinstance(file, Path):
        return
    channels = TinyDecoderFile.read(file).channels
    taken: Facts = {"channels": channels, "downscale": TINY_DOWNSCALE, FILE: str(file)}
    made = facts_of(model).get("channels")
    if made not in (None, channels):
        raise InputError(
            f"{called('the model', model)} has latents of {made} channels, and {file} takes "
            f"{channels}; choose a small decoder for the model's family"
        )
    check_decode(taken, latent)
