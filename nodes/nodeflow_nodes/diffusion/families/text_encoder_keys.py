"""The text encoders of one model after another, by the names of their tensors. Without torch.

Some families take several that come in one file, or each in its own: OpenAI's CLIP, OpenCLIP's
largest, and the encoder of T5.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable

CLIP_L, CLIP_G, T5 = "text_encoder", "text_encoder_2", "text_encoder_3"
"""Names of the encoders as recipes and patches have them, whatever folder they stand in."""
CALLED: Mapping[str, str] = {CLIP_L: "CLIP-L", CLIP_G: "CLIP-G", T5: "T5"}

CLIP_WORDS = (
    "text_model.embeddings.token_embedding.weight",
    "embeddings.token_embedding.weight",
)
"""As transformers named them, and as it does from version 5 on."""
CLIP_G_WIDTH = 1280
TEXT_WIDTH = 4096
"""Of what networks take that listen to T5, where no file with the network or with T5 tells."""
T5_WORDS = ("shared.weight", "encoder.embed_tokens.weight")
_T5_BLOCK = "encoder.block.0.layer.0.SelfAttention.q.weight"
_T5_LATER_BIAS = "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"
"""Only T5's kin for other languages has it: there each block has a bias of its own."""

_WHOLE: Mapping[str, str] = {
    CLIP_L: "text_encoders.clip_l.transformer.",
    CLIP_G: "text_encoders.clip_g.transformer.",
    T5: "text_encoders.t5xxl.transformer.",
}
VOCABULARIES = ("tokenizer.json", "spiece.model")
"""Files that hold the vocabulary of T5, either of which is enough."""
_ROOT = "text_encoders"
_NEAR = 3
"""How many folders above a file are looked into."""


def encoder_prefixes(table: TensorTable) -> dict[str, str]:
    """Each text encoder of a file, by its name, to what stands before the names of its tensors."""
    found = {
        name: prefix
        for name, prefix in _WHOLE.items()
        if any(f"{prefix}{words}" in table for words in (*CLIP_WORDS, *T5_WORDS))
    }
    if found:
        return found
    if _is_t5(table):
        return {T5: ""}
    width = clip_width(table)
    return {CLIP_G if width == CLIP_G_WIDTH else CLIP_L: ""} if width else {}


def clip_width(table: TensorTable) -> int:
    """Length of the hidden states of a CLIP text encoder that stands alone; 0 if there is none."""
    return next((shape[-1] for words in CLIP_WORDS if (shape := table.shape(words))), 0)


def encoder_width(table: TensorTable, prefix: str) -> int:
    """Length of the hidden states that an encoder makes."""
    shapes = [table.shape(f"{prefix}{words}") for words in (*CLIP_WORDS, *T5_WORDS)]
    return next(shape[-1] for shape in shapes if shape)


def t5_vocabulary(path: Path) -> Path:
    """The file with the vocabulary of T5, for an encoder in a file or folder without one.

    It is looked for beside the encoder, in the folders beside it, and in those of the folder
    `text_encoders` of the same models.

    Args:
        path: The encoder's file.

    Raises:
        InputError: There is none.
    """
    for folder in _places(path):
        for name in VOCABULARIES:
            file = folder / name
            if file.is_file() and _is_t5_vocabulary(file):
                return file
    raise InputError(
        f"{path} holds a T5 text encoder, whose vocabulary is missing: put its "
        f"{' or '.join(VOCABULARIES)} beside it, into {path.parent}, or into a folder there"
    )


def _places(path: Path) -> Iterator[Path]:
    roots = [path.parent]
    roots += [folder / _ROOT for folder in list(path.parents)[:_NEAR]]
    for root in roots:
        if root.is_dir():
            yield root
            yield from sorted(item for item in root.iterdir() if item.is_dir())


def _is_t5_vocabulary(file: Path) -> bool:
    """A `tokenizer.json` may be that of any model; T5's knows pieces of words by their odds."""
    if file.suffix != ".json":
        return True
    try:
        model = json.loads(file.read_bytes()).get("model", {})
    except (ValueError, RecursionError, AttributeError, OSError):
        return False
    return isinstance(model, dict) and model.get("type") == "Unigram"


def _is_t5(table: TensorTable) -> bool:
    return _T5_BLOCK in table and _T5_LATER_BIAS not in table
