"""A recipe's part, loaded and kept by the model memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

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
from nodeflow_nodes.diffusion.part_sizes import expected_bytes
from nodeflow_nodes.diffusion.quantize_checks import quantized_weights
from nodeflow_nodes.diffusion.step_cache_checks import STEP_CACHES


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
    base = models.get(
        plain,
        device,
        lambda: family.load_denoiser(plain, device),
        lambda part: part.size,
        expected_bytes(plain, device),
    )
    if not model.patches:
        return base
    return models.get(model, device, lambda: base.changed(laying), lambda _: laying.fresh)


def text_model(encoder: Recipe, models: ModelMemory, device: Device) -> TextModel:
    """Tokenizer and text encoder of a model, with what is laid over them."""
    family = family_of(encoder)
    plain = replace(encoder, patches=())
    base = models.get(
        plain,
        device,
        lambda: family.load_text_model(plain, device),
        lambda part: part.size,
        expected_bytes(plain, device),
    )
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


def autoencoder(vae: Recipe, models: ModelMemory, device: Device) -> Autoencoder:
    """The autoencoder of a model."""
    family = family_of(vae)
    return models.get(
        vae,
        device,
        lambda: family.load_autoencoder(vae, device),
        lambda part: part.size,
        expected_bytes(vae, device),
    )


def ip_adapter(adapter: Recipe, models: ModelMemory, device: Device) -> IpAdapter:
    """What shows pictures to a network."""
    return models.get(
        adapter,
        device,
        lambda: read_ip_adapter(IpAdapterFile.read(Path(adapter.path)), device),
        lambda part: part.size,
        expected_bytes(adapter, device),
    )


def image_encoder(encoder: Recipe, models: ModelMemory, device: Device) -> ClipVision:
    """CLIP's image encoder."""
    return models.get(
        encoder,
        device,
        lambda: ClipVision.load(ClipVisionFile.read(Path(encoder.path)), device),
        lambda part: part.size,
        expected_bytes(encoder, device),
    )


def control_network(control: Recipe, models: ModelMemory, device: Device) -> ControlNetwork:
    """A control network."""
    family = family_of(control)
    return models.get(
        control,
        device,
        lambda: family.load_control(control, device),
        lambda part: part.size,
        expected_bytes(control, device),
    )
