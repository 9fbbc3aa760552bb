"""Textual inversion (Gal et al. 2022, arXiv 2208.01618): words that are vectors from a file."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from nodeflow import InputError, Patch
from nodeflow_nodes.diffusion.families.embedding_keys import ANY, EmbeddingFile, vectors_in
from nodeflow_nodes.diffusion.headers import unreadable
from nodeflow_nodes.diffusion.pickles import is_pickle


@dataclass(frozen=True)
class Embedding:
    """A word for prompts.

    Attributes:
        name: What prompts call it.
        vectors: Part of a model, or `ANY`, to float32 [token, width].
        path: Its file, for sentences.
    """

    name: str
    vectors: Mapping[str, Tensor]
    path: Path

    @classmethod
    def read(cls, patch: Patch) -> Embedding:
        """Read the file of a patch.

        Raises:
            InputError: It cannot be read, holds more than tensors, or no vectors.
        """
        path = Path(patch.path)
        found = _pickled(path) if is_pickle(path) else _stored(path)
        vectors = {
            part: tensor.detach().float().reshape(-1, tensor.shape[-1])
            for part, tensor in found.items()
        }
        return cls(patch.name, vectors, path)

    def fitting(self, part: str, width: int) -> Tensor:
        """The vectors for a text encoder whose words have a width.

        Raises:
            InputError: There are none.
        """
        found = self.vectors.get(part, self.vectors.get(ANY))
        if found is None or found.shape[-1] != width:
            has = " and ".join(str(tensor.shape[-1]) for tensor in self.vectors.values())
            raise InputError(
                f"the embedding {self.path} has vectors of width {has}, and none for the model's "
                f"{part} of width {width}; choose one for the model's family"
            )
        return found


class Words(nn.Module):
    """A text encoder's words, and learned ones, which have the numbers -1, -2, ... as tokens.

    Numbers below those of all words: encoders find the end of a prompt by the highest one.
    """

    def __init__(self, words: nn.Module, learned: Tensor) -> None:
        """Learned vectors [token, width] beside a text encoder's words."""
        super().__init__()
        self.words = words
        self.learned = nn.Parameter(learned, requires_grad=False)

    def forward(self, ids: Tensor) -> Tensor:
        known: Tensor = self.words(ids.clamp_min(0))
        ours = self.learned[(-ids - 1).clamp_min(0)]
        return torch.where((ids < 0).unsqueeze(-1), ours, known)

    @property
    def weight(self) -> Tensor:
        """The words' own vectors, as a plain table of words has them."""
        found: Tensor = self.words.weight  # type: ignore[assignment]  # it is an nn.Embedding
        return found


def _stored(path: Path) -> dict[str, Tensor]:
    file = EmbeddingFile.read(path)
    try:
        with safe_open(path, framework="pt") as opened:
            return {part: opened.get_tensor(name) for part, name in file.names.items()}
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"the embedding {path} cannot be read ({error}); fetch it again"
        ) from error


def _pickled(path: Path) -> dict[str, Tensor]:
    """Only tensors are read; they stand alone under a name, or in `string_to_param`."""
    try:
        found = torch.load(path, "cpu", weights_only=True)
    except OSError as error:
        raise InputError(unreadable("the embedding", path, error)) from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(
            f"the embedding {path} is damaged, or holds more than tensors, which is never run; use "
            "a .safetensors file"
        ) from error
    inner = vectors_in(found).values()
    tensors = [item for item in inner if isinstance(item, Tensor) and item.ndim in (1, 2)]
    if len(tensors) != 1:
        raise InputError(
            f"{path} is no embedding: it holds {len(tensors)} lists of vectors, not one; choose a "
            "file of textual inversion"
        )
    return {ANY: tensors[0]}
