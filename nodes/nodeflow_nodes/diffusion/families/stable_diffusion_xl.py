"""Stable Diffusion XL (Podell et al. 2023, arXiv 2307.01952): its base and its refiner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from nodeflow import Conditioning, Device, InputError, Recipe
from nodeflow_nodes.diffusion.families import latent_colours
from nodeflow_nodes.diffusion.families.changes import Change
from nodeflow_nodes.diffusion.families.clip_text import ClipText
from nodeflow_nodes.diffusion.families.clip_vocabulary import clip_tokenizer
from nodeflow_nodes.diffusion.families.embeddings import Embedding
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.families.pretrained import load_part
from nodeflow_nodes.diffusion.families.single_file import carried_config, read_clip
from nodeflow_nodes.diffusion.families.stable_diffusion import (
    OPEN_CLIP_PADDING,
    StableDiffusion,
    StableDiffusionDenoiser,
)
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import text_prefixes
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.folders import layout_of, present_parts

_SCORES = {False: 6.0, True: 2.5}
"""The refiner's aesthetic score for positive and for negative prompts."""


@dataclass(frozen=True)
class StableDiffusionXlDenoiser(StableDiffusionDenoiser):
    """The network, told the picture's size and place besides the prompt.

    It reads of a prompt's extra numbers: `width` and `height` of the picture that it is to seem
    cut from, `crop_left` and `crop_top` of the cut, `target_width` and `target_height` that
    it is to seem made for, all in pixels; and `aesthetic_score`, 0 to 10, if it is a refiner. Sizes
    that are not given are those of the picture itself, cuts are at 0.
    """

    def defaults(self, negative: bool) -> Mapping[str, float]:
        return {"aesthetic_score": _SCORES[negative]}

    def added(self, x: Tensor, prompt: PromptBatch) -> dict[str, Tensor]:
        """Pooled states and the numbers, in the order of training."""
        if prompt.pooled is None:
            raise InputError(
                "the prompt has no pooled states, which this model needs; encode it with the text "
                "encoder of the same model"
            )
        config = self.network.config
        count = (
            config["projection_class_embeddings_input_dim"] - prompt.pooled.shape[1]
        ) // config["addition_time_embed_dim"]
        height, width = (float(side * self.downscale) for side in x.shape[2:])
        sizes = {"height": height, "width": width, "crop_top": 0.0, "crop_left": 0.0}
        targets = {"target_height": height, "target_width": width}
        if count == len(sizes) + len(targets):
            values = {**sizes, **targets}
        elif count == len(sizes) + 1:
            values = {**sizes, "aesthetic_score": _SCORES[False]}
        else:
            raise InputError(
                f"the prompt has pooled states of length {prompt.pooled.shape[1]}, which does not "
                "fit this model; encode it with the text encoder of the same model"
            )
        columns = [
            prompt.extra.get(name, torch.full((len(x),), value)) for name, value in values.items()
        ]
        return {
            "text_embeds": prompt.pooled.to(x.device, self.network.dtype),
            # In float32: half precision does not hold every number of pixels.
            "time_ids": torch.stack(columns, dim=1).to(x.device),
        }


class ClipTexts:
    """Several text encoders beside each other; the last one has pooled states."""

    def __init__(self, encoders: Sequence[ClipText]) -> None:
        self._encoders = encoders
        self.size = sum(encoder.size for encoder in encoders)

    def changed(self, change: Change) -> ClipTexts:
        return ClipTexts([one.changed(change, part) for part, one in self._by_part()])

    def with_words(self, words: Sequence[Embedding]) -> ClipTexts:
        return ClipTexts([one.with_words(words, part) for part, one in self._by_part()])

    def without_layers(self, count: int) -> ClipTexts:
        return ClipTexts([one.without_layers(count) for one in self._encoders])

    def _by_part(self) -> Iterable[tuple[str, ClipText]]:
        """A refiner's only encoder is the second of the base."""
        parts = ("text_encoder", "text_encoder_2")[-len(self._encoders) :]
        return zip(parts, self._encoders, strict=True)

    def encode(self, prompt: str) -> Conditioning:
        """Hidden states side by side: [1, chunks * positions, sum of widths]."""
        found = [encoder.states(prompt) for encoder in self._encoders]
        hidden = torch.cat([states.hidden for states in found], dim=-1)
        return Conditioning(hidden, found[-1].pooled)


class StableDiffusionXl(StableDiffusion):
    """The family; a refiner is a model of its own, with the second text encoder only."""

    name = "stable_diffusion_xl"
    tiny_decoders: tuple[str, ...] = ("taesdxl_decoder", "taesdxl")
    colours: latent_colours.Colours = latent_colours.STABLE_DIFFUSION_XL
    denoiser = StableDiffusionXlDenoiser

    def load_text_model(self, recipe: Recipe, device: Device) -> ClipTexts:
        """CLIP and OpenCLIP, or OpenCLIP alone."""
        found: list[ClipText] = []
        for path in map(Path, (recipe.path, *recipe.files)):
            read = self._from_folder if path.is_dir() else self._from_file
            found += read(path, device)
        return ClipTexts(found)

    def config(self, table: TensorTable) -> dict[str, Any]:
        """What the shapes in a single file do not tell."""
        return carried_config(self.name)

    def _from_folder(self, path: Path, device: Device) -> list[ClipText]:
        layout = layout_of(self.name)
        encoders = []
        for part in present_parts(path, layout):
            if part not in layout.tokenizers:
                continue
            kind = CLIPTextModelWithProjection if part == "text_encoder_2" else CLIPTextModel
            encoder = load_part(kind.from_pretrained, path / part, device, self.variant(path, part))
            tokenizer = CLIPTokenizer.from_pretrained(
                path / layout.tokenizers[part], local_files_only=True
            )
            encoders.append(ClipText(tokenizer, encoder, device, penultimate=True))
        return encoders

    def _from_file(self, path: Path, device: Device) -> list[ClipText]:
        table = TensorTable.read(path)
        encoders = []
        for prefix in text_prefixes(table):
            open_clip = f"{prefix}token_embedding.weight" in table
            projected = open_clip or f"{prefix}text_projection.weight" in table
            encoder = read_clip(table, prefix, device, projected=projected)
            padding = OPEN_CLIP_PADDING if projected else None
            encoders.append(
                ClipText(clip_tokenizer(), encoder, device, penultimate=True, padding=padding)
            )
        return encoders
