"""What is known of this pack's values before a run, and what is checked then.

An input arrives as its value if it is a literal, as facts if it is a link, and as None if it is
missing or wrong. Imports neither torch nor diffusers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from nodeflow import InputError
from nodeflow_nodes.diffusion.inspection import inspect_folder

Facts = Mapping[str, JsonValue]
Known = object
"""A literal, facts, or None."""


def model_facts(file: Known) -> dict[str, Facts]:
    """Facts of `load_model`; an unusable folder is said here, before the run."""
    if not isinstance(file, Path):
        return {}
    folder = inspect_folder(file)
    family: Facts = {"family": folder.family}
    latent: Facts = {**family, "channels": folder.channels, "downscale": folder.downscale}
    text: Facts = {**family, "text_width": folder.text_width}
    return {
        "model": {**latent, **text, "prediction": folder.prediction},
        "text_encoder": text,
        "vae": latent,
    }


def text_facts(encoder: Known) -> dict[str, Facts]:
    """Facts of `encode_text`: those of the encoder."""
    return {"conditioning": _facts(encoder)}


def empty_latent_facts(model: Known) -> dict[str, Facts]:
    """Facts of `empty_latent`: the model's kind of latent."""
    return {"latent": _latent_facts(model)}


def image_latent_facts(vae: Known) -> dict[str, Facts]:
    """Facts of `encode_image`: the autoencoder's kind of latent."""
    return {"latent": _latent_facts(vae)}


def sampled_facts(model: Known, latent: Known) -> dict[str, Facts]:
    """Facts of `sample`: what is known of the latent, or else of the model."""
    return {"latent": _latent_facts(model) | _latent_facts(latent)}


def check_size(model: Known, width: Known, height: Known) -> None:
    """Both sides of a picture must be whole latent pixels."""
    downscale = _facts(model).get("downscale")
    if not isinstance(downscale, int):
        return
    for name, side in (("width", width), ("height", height)):
        if isinstance(side, int) and side % downscale:
            below = max(side // downscale, 1) * downscale
            raise InputError(
                f"the {name} {side} is not a multiple of {downscale}, as this model needs; "
                f"take {below} or {below + downscale}"
            )


def check_sample(model: Known, positive: Known, negative: Known, latent: Known) -> None:
    """Prompts and latent must be of the kind that the model takes."""
    for name, prompt in (("positive", positive), ("negative", negative)):
        _agree(f"the {name} prompt", prompt, model, ("text_width", "family"))
    _agree("the latent", latent, model, ("channels", "downscale"))


def check_decode(vae: Known, latent: Known) -> None:
    """The latent must be of the kind that the autoencoder makes."""
    _agree("the latent", latent, vae, ("channels", "downscale"))


def _agree(what: str, source: Known, target: Known, names: tuple[str, ...]) -> None:
    have, want = _facts(source), _facts(target)
    for name in names:
        if name in have and name in want and have[name] != want[name]:
            raise InputError(
                f"{what} has {name.replace('_', ' ')} {have[name]}, and the model takes "
                f"{want[name]}; use the parts of one model for both"
            )


def _facts(known: Known) -> Facts:
    return known if isinstance(known, Mapping) else {}


def _latent_facts(known: Known) -> dict[str, JsonValue]:
    return {n: v for n, v in _facts(known).items() if n in ("family", "channels", "downscale")}
