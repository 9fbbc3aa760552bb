"""A byte-pair vocabulary in CLIP's file format, trained on the captions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
POSITIONS = 24
# CLIP's own splitting of text into words, before the byte pairs are merged.
WORDS = Regex(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)


def train_merges(texts: Iterable[str], size: int) -> list[tuple[str, str]]:
    """Byte pairs in the order of their merging, for a vocabulary of about `size`."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(WORDS, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def vocabulary(merges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Token numbers in CLIP's order: bytes, bytes that end a word, merges, the two marks.

    Every byte is in it, so no text is out of the vocabulary.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *(byte + "</w>" for byte in alphabet)]
    tokens += [left + right for left, right in merges]
    tokens += [START, END]
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


def build_tokenizer(merges: list[tuple[str, str]]) -> CLIPTokenizer:
    return CLIPTokenizer(
        vocab=vocabulary(merges),
        merges=merges,  # type: ignore[arg-type]  # pairs, as the library itself stores them
        model_max_length=POSITIONS,
        clean_up_tokenization_spaces=False,
    )


def save_tokenizer(merges: list[tuple[str, str]], folder: Path) -> None:
    """The files of transformers and CLIP's classic pair `vocab.json` and `merges.txt`."""
    build_tokenizer(merges).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary(merges), ensure_ascii=False))
    lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n")
