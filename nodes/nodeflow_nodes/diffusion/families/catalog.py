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
        tokenizers: Text encoder to the folder of its tokenizer. `model_index.json` may say null for
            a text encoder, then both are absent.
        vocabularies: Files of a tokenizer; one of these sets must be there.
        denoiser: Which of the parts is the network that denoises.
        text_width: What the network's config calls the length of the hidden states that it takes.
        predictions: What its network may have been trained to predict, as `prediction_type` says;
            the first is taken where the scheduler's config is silent.
    """

    family: str
    pipelines: tuple[str, ...]
    weights: Mapping[str, str]
    tokenizers: Mapping[str, str]
    vocabularies: tuple[tuple[str, ...], ...]
    denoiser: str
    text_width: str
    predictions: tuple[str, ...]


_CLIP_VOCABULARIES = (
    ("tokenizer_config.json", "tokenizer.json"),
    ("tokenizer_config.json", "vocab.json", "merges.txt"),
)

CATALOG: tuple[FolderLayout, ...] = (
    FolderLayout(
        family="stable_diffusion",
        pipelines=(
            "StableDiffusionPipeline",
            "StableDiffusionImg2ImgPipeline",
            "StableDiffusionInpaintPipeline",
        ),
        weights={
            "unet": "diffusion_pytorch_model",
            "vae": "diffusion_pytorch_model",
            "text_encoder": "model",
        },
        tokenizers={"text_encoder": "tokenizer"},
        vocabularies=_CLIP_VOCABULARIES,
        denoiser="unet",
        text_width="cross_attention_dim",
        predictions=("epsilon", "v_prediction"),
    ),
    FolderLayout(
        family="stable_diffusion_xl",
        pipelines=(
            "StableDiffusionXLPipeline",
            "StableDiffusionXLImg2ImgPipeline",
            "StableDiffusionXLInpaintPipeline",
        ),
        weights={
            "unet": "diffusion_pytorch_model",
            "vae": "diffusion_pytorch_model",
            "text_encoder": "model",
            "text_encoder_2": "model",
        },
        tokenizers={"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2"},
        vocabularies=_CLIP_VOCABULARIES,
        denoiser="unet",
        text_width="cross_attention_dim",
        predictions=("epsilon", "v_prediction"),
    ),
)
