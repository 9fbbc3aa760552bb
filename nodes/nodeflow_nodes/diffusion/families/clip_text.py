"""CLIP's text encoder: prompts of any length in chunks, with a weight for each token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from nodeflow import Conditioning, Device, InputError
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.embeddings import Embedding, Words
from nodeflow_nodes.diffusion.families.lora_weights import twin
from nodeflow_nodes.diffusion.families.pretrained import load_part, weight_bytes
from nodeflow_nodes.diffusion.prompts import Call, parse_weights, split_calls

_TORN = 8
"""Tokens that a stretch must have for a chunk to end within it, as in ComfyUI."""


@dataclass(frozen=True)
class Tokens:
    """A prompt in chunks as long as the encoder has positions.

    Attributes:
        ids: int64 [chunk, position], each with its start mark, end mark and padding.
        weights: float32 [chunk, position]; 1 where nothing is to be scaled.
    """

    ids: Tensor
    weights: Tensor


@dataclass(frozen=True)
class States:
    """What a text encoder makes of a prompt.

    Attributes:
        hidden: float32 [1, chunks * positions, width].
        pooled: float32 [1, projected width] of the first chunk, from encoders that are asked for
            it and from those with a projection.
    """

    hidden: Tensor
    pooled: Tensor | None


class ClipText:
    """Tokenizer and text encoder of one model."""

    def __init__(
        self,
        tokenizer: CLIPTokenizer,
        encoder: CLIPTextModel | CLIPTextModelWithProjection,
        device: Device,
        *,
        penultimate: bool = False,
        padding: int | None = None,
        pooling: bool = False,
    ) -> None:
        """A tokenizer and its encoder.

        Args:
            tokenizer: CLIP's, or one like it.
            encoder: The network, on its device.
            device: Where it sits.
            penultimate: Take the hidden states before the last layer, without its norm.
            padding: Token that fills a chunk up; None for the tokenizer's own.
            pooling: Give pooled states even without a projection.
        """
        self._tokenizer = tokenizer
        self._penultimate = penultimate
        self._pooling = pooling
        self._left_out = 0
        self._learned: dict[str, list[int]] = {}
        self._padding = tokenizer.pad_token_id if padding is None else padding
        self._encoder = encoder
        self._device = device.name
        self.size = weight_bytes(encoder)
        # A tokenizer saved without its limit gives an absurd one.
        self.positions = min(tokenizer.model_max_length, encoder.config.max_position_embeddings)

    @classmethod
    def load(cls, folder: Path, device: Device, variant: str | None) -> ClipText:
        """Read `tokenizer/` and `text_encoder/` of a diffusers folder."""
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
        encoder = load_part(CLIPTextModel.from_pretrained, folder / "text_encoder", device, variant)
        return cls(tokenizer, encoder, device)

    def changed(self, change: Change, part: str = "text_encoder") -> ClipText:
        """The same with another encoder; see `TextModel.changed`."""
        other = copy(self)
        other._encoder = change(Part(part, self._encoder))
        return other

    def with_words(self, words: Sequence[Embedding], part: str = "text_encoder") -> ClipText:
        """The same with learned words; see `TextModel.with_words`."""
        table: Any = self._encoder.get_input_embeddings()
        vectors: list[Tensor] = []
        learned: dict[str, list[int]] = {}
        for word in words:
            found = word.fitting(part, table.weight.shape[-1])
            learned[word.name] = [-len(vectors) - place - 1 for place in range(len(found))]
            vectors += found
        other = copy(self)
        other._learned = learned
        other._encoder = twin(self._encoder, ())
        weight = torch.stack(vectors).to(table.weight)
        other._encoder.set_input_embeddings(Words(table, weight))
        return other

    def without_layers(self, count: int) -> ClipText:
        """The same without its last layers; see `TextModel.without_layers`."""
        layers = self._encoder.config.num_hidden_layers
        most = layers - 1 - int(self._penultimate)
        if count > most:
            raise InputError(
                f"the text encoder has {layers} layers, of which {count} cannot be left out; leave "
                f"out {most} at most"
            )
        other = copy(self)
        other._left_out = count
        return other

    def encode(self, prompt: str) -> Conditioning:
        """Hidden states of all chunks in a row: [1, chunks * positions, width]."""
        return Conditioning(self.states(prompt).hidden)

    @torch.no_grad()
    def states(self, prompt: str) -> States:
        """All that the encoder makes of a prompt.

        A weight w moves a token's state z to z_empty + w (z - z_empty), where z_empty is the state
        at that position for an empty prompt. Pooled states know no weights.
        """
        tokens = self.tokenize(prompt)
        hidden, pooled = self._run(tokens.ids)
        if bool((tokens.weights != 1).any()):
            empty, _ = self._run(self.tokenize("").ids)
            weights = tokens.weights.to(hidden.device).unsqueeze(-1)
            hidden = torch.where(weights == 1, hidden, empty + weights * (hidden - empty))
        return States(
            hidden.reshape(1, -1, hidden.shape[-1]), None if pooled is None else pooled[:1]
        )

    def tokenize(self, prompt: str) -> Tokens:
        """A prompt as chunks; an empty one is one chunk."""
        room = self.positions - 2
        chunks: list[list[tuple[int, float]]] = [[]]
        for rest in self._stretches(prompt):
            while len(chunks[-1]) + len(rest) > room:
                # A short stretch is not torn: it begins the next chunk.
                torn = len(rest) >= _TORN or not chunks[-1]
                left = room - len(chunks[-1]) if torn else 0
                chunks[-1] += rest[:left]
                rest = rest[left:]
                chunks.append([])
            chunks[-1] += rest
        return Tokens(
            torch.tensor([self._chunk([number for number, _ in chunk]) for chunk in chunks]),
            torch.tensor(
                [self._chunk_weights([weight for _, weight in chunk]) for chunk in chunks]
            ),
        )

    def _stretches(self, prompt: str) -> Iterator[list[tuple[int, float]]]:
        """Tokens and their weights, those of learned words below 0: what has one weight, or is one
        learned word."""
        for piece in parse_weights(prompt):
            for part in split_calls(piece.text, self._learned):
                if isinstance(part, Call):
                    ids = self._learned[part.name]
                else:
                    ids = self._tokenizer(part, add_special_tokens=False, verbose=False).input_ids
                yield [(number, piece.weight) for number in ids]

    def _chunk(self, ids: list[int]) -> list[int]:
        marks = self._tokenizer
        padding = [self._padding] * (self.positions - 2 - len(ids))
        return [marks.bos_token_id, *ids, marks.eos_token_id, *padding]

    def _chunk_weights(self, weights: list[float]) -> list[float]:
        return [1.0, *weights, 1.0, *[1.0] * (self.positions - 2 - len(weights))]

    def _run(self, ids: Tensor) -> tuple[Tensor, Tensor | None]:
        inner = self._penultimate or self._left_out > 0
        found = self._encoder(ids.to(self._device), output_hidden_states=inner)
        hidden: Tensor
        if self._penultimate:
            hidden = found.hidden_states[-2 - self._left_out]
        elif self._left_out:
            network: Any = getattr(self._encoder, "text_model", self._encoder)
            hidden = network.final_layer_norm(found.hidden_states[-1 - self._left_out])
        else:
            hidden = found.last_hidden_state
        pooled: Tensor | None = getattr(found, "text_embeds", None)
        if pooled is None and self._pooling:
            pooled = found.pooler_output
        return hidden.float(), None if pooled is None else pooled.float()
