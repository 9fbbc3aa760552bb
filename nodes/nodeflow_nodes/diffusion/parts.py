"""A recipe's part, loaded and kept by the model memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from nodeflow import Device, ModelMemory, Recipe
from nodeflow_nodes.diffusion.families.clip_vision import ClipVision
from nodeflow_nodes.diffusion.families.embedding_keys import CLIP_SKIP, EMBEDDING
from nodeflow_nodes.diffusion.families.embeddings import Embedding
from nodeflow_nodes.diffusion.families.family import Autoencoder, Denoiser, TextModel
from nodeflow_nodes.diffusion.families.hints import ControlNetwork
from nodeflow_nodes.diffusion.families.ip_adapter import IpAdapter, read_ip_adapter
from nodeflow_nodes.diffusion.families.ip_adapter_keys import ClipVisionFile, IpAdapterFile
from nodeflow_nodes.diffusion.families.lora_weights import Laying
from nodeflow_nodes.diffusion.families.quantizing import Quantizing
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.families.shifting import SHIFT, shift_of, shifted
from nodeflow_nodes.diffusion.families.step_caches import CachedDenoiser, step_cache
from nodeflow_nodes.diffusion.lower_precision import lowering
from nodeflow_nodes.diffusion.part_sizes import expected_bytes
from nodeflow_nodes.diffusion.quantize_checks import quantized_weights
from nodeflow_nodes.diffusion.step_cache_checks import STEP_CACHES


class Weighty(Protocol):
    """What is loaded."""

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        ...


W = TypeVar("W", bound=Weighty)


def _kept(recipe: Recipe, models: ModelMemory, device: Device, load: Callable[[], W]) -> W:
    """What a recipe's weights are loaded to, if they are not there yet."""
    expected = expected_bytes(recipe, device)
    return models.get(recipe, device, load, lambda part: part.size, expected)


@lowering
def denoiser(model: Recipe, models: ModelMemory, device: Device) -> Denoiser:
    """The network of a model, with what is laid over it. A step cache is new at every call."""
    cache = step_cache(model.patches)
    if cache is not None:
        without = tuple(patch for patch in model.patches if patch.kind not in STEP_CACHES)
        inner = denoiser(replace(model, patches=without), models, device)
        return CachedDenoiser(inner, cache)
    shift = shift_of(model.patches)
    if shift is not None:
        without = tuple(patch for patch in model.patches if patch.kind != SHIFT)
        return shifted(denoiser(replace(model, patches=without), models, device), shift)
    family = family_of(model)
    plain = replace(model, patches=())
    laying = Laying(model.patches)
    weights = quantized_weights(model.patches)
    if weights:
        # The plain network is not kept beside it: that would take more memory, not less.
        def quantized() -> Denoiser:
            whole = family.load_denoiser(plain, device).changed(laying)
            return whole.changed(Quantizing(weights, device))

        return models.get(
            model, device, quantized, lambda part: part.size, expected_bytes(model, device)
        )
    base = _kept(plain, models, device, lambda: family.load_denoiser(plain, device))
    if not model.patches:
        return base
    return models.get(model, device, lambda: base.changed(laying), lambda _: laying.fresh)


@lowering
def text_model(encoder: Recipe, models: ModelMemory, device: Device) -> TextModel:
    """Tokenizer and text encoder of a model, with what is laid over them."""
    family = family_of(encoder)
    plain = replace(encoder, patches=())
    base = _kept(plain, models, device, lambda: family.load_text_model(plain, device))
    if not encoder.patches:
        return base
    laying = Laying(encoder.patches)

    def patched() -> TextModel:
        found = base.changed(laying)
        words = [Embedding.read(patch) for patch in encoder.patches if patch.kind == EMBEDDING]
        left_out = [patch.amount for patch in encoder.patches if patch.kind == CLIP_SKIP]
        found = found.with_words(words) if words else found
        return found.without_layers(int(left_out[-1])) if left_out else found

    return models.get(encoder, device, patched, lambda _: laying.fresh)


@lowering
def autoencoder(vae: Recipe, models: ModelMemory, device: Device) -> Autoencoder:
    """The autoencoder of a model."""
    family = family_of(vae)
    return _kept(vae, models, device, lambda: family.load_autoencoder(vae, device))


@lowering
def ip_adapter(adapter: Recipe, models: ModelMemory, device: Device) -> IpAdapter:
    """What shows pictures to a network."""
    return _kept(
        adapter,
        models,
        device,
        lambda: read_ip_adapter(IpAdapterFile.read(Path(adapter.path)), device),
    )


@lowering
def image_encoder(encoder: Recipe, models: ModelMemory, device: Device) -> ClipVision:
    """CLIP's image encoder."""
    return _kept(
        encoder,
        models,
        device,
        lambda: ClipVision.load(ClipVisionFile.read(Path(encoder.path)), device),
    )


@lowering
def control_network(control: Recipe, models: ModelMemory, device: Device) -> ControlNetwork:
    """A control network."""
    family = family_of(control)
    return _kept(control, models, device, lambda: family.load_control(control, device))
