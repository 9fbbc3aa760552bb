"""What is known of prompts and of learned words before a run. Quick to import."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.embedding_keys import EmbeddingFile
from nodeflow_nodes.diffusion.hooks import Facts, Known, facts_of
from nodeflow_nodes.diffusion.prompts import split_calls

_WORDS = "embeddings"


def word_of(file: Path, name: str) -> str:
    """What prompts call a word.

    Raises:
        InputError: The name is none that a prompt could call.
    """
    word = name.strip().removeprefix("<").removesuffix(">") or file.stem
    if set(word) & set("<>,:;()"):
        raise InputError(
            f"'{word}' is no name that a prompt can call an embedding by; use letters, digits, _ "
            "and -"
        )
    return word


def check_embedding(text_encoder: Known, file: Known, name: Known) -> None:
    """The vectors must be as long as the text encoder's, as far as the header tells."""
    if not isinstance(file, Path):
        return
    word_of(file, name if isinstance(name, str) else "")
    facts = facts_of(text_encoder)
    EmbeddingFile.read(file).require_fit(facts.get("family"), facts.get("text_width"))


def embedding_facts(text_encoder: Known, file: Known, name: Known) -> dict[str, Facts]:
    """Facts of `load_embedding`: those of the encoder, and the word; or of the file where nothing
    else is told, as when the catalog of models asks."""
    if text_encoder is None and isinstance(file, Path):
        found = EmbeddingFile.read(file)
        families: list[JsonValue] = [*found.families]
        return {"text_encoder": {"precision": found.precision, "families": families}}
    facts = facts_of(text_encoder)
    if not facts or not isinstance(file, Path) or not isinstance(name, str):
        return {}
    words: list[JsonValue] = [*_words(facts), word_of(file, name)]
    return {"text_encoder": {**facts, _WORDS: words}}


def text_encoder_facts(text_encoder: Known) -> dict[str, Facts]:
    """Facts of nodes that change a text encoder: those of the encoder."""
    return {"text_encoder": facts_of(text_encoder)}


def check_text(encoder: Known, text: Known) -> None:
    """A prompt may call only for words that its text encoder has learned."""
    facts = facts_of(encoder)
    if isinstance(text, str) and facts:
        split_calls(text, _words(facts))


def _words(facts: Facts) -> list[str]:
    found = facts.get(_WORDS)
    return [str(word) for word in found] if isinstance(found, list) else []
