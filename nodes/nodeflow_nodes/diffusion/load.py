"""`load_model`: a model folder as recipes. No weights are read before somebody needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

from nodeflow import File, Model, Recipe, TextEncoder, Vae, node
from nodeflow_nodes.diffusion.hooks import model_facts
from nodeflow_nodes.diffusion.inspection import inspect_folder


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
        file: A folder in diffusers layout, in one of the checkpoint folders.
    """
    folder = inspect_folder(file)

    def part(name: str) -> Recipe:
        return Recipe(str(file), folder.digest, name, folder.family)

    return LoadedModel(Model(part("denoiser")), TextEncoder(part("text_encoder")), Vae(part("vae")))
