"""What is known of this pack's values before a run, and what is checked then.

An input arrives as its value if it is a literal, as facts if it is a link, and as None if it is
missing or wrong. Imports neither torch nor diffusers.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.by_size import BY_LATENT
from nodeflow_nodes.diffusion.families.titles import title
from nodeflow_nodes.diffusion.inspection import (
    inspect_part,
    inspect_text_encoders,
    inspect_whole,
    lacking,
    vocabularies,
)
from nodeflow_nodes.diffusion.model_file import ModelFile
from nodeflow_nodes.diffusion.modular_folders import MODULAR

Facts = Mapping[str, JsonValue]
Known = object
"""A literal, facts, or None."""

FILE: Final = "file"
"""The fact that names the file of a part, for sentences."""
NATIVE: Final = "native"
"""The method that leaves a walk to the model's own pipeline."""


LACKING: Final = "lacking"
"""The fact of parts that are not in a model's file: a sentence for those who want them."""
KEEPS: Final = "keeps"
"""The fact of latents of which a walk may change all, in spite of their mask; see `Latent`."""
FILLS_HOLES: Final = "fills_holes"
"""The fact of models that tells whether their networks see a mask."""
NEEDS_VAE = "needs_vae"
"""The fact of prompts whose control networks make latents with the model's own autoencoder."""


def model_facts(file: Known) -> dict[str, Facts]:
    """Facts of `load_model`; an unusable file or folder is said here, before the run.

    A part that the file lacks is said at the nodes that want it.
    """
    if not isinstance(file, Path):
        return {}
    model = inspect_whole(file)
    text, latent = {**_text(model), **_reads(model)}, _latent(model)
    return {
        "model": _model(model),
        "text_encoder": _there(model, "text_encoder", text),
        "vae": _there(model, "vae", latent),
    }


def denoiser_facts(file: Known) -> dict[str, Facts]:
    """Facts of `load_denoiser`."""
    return {"model": _model(inspect_part(file, "denoiser"))} if isinstance(file, Path) else {}


def text_encoder_facts(
    file: Known, second: Known = None, third: Known = None, family: Known = "auto"
) -> dict[str, Facts]:
    """Facts of `load_text_encoder`; those of one file alone would be wrong with a second."""
    if not isinstance(file, Path):
        return {}
    if not isinstance(second, Path | None) or not isinstance(third, Path | None):
        return {}
    told = family if isinstance(family, str) and family != "auto" else ""
    found = inspect_text_encoders(file, second, third, family=told)
    facts: dict[str, JsonValue] = {"family": found.family, "text_width": found.text_width}
    facts |= _precision(found.models[0])
    return {"text_encoder": {**facts, **_reads(*found.models)}}


def vae_facts(file: Known) -> dict[str, Facts]:
    """Facts of `load_vae`; an autoencoder alone may be of several families."""
    return {"vae": _latent(inspect_part(file, "vae"))} if isinstance(file, Path) else {}


def text_facts(encoder: Known) -> dict[str, Facts]:
    """Facts of `encode_text`: those of the encoder."""
    return {"conditioning": facts_of(encoder)}


def conditioned_facts(conditioning: Known) -> dict[str, Facts]:
    """Facts of nodes that add to a prompt: those of the prompt."""
    return {"conditioning": facts_of(conditioning)}


def empty_latent_facts(model: Known) -> dict[str, Facts]:
    """Facts of `empty_latent`: the model's kind of latent; zeros are of no family."""
    return {"latent": {n: v for n, v in _latent_facts(model).items() if n != "family"}}


def image_latent_facts(vae: Known) -> dict[str, Facts]:
    """Facts of `encode_image`: the autoencoder's kind of latent."""
    return {"latent": _latent_facts(vae)}


def hole_latent_facts(vae: Known, keep_outside: Known) -> dict[str, Facts]:
    """Facts of `encode_for_inpainting`: those of `encode_image`, and whether the mask is kept."""
    free = {KEEPS: False} if keep_outside is False else {}
    return {"latent": {**_latent_facts(vae), **free}}


def sampled_facts(model: Known, latent: Known) -> dict[str, Facts]:
    """Facts of `sample`: what is known of the model, or else of the latent."""
    return {"latent": _latent_facts(latent) | _latent_facts(model)}


