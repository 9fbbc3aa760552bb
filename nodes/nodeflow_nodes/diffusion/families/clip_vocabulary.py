"""CLIP's tokenizer from the vocabulary that is carried along, so that nothing is fetched."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from transformers import CLIPTokenizer

_FILE = Path(__file__).parent / "vocabulary" / "bpe_simple_vocab_16e6.txt.gz"
_MERGES = 49152 - 256 - 2
_POSITIONS = 77


@lru_cache(maxsize=1)
def clip_tokenizer() -> CLIPTokenizer:
    """The tokenizer of every CLIP: 256 bytes, each also as the end of a word, merges, two marks."""
    lines = gzip.decompress(_FILE.read_bytes()).decode().split("\n")
    merges = [(first, second) for first, second in map(str.split, lines[1 : _MERGES + 1])]
    letters = _byte_letters()
    tokens = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        *(first + second for first, second in merges),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    # Its annotation says lines, and pairs are what it takes.
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,  # type: ignore[arg-type]
        model_max_length=_POSITIONS,
    )


def _byte_letters() -> list[str]:
    """A printable letter for each byte (Radford et al. 2019), those that are printable first."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    others = range(256, 256 + 256 - len(printable))
    return [chr(code) for code in (*printable, *others)]
