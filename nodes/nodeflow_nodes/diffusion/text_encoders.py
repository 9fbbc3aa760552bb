"""What changes how a text encoder reads: words that it learns, layers that are left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from blake3 import blake3
from pydantic import Field

from nodeflow import File, Patch, TextEncoder, node
from nodeflow_nodes.diffusion.families.embedding_keys import CLIP_SKIP, EMBEDDING, EmbeddingFile
from nodeflow_nodes.diffusion.text_checks import (
    check_embedding,
    embedding_facts,
    text_encoder_facts,
    word_of,
)


@node(category="models", check=check_embedding, facts=embedding_facts)
def load_embedding(
    text_encoder: TextEncoder,
    file: Annotated[Path, File("embeddings")],
    name: str = "",
) -> TextEncoder:
    """Teach a text encoder a word out of a file of textual inversion.

    Prompts call it by `embedding:name`, or by `<name>`.

    Args:
        text_encoder: The text encoder. Several words are learned by several of these nodes.
        file: A safetensors file, or `.pt` and `.bin`, of which nothing but tensors is read.
        name: What prompts call it; the file's name without its ending if empty.
    """
    EmbeddingFile.read(file)
    word = word_of(file, name)
    others = tuple(p for p in text_encoder.patches if (p.kind, p.name) != (EMBEDDING, word))
    digest = blake3(file.read_bytes()).hexdigest(16)
    patch = Patch(EMBEDDING, digest=digest, name=word, path=str(file))
    return replace(text_encoder, patches=(*others, patch))


@node(category="models", facts=text_encoder_facts)
def clip_skip(
    text_encoder: TextEncoder, layers: Annotated[int, Field(ge=0, le=30)] = 1
) -> TextEncoder:
    """Take what a CLIP text encoder has made of a prompt before its last layers.

    Args:
        text_encoder: The text encoder.
        layers: How many layers earlier than the model was trained for: 0 changes nothing; what is
            called "CLIP skip 2" elsewhere is 1.
    """
    others = tuple(patch for patch in text_encoder.patches if patch.kind != CLIP_SKIP)
    mine = (Patch(CLIP_SKIP, float(layers)),) if layers else ()
    return replace(text_encoder, patches=(*others, *mine))
