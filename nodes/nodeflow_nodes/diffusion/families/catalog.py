"""Which family reads which diffusers folder, and which parts the folder must have.

Kept apart from the families themselves so that a folder can be checked without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Configs = Mapping[str, Mapping[str, Any]]
"""Folders of text encoders to their configs."""


def side_by_side(texts: Configs) -> int | None:
    """Width of states that lie beside each other."""
    return sum(int(config.get("hidden_size", 0)) for config in texts.values())


def of_t5(part: str) -> Callable[[Configs], int | None]:
    """Width of what T5 in a folder makes; unknown without it, since zeros stand in for it."""
    return lambda texts: int(texts[part].get("d_model", 0)) if part in texts else None


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
        text_made: Length of the hidden states that text encoders of these configs make; None if
            that cannot be told.
        packed: Latent pixels that the network takes as one.
    """

    family: str
    pipelines: tuple[str, ...]
    weights: Mapping[str, str]
    tokenizers: Mapping[str, str]
    vocabularies: tuple[tuple[str, ...], ...]
    denoiser: str
    text_width: str
    predictions: tuple[str, ...]
    text_made: Callable[[Configs], int | None] = side_by_side
    packed: int = 1


_CLIP_VOCABULARIES = (
    ("tokenizer_config.json", "tokenizer.json"),
    ("tokenizer_config.json", "vocab.json", "merges.txt"),
)
_VOCABULARIES = (*_CLIP_VOCABULARIES, ("tokenizer_config.json", "spiece.model"))

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
    FolderLayout(
        family="stable_diffusion_3",
        pipelines=(
            "StableDiffusion3Pipeline",
            "StableDiffusion3Img2ImgPipeline",
            "StableDiffusion3InpaintPipeline",
        ),
        weights={
            "transformer": "diffusion_pytorch_model",
            "vae": "diffusion_pytorch_model",
            "text_encoder": "model",
            "text_encoder_2": "model",
            "text_encoder_3": "model",
        },
        tokenizers={
            "text_encoder": "tokenizer",
            "text_encoder_2": "tokenizer_2",
            "text_encoder_3": "tokenizer_3",
        },
        vocabularies=_VOCABULARIES,
        denoiser="transformer",
        text_width="joint_attention_dim",
        predictions=("flow",),
        text_made=of_t5("text_encoder_3"),
    ),
    FolderLayout(
        family="flux",
        pipelines=(
            "FluxPipeline",
            "FluxImg2ImgPipeline",
            "FluxInpaintPipeline",
            "FluxFillPipeline",
        ),
        weights={
            "transformer": "diffusion_pytorch_model",
            "vae": "diffusion_pytorch_model",
            "text_encoder": "model",
            "text_encoder_2": "model",
        },
        tokenizers={"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2"},
        vocabularies=_VOCABULARIES,
        denoiser="transformer",
        text_width="joint_attention_dim",
        predictions=("flow",),
        text_made=of_t5("text_encoder_2"),
        packed=4,
    ),
)
