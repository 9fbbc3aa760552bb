"""A recipe's part, loaded and kept by the model memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import ByteSize

from nodeflow import Device, ModelMemory, Recipe
from nodeflow_nodes.diffusion.families.clip_vision import ClipVision
from nodeflow_nodes.diffusion.families.embedding_keys import CLIP_SKIP, EMBEDDING
from nodeflow_nodes.diffusion.families.embeddings import Embedding
from nodeflow_nodes.diffusion.families.family import Autoencoder, Denoiser, LevelFamily, TextModel
from nodeflow_nodes.diffusion.families.hints import ControlNetwork
from nodeflow_nodes.diffusion.families.ip_adapter import IpAdapter, read_ip_adapter
from nodeflow_nodes.diffusion.families.ip_adapter_keys import ClipVisionFile, IpAdapterFile
from nodeflow_nodes.diffusion.families.lora_weights import Laying
from nodeflow_nodes.diffusion.families.mapped_weights import MappedWeights
from nodeflow_nodes.diffusion.families.quantizing import Quantizing
from nodeflow_nodes.diffusion.families.registry import family_of
from nodeflow_nodes.diffusion.families.shifting import SHIFT, shift_of, shifted, shifted_levels
from nodeflow_nodes.diffusion.families.step_caches import cached, step_cache
from nodeflow_nodes.diffusion.families.streaming import Resting, StreamingToGpu
from nodeflow_nodes.diffusion.inspection import inspect_part
from nodeflow_nodes.diffusion.lower_precision import lowering
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels
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


def _kept(recipe: Recipe, models: ModelMemory, device: Device, load: Callable[[Device], W]) -> W:
    """What a recipe's weights are loaded to, if they are not there yet; on the CPU they stream if
    they are more than models may take.

    Args:
        recipe: Whose weights.
        models: What is there.
        device: What computes with them.
        load: Loads them where they are to lie.
    """
    expected = expected_bytes(recipe, device)
    if device.name != "cpu" or not models.streams(device, expected()):
        return models.get(recipe, device, lambda: load(device), lambda part: part.size, expected)
    _say_larger(
        recipe,
        models,
        device,
        "its weights are streamed from disk block by block, which takes longer",
    )
    weights = MappedWeights(models.folder)
    place = Resting(device.name, device.precision, weights=weights)
    return models.get(recipe, device, lambda: load(place), lambda _: weights.held)


@lowering
def denoiser(model: Recipe, models: ModelMemory, device: Device) -> Denoiser:
    """The network of a model, with what is laid over it. A step cache is new at every call."""
    cache = step_cache(model.patches)
    if cache is not None:
        without = tuple(patch for patch in model.patches if patch.kind not in STEP_CACHES)
        inner = denoiser(replace(model, patches=without), models, device)
        return cached(inner, cache)
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

        expected = expected_bytes(model, device)
        _say_larger(
            model,
            models,
            device,
            "weights that were quantised cannot be streamed, so they are loaded whole",
        )
        return models.get(model, device, quantized, lambda part: part.size, expected)
    if _streams_to_gpu(plain, models, device):
        return _streamed_to_gpu(model, models, device)
    base = _kept(plain, models, device, lambda place: family.load_denoiser(plain, place))
    if not model.patches:
        return base
    return models.get(model, device, lambda: base.changed(laying), lambda _: laying.fresh)


def noise_levels_of(model: Recipe, models: ModelMemory, device: Device) -> NoiseLevels:
    """The noise levels of a model's network, which is loaded only if its file does not tell."""
    family = family_of(model)
    if not isinstance(family, LevelFamily):
        return denoiser(model, models, device).levels
    levels, shift = family.levels(replace(model, patches=())), shift_of(model.patches)
    return levels if shift is None else shifted_levels(levels, shift)


def there(recipe: Recipe) -> Recipe:
    """The recipe, if its file holds its part: `load_model` also opens files that lack one.

    Raises:
        InputError: It does not.
    """
    if not Path(recipe.path).is_dir():
        inspect_part(Path(recipe.path), recipe.part)
    return recipe


