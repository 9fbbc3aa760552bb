"""The encoder of T5 (Raffel et al. 2020, version 1.1): prompts of any length, with weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.embeddings import Embedding, Words
from nodeflow_nodes.diffusion.families.lora_weights import twin
from nodeflow_nodes.diffusion.families.pretrained import load_part, weight_bytes
from nodeflow_nodes.diffusion.families.sentence_piece import SentencePieces
from nodeflow_nodes.diffusion.families.shapes import count
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.text_encoder_keys import T5, T5_WORDS, VOCABULARIES
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights
from nodeflow_nodes.diffusion.prompts import Call, parse_weights, split_calls


class T5Text:
    """Tokenizer and encoder."""

    def __init__(
        self, tokenizer: Tokenizer, encoder: T5EncoderModel, device: Device, length: int
    ) -> None:
        """A tokenizer and its encoder.

        Args:
            tokenizer: That of T5.
            encoder: The network, on its device.
            device: Where it sits.
            length: Number of tokens that shorter prompts are filled up to.
        """
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._device = device.name
        self._length = length
        self._learned: dict[str, list[int]] = {}
        self.size = weight_bytes(encoder)
        self.width = int(encoder.config.d_model)

    @classmethod
    def load(
        cls, folder: Path, vocabulary: Path, device: Device, variant: str | None, length: int
    ) -> T5Text:
        """Read the encoder's part of a diffusers folder.

        Args:
            folder: With config and weights.
            vocabulary: Folder of the tokenizer.
            device: Where it goes.
            variant: `fp16` if only such weights are there.
            length: As in the constructor.
        """
        encoder = load_part(T5EncoderModel.from_pretrained, folder, device, variant)
        file = next(f for name in VOCABULARIES if (f := vocabulary / name).is_file())
        return cls(read_tokenizer(file, encoder.config.vocab_size), encoder, device, length)

    @classmethod
    def read(
        cls, table: TensorTable, prefix: str, vocabulary: Path, device: Device, length: int
    ) -> T5Text:
        """Read it out of a single file; `vocabulary` is the tokenizer's file."""
        what = f"the T5 text encoder in {table.path}"
        state = read_weights(table, prefix, device)
        for name in T5_WORDS:
            if name in state:
                state |= dict.fromkeys(T5_WORDS, state[name])
        try:
            config = _config(state)
        except KeyError as error:
            raise InputError(
                f"{what} lacks the tensor {error}; fetch the file again, or choose another"
            ) from error
        tokenizer = read_tokenizer(vocabulary, config.vocab_size)
        encoder = assembled(lambda: T5EncoderModel(config), lambda _: state, device, what)
        return cls(tokenizer, encoder, device, length)

    def changed(self, change: Change) -> T5Text:
        """The same with another encoder; see `TextModel.changed`."""
        other = copy(self)
        other._encoder = change(Part(T5, self._encoder))
        return other

    def with_words(self, words: Sequence[Embedding]) -> T5Text:
        """The same with learned words. Most files have them for CLIP alone: then T5 reads over
        them."""
        network: Any = self._encoder
        table = network.get_input_embeddings()
        vectors: list[Tensor] = []
        learned: dict[str, list[int]] = {}
        for word in words:
            found = word.fitting(T5, self.width) if T5 in word.vectors else ()
            learned[word.name] = [-len(vectors) - place - 1 for place in range(len(found))]
            vectors += found
        other = copy(self)
        other._learned = learned
        if vectors:
            changed: Any = twin(self._encoder, ())
            changed.set_input_embeddings(Words(table, torch.stack(vectors).to(table.weight)))
            other._encoder = changed
        return other

    @torch.no_grad()
    def states(self, prompt: str) -> Tensor:
        """Hidden states of a prompt, float32 [1, token, width], its weights heeded.

        A weight w moves a token's state z to z_empty + w (z - z_empty), where z_empty is the state
        at that position for an empty prompt of the same length.
        """
        ids: list[int] = []
        weights: list[float] = []
        for piece in parse_weights(prompt):
            found = self._numbers(piece.text)
            ids += found
            weights += [piece.weight] * len(found)
        length = max(self._length, len(ids) + 1)
        hidden = self._run(ids, length)
        if any(weight != 1 for weight in weights):
            empty = self._run([], length)
            scale = torch.tensor([*weights, *[1.0] * (length - len(weights))], device=hidden.device)
            scale = scale.unsqueeze(-1)
            hidden = torch.where(scale == 1, hidden, empty + scale * (hidden - empty))
        return hidden

    def _numbers(self, text: str) -> list[int]:
        """A stretch of a prompt as tokens, those of learned words below 0."""
        ids: list[int] = []
        for piece in split_calls(text, self._learned):
            if isinstance(piece, Call):
                ids += self._learned[piece.name]
            else:
                ids += self._tokenizer.encode(piece, add_special_tokens=False).ids
        return ids

    def _run(self, ids: Sequence[int], length: int) -> Tensor:
        config = self._encoder.config
        padding = [config.pad_token_id] * (length - len(ids) - 1)
        whole = torch.tensor([[*ids, config.eos_token_id, *padding]], device=self._device)
        hidden: Tensor = self._encoder(whole).last_hidden_state
        return hidden.float()


def read_tokenizer(file: Path, words: int) -> Tokenizer:
    """The tokenizer out of a `tokenizer.json` or a `spiece.model`.

    Args:
        file: Either of them.
        words: How many words the encoder knows.

    Raises:
        InputError: It is damaged, or has more words.
    """
    if file.suffix == ".json":
        try:
            tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:  # whatever the library makes of what it cannot read
            raise InputError(
                f"the vocabulary {file} cannot be read ({error}); fetch it again"
            ) from error
    else:
        found = SentencePieces.read(file)
        tokenizer = T5Tokenizer(
            vocab=list(found.pieces),
            _spm_precompiled_charsmap=found.characters or None,
            extra_ids=0,
        ).backend_tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if tokenizer.get_vocab_size() > words:
        raise InputError(
            f"the vocabulary {file} has {tokenizer.get_vocab_size()} words and the text encoder "
            f"knows {words}; put that of T5 beside the encoder"
        )
    return tokenizer


def _config(state: Mapping[str, Tensor]) -> T5Config:
    """Config by the shapes of the weights."""
    words, attention = state[T5_WORDS[0]], "encoder.block.0.layer.0.SelfAttention."
    buckets, heads = state[f"{attention}relative_attention_bias.weight"].shape
    inner = "encoder.block.0.layer.1.DenseReluDense."
    gated = f"{inner}wi_0.weight" in state
    return T5Config(
        vocab_size=words.shape[0],
        d_model=words.shape[1],
        d_kv=state[f"{attention}q.weight"].shape[0] // heads,
        d_ff=state[f"{inner}wi_0.weight" if gated else f"{inner}wi.weight"].shape[0],
        num_layers=count(state, r"encoder\.block\.(\d+)\."),
        num_heads=heads,
        relative_attention_num_buckets=buckets,
        feed_forward_proj="gated-gelu" if gated else "relu",
    )
