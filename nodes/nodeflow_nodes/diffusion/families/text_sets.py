"""Which family takes text encoders together that come in files of their own. Without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.flux_keys import FAMILY_FLUX
from nodeflow_nodes.diffusion.families.stable_diffusion_3_keys import FAMILY_3
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY, FAMILY_XL
from nodeflow_nodes.diffusion.families.text_encoder_keys import (
    CALLED,
    CLIP_G,
    CLIP_L,
    T5,
    TEXT_WIDTH,
)
from nodeflow_nodes.diffusion.model_file import ModelFile

TextFamily = Literal[
    "auto", "stable_diffusion", "stable_diffusion_xl", "stable_diffusion_3", "flux"
]
"""The families whose text encoders come in files of their own."""


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


def text_set(models: Sequence[ModelFile], family: str = "") -> TextSet:
    """The set that files make, in whatever order they are given.

    Args:
        models: The files.
        family: Whose they are to be, where several families could take them; empty to find out.

    Raises:
        InputError: No family takes just these, or this one does not.
    """
    if family:
        return _set_of(models, family)
    for find in _SETS:
        found = find(models)
        if found is not None:
            return found
    kinds = " and ".join(f"{model.path} (text width {model.text_width})" for model in models)
    raise InputError(
        f"no family takes the text encoders {kinds} together; give one file, or those that "
        "belong to one model"
    )


def _set_of(models: Sequence[ModelFile], family: str) -> TextSet:
    """The set of a family, which may leave out what it can do without."""
    found = [name for model in models for name in model.encoders]
    if len(models) == 1 and models[0].family == family and not found:
        return TextSet(family, models[0].text_width, tuple(models))
    kinds = _TAKES[family]
    wrong = [model for model in models if not model.encoders or not model.encoders <= set(kinds)]
    if wrong or len(set(found)) != len(found):
        which = f"{wrong[0].path} is none of them" if wrong else "one of them is given twice"
        names = ", ".join(CALLED[name] for name in kinds)
        raise InputError(
            f"text encoders for {family} are {names}, each once, and {which}; choose other files, "
            "or another family"
        )
    if family in _TEXT_WIDTHS:
        width = next((m.text_width for m in models if T5 in m.encoders), _TEXT_WIDTHS[family])
    else:
        width = sum(model.text_width for model in models)
    order = sorted(models, key=lambda model: min(kinds.index(name) for name in model.encoders))
    return TextSet(family, width, tuple(order))


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


_TAKES = {
    FAMILY: (CLIP_L,),
    FAMILY_XL: (CLIP_L, CLIP_G),
    FAMILY_3: (CLIP_L, CLIP_G, T5),
    FAMILY_FLUX: (CLIP_L, T5),
}
"""Which text encoders a family takes."""
_TEXT_WIDTHS = {FAMILY_3: TEXT_WIDTH, FAMILY_FLUX: TEXT_WIDTH}
"""Length of the states that a family makes where T5 is missing, which else tells it."""

_SETS: tuple[Callable[[Sequence[ModelFile]], TextSet | None], ...] = (
    _single,
    _clip_and_big_clip,
    _clip_and_t5,
    _with_t5,
)
