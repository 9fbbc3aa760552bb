"""CLIPs and T5 beside each other, any of which may be missing, out of one file or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from nodeflow import Conditioning, Device, Recipe
from nodeflow_nodes.diffusion.families.catalog import FolderLayout
from nodeflow_nodes.diffusion.families.changes import Change
from nodeflow_nodes.diffusion.families.clip_text import ClipText
from nodeflow_nodes.diffusion.families.clip_vocabulary import clip_tokenizer
from nodeflow_nodes.diffusion.families.embeddings import Embedding
from nodeflow_nodes.diffusion.families.pretrained import load_part
from nodeflow_nodes.diffusion.families.single_file import read_clip
from nodeflow_nodes.diffusion.families.stable_diffusion import OPEN_CLIP_PADDING
from nodeflow_nodes.diffusion.families.t5_text import T5Text
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.text_encoder_keys import (
    CLIP_G,
    T5,
    TEXT_WIDTH,
    encoder_prefixes,
    t5_vocabulary,
)
from nodeflow_nodes.diffusion.folders import present_parts, weight_variant
from nodeflow_nodes.diffusion.headers import read_config


@dataclass(frozen=True)
class TextParts:
    """The text encoders that a recipe has.

    Attributes:
        clips: Those of `CLIP_L` and `CLIP_G` that are there.
        t5: T5, if it is there.
        device: Where they sit.
    """

    clips: Mapping[str, ClipText]
    t5: T5Text | None
    device: str

    @classmethod
    def load(
        cls,
        recipe: Recipe,
        device: Device,
        layout: FolderLayout,
        folders: Mapping[str, str],
        t5_tokens: int,
        projected: bool = False,
    ) -> TextParts:
        """Read all that the files of a recipe hold.

        Args:
            recipe: A whole model, text encoders alone, or a folder.
            device: Where they go.
            layout: Of folders.
            folders: A text encoder's folder to which of them it is.
            t5_tokens: Number of tokens that T5's prompts are filled up to.
            projected: CLIPs in folders have a projection that gives pooled states.
        """
        clips: dict[str, ClipText] = {}
        t5: T5Text | None = None
        for path in map(Path, (recipe.path, *recipe.files)):
            if path.is_dir():
                places = {folders[p]: p for p in present_parts(path, layout) if p in folders}
                for name, part in places.items():
                    if name == T5:
                        t5 = _t5_of_folder(path, layout, part, device, t5_tokens)
                    else:
                        clips[name] = _clip_of_folder(path, layout, part, device, projected)
                continue
            table = TensorTable.read(path)
            for name, prefix in encoder_prefixes(table).items():
                if name == T5:
                    t5 = T5Text.read(table, prefix, t5_vocabulary(path), device, t5_tokens)
                else:
                    clips[name] = _clip_of_file(table, prefix, name, device)
        return cls(clips, t5, device.name)

    @property
    def size(self) -> int:
        return sum(part.size for part in (*self.clips.values(), self.t5) if part is not None)

    def heard_by(
        self, path: Path, takers: Callable[[TensorTable], tuple[str, str] | None], pooled: int
    ) -> tuple[int, int]:
        """Length of the hidden and of the pooled states that the network beside them takes.

        Args:
            path: The file or folder of the encoders.
            takers: Names of the tensors that take them, of the network in a file if there is one.
            pooled: Length of pooled states where no network says it.
        """
        if path.is_dir():
            config = read_config(path / "transformer" / "config.json")
            return int(config["joint_attention_dim"]), int(config["pooled_projection_dim"])
        table = TensorTable.read(path)
        names = takers(table)
        if names is not None:
            return table.shape(names[0])[1], table.shape(names[1])[1]
        return TEXT_WIDTH if self.t5 is None else self.t5.width, pooled


class TextEncoders:
    """What families share that take such encoders; each says how it puts the states together."""

    def __init__(self, parts: TextParts) -> None:
        """The encoders that are there."""
        self.parts = parts

    @property
    def size(self) -> int:
        return self.parts.size

    def changed(self, change: Change) -> Self:
        """See `TextModel.changed`."""
        parts = self.parts
        return self._with(
            {name: clip.changed(change, name) for name, clip in parts.clips.items()},
            None if parts.t5 is None else parts.t5.changed(change),
        )

    def with_words(self, words: Sequence[Embedding]) -> Self:
        """See `TextModel.with_words`."""
        parts = self.parts
        return self._with(
            {name: clip.with_words(words, name) for name, clip in parts.clips.items()},
            None if parts.t5 is None else parts.t5.with_words(words),
        )

    def without_layers(self, count: int) -> Self:
        """See `TextModel.without_layers`; T5 keeps all of its own."""
        clips = {name: clip.without_layers(count) for name, clip in self.parts.clips.items()}
        return self._with(clips, self.parts.t5)

    def encode(self, prompt: str) -> Conditioning:
        """What a prompt means."""
        raise NotImplementedError

    def _with(self, clips: Mapping[str, ClipText], t5: T5Text | None) -> Self:
        other = copy(self)
        other.parts = replace(self.parts, clips=clips, t5=t5)
        return other


def _clip_of_folder(
    path: Path, layout: FolderLayout, part: str, device: Device, projected: bool
) -> ClipText:
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    encoder = load_part(
        kind.from_pretrained, path / part, device, weight_variant(path, layout, part)
    )
    tokenizer = CLIPTokenizer.from_pretrained(path / layout.tokenizers[part], local_files_only=True)
    return ClipText(tokenizer, encoder, device, penultimate=True, pooling=True)


def _clip_of_file(table: TensorTable, prefix: str, name: str, device: Device) -> ClipText:
    # OpenAI's has a projection in few files, and in those of these families it is none.
    big = name == CLIP_G
    encoder = read_clip(table, prefix, device, projected=big, exact=big)
    padding = OPEN_CLIP_PADDING if big else None
    return ClipText(
        clip_tokenizer(), encoder, device, penultimate=True, padding=padding, pooling=True
    )


def _t5_of_folder(
    path: Path, layout: FolderLayout, part: str, device: Device, tokens: int
) -> T5Text:
    variant = weight_variant(path, layout, part)
    return T5Text.load(path / part, path / layout.tokenizers[part], device, variant, tokens)