def check_size(model: Known, width: Known, height: Known) -> None:
    """Both sides of a picture must be whole latent pixels."""
    downscale = facts_of(model).get("downscale")
    if not isinstance(downscale, int):
        return
    for name, side in (("width", width), ("height", height)):
        if isinstance(side, int) and side % downscale:
            below = max(side // downscale, 1) * downscale
            raise InputError(
                f"the {name} {side} is not a multiple of {downscale}, as this model needs; "
                f"take {below} or {below + downscale}"
            )


def check_sample(
    model: Known, positive: Known, negative: Known, latent: Known, method: Known = None
) -> None:
    """Prompts and latent must be of the kind that the model takes, and so must the method."""
    family = facts_of(model).get("family")
    if method == NATIVE and family not in (None, MODULAR):
        raise InputError(
            "the method native is the own walk of models that run by diffusers' pipelines, and "
            f"this one, of the family {family}, has none; choose another method, such as euler"
        )
    for name, prompt in (("positive", positive), ("negative", negative)):
        theirs, ours = facts_of(prompt).get("family"), facts_of(model).get("family")
        if theirs is not None and ours is not None and theirs != ours:
            raise InputError(
                f"the {name} prompt is for the family {theirs}, and "
                f"{called('the model', model)} is of {ours}; encode "
                "it with the model's own text encoder, or choose the family at load_text_encoder"
            )
        _agree(f"the {name} prompt", prompt, model, ("text_width",))
        if facts_of(prompt).get(NEEDS_VAE) and facts_of(model).get("has_vae") is False:
            raise InputError(
                f"a control network of the {name} prompt sees its picture as a latent, and the "
                "model's file has no autoencoder; give apply_controlnet the one of load_vae"
            )
    _check_latent(latent, model)
    _check_mask(latent, model)


def check_together(conditioning: Known, other: Known) -> None:
    """Prompts that are put together must be for one model."""
    _agree(
        "the other prompt", other, conditioning, ("text_width", "family"), "the first prompt has"
    )


def check_for_prompts(what: str, known: Known, positive: Known, negative: Known) -> None:
    """What is laid beside prompts must be for the model that they are for.

    Args:
        what: Its name in sentences, such as "control network".
        known: What is known of it.
        positive: What is known of the prompts.
        negative: The same.
    """
    facts = facts_of(known)
    for name, prompt in (("positive", facts_of(positive)), ("negative", facts_of(negative))):
        for fact, words in (("family", "the family"), ("text_width", "text of width")):
            theirs, ours = prompt.get(fact), facts.get(fact)
            if theirs is not None and ours is not None and theirs != ours:
                raise InputError(
                    f"{called(f'the {what}', known)} is for {words} {ours}, and the {name} prompt "
                    f"is for {theirs}; choose another {what}, of the model's family"
                )


def check_walk_part(start: Known, end: Known) -> None:
    """A part of a walk must begin before it ends."""
    if isinstance(start, int | float) and isinstance(end, int | float) and start >= end:
        raise InputError(
            f"the part of the walk begins at {start:g} and ends at {end:g}, so nothing is in it; "
            "take an end after the start"
        )


def guider_facts(model: Known) -> dict[str, Facts]:
    """Facts of `guider`: those of the model."""
    return {"guider": facts_of(model)}


def guided_facts(guider: Known) -> dict[str, Facts]:
    """Facts of nodes that change a guider: those of the guider."""
    return {"guider": facts_of(guider)}


def check_guider(model: Known, positive: Known, negative: Known) -> None:
    """Prompts must be of the kind that the model takes."""
    check_sample(model, positive, negative, None)


def advanced_facts(guider: Known, latent: Known) -> dict[str, Facts]:
    """Facts of `sample_advanced`: what is known of the model, or else of the latent."""
    return {"latent": _latent_facts(latent) | _latent_facts(guider)}


def check_advanced(guider: Known, latent: Known, sigmas: Known) -> None:
    """The latent must be of the kind that the guider's model takes, and sigmas must descend."""
    _check_latent(latent, guider)
    _check_mask(latent, guider)
    if not isinstance(sigmas, list) or not all(isinstance(s, int | float) for s in sigmas):
        return
    if len(sigmas) < 2:
        raise InputError(f"{len(sigmas)} noise levels are no step; give two or more")
    for above, below in pairwise(sigmas):
        if not 0 <= below < above:
            raise InputError(
                f"the noise levels must descend to 0 or above, and {above:g} is followed by "
                f"{below:g}; sort them, and leave out what stands twice"
            )


def latent_facts(latent: Known) -> dict[str, Facts]:
    """Facts of nodes that change a latent: those of the latent."""
    return {"latent": _latent_facts(latent)}


def check_blend(latent: Known, other: Known) -> None:
    """Latents that are mixed must be of one kind."""
    names = ("channels", "downscale")
    _agree("the other latent", other, latent, names, "the first has")


def noise_facts(model: Known, latent: Known) -> dict[str, Facts]:
    """Facts of `add_noise`: what is known of the model, or else of the latent."""
    return sampled_facts(model, latent)


def check_noise(model: Known, latent: Known) -> None:
    """The latent must be of the kind that the model takes."""
    _check_latent(latent, model)


def check_decode(vae: Known, latent: Known) -> None:
    """The latent must be of the kind that the autoencoder makes."""
    whose = f"{called('the autoencoder', vae)} takes"
    _agree("the latent", latent, vae, ("channels", "downscale"), whose)
    _same_family(latent, vae, called("the autoencoder", vae))


def _check_latent(latent: Known, model: Known) -> None:
    """A latent must be of the kind that a model takes."""
    _agree("the latent", latent, model, ("channels", "downscale"))
    _same_family(latent, model, called("the model", model))


def _check_mask(latent: Known, model: Known) -> None:
    if facts_of(latent).get(KEEPS) is False and facts_of(model).get(FILLS_HOLES) is False:
        raise InputError(blind_to_masks(called("the model", model)))


def blind_to_masks(model: str) -> str:
    """Why a mask that a walk does not keep to is of no use to a model, and the way out."""
    return (
        f"{model} was not trained to fill holes, so without keep_outside the mask would do "
        "nothing; switch keep_outside on at encode_for_inpainting, or choose another model"
    )


def _same_family(latent: Known, other: Known, what: str) -> None:
    """Latents of two families mean other pictures, even if they have the same channels.

    Pipelines of diffusers are one family for us, and share autoencoders with the others.
    """
    have, want = facts_of(latent).get("family"), facts_of(other).get("family")
    if have is None or want is None or have == want or MODULAR in (have, want):
        return
    raise InputError(
        f"the latent is of the family {have}, and {what} is of {want}; use the parts of one model "
        "for both, or decode with one and encode with the other"
    )


def _agree(
    what: str,
    source: Known,
    target: Known,
    names: tuple[str, ...],
    whose: str = "",
) -> None:
    whose = whose or f"{called('the model', target)} takes"
    have, want = facts_of(source), facts_of(target)
    for name in names:
        if name in have and name in want and have[name] != want[name]:
            raise InputError(
                f"{what} has {name.replace('_', ' ')} {have[name]}, and {whose} "
                f"{want[name]}; use the parts of one model for both"
            )


def called(what: str, known: Known) -> str:
    """A part of a model as sentences name it: with its file, if that is known."""
    file = facts_of(known).get(FILE)
    return f"{what} {file}" if isinstance(file, str) else what


def _latent(model: ModelFile) -> dict[str, JsonValue]:
    families: list[JsonValue] = [*BY_LATENT.get(model.channels, ())]
    family: dict[str, JsonValue] = {"families": families} if families else {}
    if len(model.parts) > 1:
        family = {"family": model.family}
    return {**family, **_precision(model), **_kind(model), FILE: str(model.path)}


def _text(model: ModelFile) -> dict[str, JsonValue]:
    width: dict[str, JsonValue] = {"text_width": model.text_width} if model.text_width else {}
    return {"family": model.family, **width, **_precision(model)}


def _kind(model: ModelFile) -> dict[str, JsonValue]:
    """What its latents are like, if the file tells."""
    if not model.channels:
        return {}
    return {"channels": model.channels, "downscale": model.downscale}


def _reads(*models: ModelFile) -> dict[str, JsonValue]:
    """Files that a text encoder's meaning depends on, wherever they were found."""
    found: list[JsonValue] = [str(file) for file in vocabularies(*models)]
    return {"reads": found} if found else {}


def _precision(model: ModelFile) -> dict[str, JsonValue]:
    """Told to people only; nothing depends on it."""
    return {"precision": model.precision} if model.precision else {}


def _model(model: ModelFile) -> dict[str, JsonValue]:
    return {
        **_text(model),
        **_kind(model),
        FILE: str(model.path),
        "prediction": model.prediction,
        **({"title": name} if (name := title(model)) else {}),
        "has_vae": "vae" in model.parts,
        **({FILLS_HOLES: model.inputs > model.channels} if model.inputs else {}),
        **({"inner_width": model.inner_width} if model.inner_width else {}),
        **({"folder": str(model.path)} if model.family == MODULAR else {}),
    }


def _there(model: ModelFile, part: str, facts: dict[str, JsonValue]) -> Facts:
    return facts if part in model.parts else {LACKING: lacking(model, part)}


def facts_of(known: Known) -> Facts:
    """What is known of a linked value; nothing if it is none, or cannot be told.

    Raises:
        InputError: It is a part that its model's file lacks.
    """
    facts = known if isinstance(known, Mapping) else {}
    if isinstance(reason := facts.get(LACKING), str):
        raise InputError(reason)
    return facts


def _latent_facts(known: Known) -> dict[str, JsonValue]:
    return {n: v for n, v in facts_of(known).items() if n in ("family", "channels", "downscale")}
