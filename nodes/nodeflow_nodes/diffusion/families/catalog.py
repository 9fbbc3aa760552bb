"""Which family reads which diffusers folder, and which parts the folder must have.

Kept apart from the families themselves so that a folder can be checked without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FolderLayout:
    """The diffusers folder of a family.

    Attributes:
        family: Name of the family, as in a Recipe.
        pipelines: The `_class_name`s in `model_index.json` that it reads.
        weights: Folder of each part with weights to the stem of its file.
        configs: Further JSON files the family reads.
        vocabularies: Files of the tokenizer; one of these sets must be there.
        denoiser: Which of the parts is the network that denoises.
        predictions: What its network may have been trained to predict, as `prediction_type` says.
    """

    family: str
    pipelines: tuple[str, ...]
    weights: Mapping[str, str]
    configs: tuple[str, ...]
    vocabularies: tuple[tuple[str, ...], ...]
    denoiser: str
    predictions: tuple[str, ...]


CATALOG: tuple[FolderLayout, ...] = (
    FolderLayout(
        family="stable_diffusion",
        pipelines=("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"),
        weights={
            "unet": "diffusion_pytorch_model",
            "vae": "diffusion_pytorch_model",
            "text_encoder": "model",
        },
        configs=("scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json"),
        vocabularies=(
            ("tokenizer/tokenizer.json",),
            ("tokenizer/vocab.json", "tokenizer/merges.txt"),
        ),
        denoiser="unet",
        predictions=("epsilon", "v_prediction"),
    ),
)
