"""Parts of models in a smaller number format, where memory is too small and the user allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from nodeflow import Device, InputError, ModelMemory, Patch, Precision, Recipe
from nodeflow_nodes.diffusion.families.control_keys import CONTROL
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.part_sizes import expected_bytes
from nodeflow_nodes.diffusion.quantize_checks import QUANTIZED, check_quantize, quantized_weights
from nodeflow_nodes.diffusion.room import SMALLER_MODEL, Way, by_some_way

T = TypeVar("T")
Load = Callable[[Recipe, ModelMemory, Device], T]
"""Loads a part, or computes with it."""

_INT8 = "int8"
_TO_GPU = ("denoiser", "text_encoder", CONTROL)
"""Parts that stream to a GPU."""
_CALLED = {"denoiser": "network", "text_encoder": "text encoder", "vae": "autoencoder"}


def lowering(load: Load[T]) -> Load[T]:
    """A loader that goes down in precision when memory is too small, where that is allowed."""

    def loaded(recipe: Recipe, models: ModelMemory, device: Device) -> T:
        if not device.may_lower:
            return load(recipe, models, device)
        return by_some_way(models, precisions(recipe, models, device, load), SMALLER_MODEL)

    return loaded


def precisions(
    recipe: Recipe, models: ModelMemory, device: Device, load: Load[T]
) -> Iterator[Way[T]]:
    """Ways to do something with a part: as it is meant, then streamed, which gives the same, then
    in each lower precision that is allowed. The part of the way before is let go of then; the
    caller must hold it no more."""
    what = _CALLED.get(recipe.part, recipe.part)
    name = device.precision.value
    while True:
        yield Way(f"the {what} in {name}", lambda r=recipe, d=device: load(r, models, d))  # type: ignore[misc]
        if _may_stream(recipe, models, device):
            models.let_go(recipe)
            place = replace(device, streamed=True)
            how = f"the {what} in {name}, whose weights are streamed block by block"
            yield Way(how, lambda r=recipe, d=place: load(r, models, d))  # type: ignore[misc]
        lower = _lower(recipe, device)
        if lower is None:
            return
        models.let_go(recipe)
        recipe, device, name = lower


def _may_stream(recipe: Recipe, models: ModelMemory, device: Device) -> bool:
    """Whether a part can stream and does not yet; to a GPU only those do that may be
    large."""
    if quantized_weights(recipe.patches):
        return False
    if models.streams(device, expected_bytes(recipe, device)()):
        return False
    return device.name == "cpu" or recipe.part in _TO_GPU


def _lower(recipe: Recipe, device: Device) -> tuple[Recipe, Device, str] | None:
    """What is tried next, and what it is called; None if nothing is left or allowed."""
    if not device.may_lower:
        return None
    if device.precision is Precision.FP32:
        return recipe, replace(device, precision=Precision.BF16), Precision.BF16.value
    if recipe.part != "denoiser" or quantized_weights(recipe.patches):
        return None
    try:
        stored = inspect_model(Path(recipe.path)).precision
        check_quantize({"family": recipe.family, "precision": stored}, _INT8)
    except InputError:
        # There is no library for it, or the model cannot be kept so.
        return None
    return replace(recipe, patches=(*recipe.patches, Patch(QUANTIZED + _INT8))), device, _INT8
