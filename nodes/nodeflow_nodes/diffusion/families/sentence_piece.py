"""The vocabulary in a `spiece.model`: pieces of words and how likely each is. Without torch.

Such a file is a protocol buffer, of which three kinds of fields are read here:
`ModelProto.pieces` (1) with `piece` (1) and `score` (2), and `ModelProto.normalizer_spec` (3) with
`precompiled_charsmap` (2).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nodeflow import InputError

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


@dataclass(frozen=True)
class SentencePieces:
    """What a file holds.

    Attributes:
        pieces: Pieces of words, in the order of their numbers, with their log-likelihoods.
        characters: How characters are made alike before, as the tokenizers library takes it.
    """

    pieces: tuple[tuple[str, float], ...]
    characters: bytes

    @classmethod
    def read(cls, path: Path) -> SentencePieces:
        """Read a file.

        Raises:
            InputError: It cannot be read, or is no such file.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"the vocabulary {path} cannot be read ({error.strerror}); fetch it again"
            ) from error
        pieces: list[tuple[str, float]] = []
        characters = b""
        try:
            for number, value in _fields(data):
                if number == 1:
                    inner = dict(_fields(value))
                    (score,) = struct.unpack("<f", inner.get(2, bytes(4)))
                    pieces.append((inner[1].decode(), score))
                elif number == 3:
                    characters = dict(_fields(value)).get(2, b"")
        except (ValueError, KeyError, IndexError, struct.error) as error:
            raise InputError(
                f"the vocabulary {path} is damaged, or no SentencePiece model; fetch it again"
            ) from error
        if not pieces:
            raise InputError(f"the vocabulary {path} is empty; fetch it again")
        return cls(tuple(pieces), characters)


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The numbers of a message's fields and their bytes; those of plain numbers are passed over."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            _, position = _varint(data, position)
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"fields of kind {kind} are unknown")
        if position + length > len(data):
            raise ValueError("the last field is cut off")
        yield key >> 3, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
