"""Models as recipes, whole and in parts. No weights are read before somebody needs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

from nodeflow import File, Model, Recipe, TextEncoder, Vae, node
from nodeflow_nodes.diffusion.families.text_sets import TextFamily
from nodeflow_nodes.diffusion.hooks import (
    denoiser_facts,
    model_facts,
    text_encoder_facts,
    vae_facts,
)
from nodeflow_nodes.diffusion.inspection import (
    inspect_part,
    inspect_text_encoders,
    inspect_whole,
    text_digest,
)
from nodeflow_nodes.diffusion.model_file import ModelFile


class LoadedModel(NamedTuple):
    """The parts of a model.

    Attributes:
        model: The network that denoises.
        text_encoder: Tokenizer and text encoder.
        vae: The autoencoder between pictures and latents.
    """

    model: Model
    text_encoder: TextEncoder
    vae: Vae


@node(category="models", facts=model_facts)
def load_model(
    file: Annotated[Path, File("checkpoints", folder=True)] = Path("emoji"),
) -> LoadedModel:
    """Open a text-to-image model.

    Args:
        file: A safetensors file, or a folder in diffusers layout, in one of the checkpoint folders.
            What kind of model it is shows in the file itself. A file may lack the text encoder or
            the autoencoder if nothing uses it: take it from `load_text_encoder` or `load_vae`.
    """
    model = inspect_whole(file)
    return LoadedModel(
        Model(_recipe(model, "denoiser")),
        TextEncoder(replace(_recipe(model, "text_encoder"), digest=text_digest(model))),
        Vae(_recipe(model, "vae")),
    )


@node(category="models", facts=denoiser_facts)
def load_denoiser(file: Annotated[Path, File("diffusion_models", folder=True)]) -> Model:
    """Open only the network of a model.

    Args:
        file: A safetensors file with the network, alone or in a whole model, or a folder in
            diffusers layout.
    """
    return Model(_recipe(inspect_part(file, "denoiser"), "denoiser"))


@node(category="models", facts=text_encoder_facts)
def load_text_encoder(
    file: Annotated[Path, File("text_encoders", folder=True)],
    second: Annotated[Path, File("text_encoders", folder=True)] | None = None,
    third: Annotated[Path, File("text_encoders", folder=True)] | None = None,
    family: TextFamily = "auto",
) -> TextEncoder:
    """Open only the text encoder of a model.

    Args:
        file: A safetensors file with the text encoder, alone or in a whole model, or a folder in
            diffusers layout.
        second: Another such file, for models with two text encoders; the order does not matter.
        third: And another, for models with three.
        family: Which models it is for. The files tell, but for CLIP-L and CLIP-G without T5, which
            are taken for Stable Diffusion XL's and may be those of 3, and for one text encoder of
            several: what is missing then says nothing.
    """
    found = inspect_text_encoders(file, second, third, family="" if family == "auto" else family)
    first, *others = found.models
    return TextEncoder(
        Recipe(
            str(first.path),
            text_digest(*found.models),
            "text_encoder",
            found.family,
            files=tuple(str(model.path) for model in others),
        )
    )


@node(title="Load VAE", category="models", facts=vae_facts)
def load_vae(file: Annotated[Path, File("vae", folder=True)]) -> Vae:
    """Open only the autoencoder of a model.

    Args:
        file: A safetensors file with the autoencoder, alone or in a whole model, or a folder in
            diffusers layout.
    """
    return Vae(_recipe(inspect_part(file, "vae"), "vae"))


def _recipe(model: ModelFile, part: str) -> Recipe:
    return Recipe(str(model.path), model.digest, part, model.family)
