"""Which family takes text encoders together that come in files of their own. Without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.flux_keys import FAMILY_FLUX
from nodeflow_nodes.diffusion.families.stable_diffusion_3_keys import FAMILY_3
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY, FAMILY_XL
from nodeflow_nodes.diffusion.families.text_encoder_keys import CLIP_L, T5
from nodeflow_nodes.diffusion.model_file import ModelFile


@dataclass(frozen=True)
class TextSet:
    """Text encoders that belong together.

    Attributes:
        family: Name of the family that loads them.
        text_width: Length of the hidden states that they make together.
        models: Their files, in the order of the family.
    """

    family: str
    text_width: int
    models: tuple[ModelFile, ...]


def text_set(models: Sequence[ModelFile]) -> TextSet:
    """The set that files make, in whatever order they are given.

    Raises:
        InputError: No family takes just these.
    """
    for find in _SETS:
        found = find(models)
        if found is not None:
            return found
    kinds = " and ".join(f"{model.path} (text width {model.text_width})" for model in models)
    raise InputError(
        f"no family takes the text encoders {kinds} together; give one file, or those that "
        "belong to one model"
    )


def _single(models: Sequence[ModelFile]) -> TextSet | None:
    if len(models) != 1:
        return None
    return TextSet(models[0].family, models[0].text_width, (models[0],))


def _clip_and_big_clip(models: Sequence[ModelFile]) -> TextSet | None:
    """Stable Diffusion XL: OpenAI's CLIP, and OpenCLIP's largest beside it."""
    first = [model for model in models if model.family == FAMILY]
    second = [model for model in models if model.family == FAMILY_XL]
    if (len(first), len(second), len(models)) != (1, 1, 2):
        return None
    return TextSet(FAMILY_XL, sum(model.text_width for model in models), (*first, *second))


def _clip_and_t5(models: Sequence[ModelFile]) -> TextSet | None:
    """Flux: OpenAI's CLIP, and T5."""
    if sorted(tuple(model.encoders) for model in models) != [(CLIP_L,), (T5,)]:
        return None
    width = next(model.text_width for model in models if T5 in model.encoders)
    return TextSet(FAMILY_FLUX, width, tuple(models))


def _with_t5(models: Sequence[ModelFile]) -> TextSet | None:
    """Stable Diffusion 3: T5, and one or both of the CLIPs, each once."""
    found = [name for model in models for name in model.encoders]
    if T5 not in found or len(set(found)) != len(found):
        return None
    if not all(model.encoders for model in models):
        return None
    width = next(model.text_width for model in models if T5 in model.encoders)
    return TextSet(FAMILY_3, width, tuple(models))


_SETS: tuple[Callable[[Sequence[ModelFile]], TextSet | None], ...] = (
    _single,
    _clip_and_big_clip,
    _clip_and_t5,
    _with_t5,
)
