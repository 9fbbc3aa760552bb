from __future__ import annotations

import struct
from pathlib import Path

import pytest
from nodeflow_nodes.diffusion.families.sentence_piece import SentencePieces
from nodeflow_nodes.diffusion.families.t5_text import read_tokenizer

from nodeflow import InputError

PIECES = (("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("▁red", -2.0), ("▁", -3.0), ("a", -4.0))


def field(number: int, data: bytes) -> bytes:
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def spiece(path: Path) -> Path:
    """A SentencePiece model as its own trainer writes it, with fields that are passed over."""
    kind = b"\x18\x03"
    pieces = b"".join(
        field(1, field(1, piece.encode()) + b"\x15" + struct.pack("<f", score) + kind)
        for piece, score in PIECES
    )
    path.write_bytes(pieces + field(2, b"\x18\x80\xfa\x01") + field(3, field(1, b"nmt_nfkc")))
    return path


def test_pieces_are_read_with_their_scores(tmp_path: Path) -> None:
    found = SentencePieces.read(spiece(tmp_path / "spiece.model"))
    assert found.pieces == PIECES
    assert found.characters == b""


def test_they_make_a_tokenizer(tmp_path: Path) -> None:
    tokenizer = read_tokenizer(spiece(tmp_path / "spiece.model"), words=128)
    assert tokenizer.encode("red a", add_special_tokens=False).ids == [3, 4, 5]


def test_more_words_than_the_encoder_knows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 6 words and the text encoder knows 5"):
        read_tokenizer(spiece(tmp_path / "spiece.model"), words=5)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"\x0a\x7f\x00", "is damaged, or no SentencePiece"),
        (b"\xff", "is damaged, or no SentencePiece"),
    ],
)
def test_damaged_vocabularies_are_named(tmp_path: Path, data: bytes, sentence: str) -> None:
    file = tmp_path / "spiece.model"
    file.write_bytes(data)
    with pytest.raises(InputError, match=sentence):
        read_tokenizer(file, words=9)
    with pytest.raises(InputError, match="cannot be read"):
        read_tokenizer(tmp_path / "absent.model", words=9)