@lowering
def text_model(encoder: Recipe, models: ModelMemory, device: Device) -> TextModel:
    """Tokenizer and text encoder of a model, with what is laid over them."""
    family = family_of(encoder)
    plain = replace(encoder, patches=())
    laying = Laying(encoder.patches)

    def load(place: Device) -> TextModel:
        return family.load_text_model(there(plain), place)

    if _streams_to_gpu(plain, models, device):
        stream = _stream_to_gpu(plain, models, device)

        def streamed() -> TextModel:
            whole = load(Resting("cpu", device.precision))
            return _laid_over(whole, encoder, laying).changed(stream)

        return models.get(encoder, device, streamed, lambda _: stream.held)
    base = _kept(plain, models, device, load)
    if not encoder.patches:
        return base
    return models.get(
        encoder, device, lambda: _laid_over(base, encoder, laying), lambda _: laying.fresh
    )


def _laid_over(plain: TextModel, encoder: Recipe, laying: Laying) -> TextModel:
    """A text model with what a recipe lays over it."""
    found = plain.changed(laying) if encoder.patches else plain
    words = [Embedding.read(patch) for patch in encoder.patches if patch.kind == EMBEDDING]
    left_out = [patch.amount for patch in encoder.patches if patch.kind == CLIP_SKIP]
    found = found.with_words(words) if words else found
    return found.without_layers(int(left_out[-1])) if left_out else found


@lowering
def autoencoder(vae: Recipe, models: ModelMemory, device: Device) -> Autoencoder:
    """The autoencoder of a model."""
    family = family_of(vae)
    return _kept(vae, models, device, lambda place: family.load_autoencoder(vae, place))


@lowering
def ip_adapter(adapter: Recipe, models: ModelMemory, device: Device) -> IpAdapter:
    """What shows pictures to a network."""
    return _kept(
        adapter,
        models,
        device,
        lambda place: read_ip_adapter(IpAdapterFile.read(Path(adapter.path)), place),
    )


@lowering
def image_encoder(encoder: Recipe, models: ModelMemory, device: Device) -> ClipVision:
    """CLIP's image encoder."""
    return _kept(
        encoder,
        models,
        device,
        lambda place: ClipVision.load(ClipVisionFile.read(Path(encoder.path)), place),
    )


@lowering
def control_network(control: Recipe, models: ModelMemory, device: Device) -> ControlNetwork:
    """A control network."""
    family = family_of(control)
    if _streams_to_gpu(control, models, device):
        stream = _stream_to_gpu(control, models, device)

        def streamed() -> ControlNetwork:
            place = Resting("cpu", device.precision)
            return family.load_control(control, place).changed(stream)

        return models.get(control, device, streamed, lambda _: stream.held)
    return _kept(control, models, device, lambda place: family.load_control(control, place))


def _streams_to_gpu(plain: Recipe, models: ModelMemory, device: Device) -> bool:
    return device.name != "cpu" and models.streams(device, expected_bytes(plain, device)())


def _stream_to_gpu(plain: Recipe, models: ModelMemory, device: Device) -> StreamingToGpu:
    """What lets a part stream to a GPU, after it is said why."""
    _say_larger(plain, models, device, "its blocks are streamed from RAM, which takes longer")
    return StreamingToGpu(device)


def _streamed_to_gpu(model: Recipe, models: ModelMemory, device: Device) -> Denoiser:
    """A network larger than models may be on a GPU. It is changed while it streams, so it shares
    nothing with the same network under other patches."""
    plain = replace(model, patches=())
    stream = _stream_to_gpu(plain, models, device)

    def load() -> Denoiser:
        whole = family_of(model).load_denoiser(plain, Resting("cpu", device.precision))
        return whole.changed(Laying(model.patches)).changed(stream)

    return models.get(model, device, load, lambda _: stream.held)


def _say_larger(recipe: Recipe, models: ModelMemory, device: Device, so: str) -> None:
    """Say in the node's log what a part is too large for, and what is done; nothing if it is not:
    whoever lets it stream then has said why."""
    size, budget = expected_bytes(recipe, device)(), models.budget_of(device)
    if size <= budget:
        return
    setting = "NODEFLOW_MODEL_MEMORY" if device.name == "cpu" else "NODEFLOW_DEVICE_MODEL_MEMORY"
    print(
        f"The {recipe.part.replace('_', ' ')} of {Path(recipe.path).name} takes "
        f"{ByteSize(size).human_readable()}, and models may take "
        f"{ByteSize(budget).human_readable()} on {device.name} ({setting}): {so}."
    )
