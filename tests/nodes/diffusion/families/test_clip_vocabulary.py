from __future__ import annotations

import pytest
from nodeflow_nodes.diffusion.families import clip_vocabulary
from nodeflow_nodes.diffusion.families.clip_vocabulary import clip_tokenizer


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a photo of a cat", [320, 1125, 539, 320, 2368]),
        ("A  Photo of a CAT", [320, 1125, 539, 320, 2368]),
        ("cat!", [2368, 256]),
        ("", []),
    ],
)
def test_words_have_the_numbers_of_clip(text: str, ids: list[int]) -> None:
    assert clip_tokenizer()(text).input_ids == [49406, *ids, 49407]


def test_the_vocabulary_has_the_size_of_clip() -> None:
    tokenizer = clip_tokenizer()
    assert len(tokenizer) == 49408
    assert tokenizer.model_max_length == 77
    words = "naïve café — 日本 it's 42 🙂"
    assert tokenizer.decode(tokenizer(words, add_special_tokens=False).input_ids).startswith("naï")


def test_the_licence_lies_beside_the_vocabulary() -> None:
    notice = clip_vocabulary._FILE.parent / "NOTICE"
    assert "Copyright (c) 2021 OpenAI" in notice.read_text()
