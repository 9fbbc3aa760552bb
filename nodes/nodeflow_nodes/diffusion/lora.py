"""LoRA: small files that change what a model draws, laid over its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import Field

from nodeflow import File, Model, Patch, Recipe, TextEncoder, node
from nodeflow_nodes.diffusion.families.lora_layers import DENOISER, LORA, TEXT_ENCODERS, LoraFile
from nodeflow_nodes.diffusion.inspection import file_digest
from nodeflow_nodes.diffusion.lora_checks import (
    check_lora,
    check_lora_model,
    lora_facts,
    lora_model_facts,
)

R = TypeVar("R", bound=Recipe)
Strength = Annotated[float, Field(ge=-20, le=20)]


class WithLora(NamedTuple):
    """The parts of a model with a LoRA laid over them.

    Attributes:
        model: The network.
        text_encoder: The text encoder.
    """

    model: Model
    text_encoder: TextEncoder


@node(title="Load LoRA", category="models", check=check_lora, facts=lora_facts)
def load_lora(
    model: Model,
    text_encoder: TextEncoder,
    file: Annotated[Path, File("loras")],
    strength_model: Strength = 1.0,
    strength_text: Strength = 1.0,
) -> WithLora:
    """Lay a LoRA over a model. Several are laid over each other by several of these nodes.

    The model's own weights stay as they are, so whatever does not pass through this node draws as
    before.

    Args:
        model: The network to change.
        text_encoder: The text encoder to change; many files have nothing for it.
        file: A safetensors file in one of the LoRA folders, as kohya's scripts, LyCORIS (LoCon,
            LoHa, LoKr), diffusers or peft write it.
        strength_model: How strongly the network is changed: 1 as it was trained, 0 not at all.
        strength_text: How strongly the text encoder is changed.
    """
    lora = LoraFile.read(file)
    check_lora(_known(model), _known(text_encoder), file, strength_text)
    return WithLora(
        _patched(model, lora, strength_model, DENOISER),
        _patched(text_encoder, lora, strength_text, *TEXT_ENCODERS),
    )


@node(
    title="Load LoRA (model only)",
    category="models",
    check=check_lora_model,
    facts=lora_model_facts,
)
def load_lora_model(
    model: Model,
    file: Annotated[Path, File("loras")],
    strength: Strength = 1.0,
    noise: Literal["all", "high", "low"] = "all",
) -> Model:
    """Lay a LoRA over a network alone; what the file has for text encoders is left out.

    Args:
        model: The network to change.
        file: A safetensors file in one of the LoRA folders.
        strength: How strongly the network is changed: 1 as it was trained, 0 not at all.
        noise: Of a model with a network for high and one for low noise, such as Wan 2.2, which is
            changed; its files come in pairs.
    """
    check_lora_model(_known(model), file, noise)
    network = "" if noise == "all" else noise
    return _patched(model, LoraFile.read(file), strength, DENOISER, network=network)


def _known(model: Recipe) -> dict[str, str]:
    """What can be checked once more when the node runs."""
    return {"family": model.family, "folder": model.path}


def _patched(recipe: R, lora: LoraFile, strength: float, *parts: str, network: str = "") -> R:
    """The recipe itself if the LoRA changes nothing, so that nothing is computed again."""
    if strength == 0 or not any(lora.layers.get(part) for part in parts):
        return recipe
    path = lora.table.path
    patch = Patch(LORA, strength, file_digest(path), network, str(path))
    return replace(recipe, patches=(*recipe.patches, patch))
