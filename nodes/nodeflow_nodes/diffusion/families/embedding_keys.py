"""Files of textual inversion by the names and shapes of their tensors. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.by_size import BY_WORDS
from nodeflow_nodes.diffusion.families.lora_layers import TEXT_ENCODERS
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY, FAMILY_XL
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.pickles import is_pickle

EMBEDDING = "embedding"
CLIP_SKIP = "clip_skip"
"""Kinds of patches: a learned word, and how many layers are left out."""

ANY = ""
"""In place of a part: whichever text encoder has words of that width."""
_PARTS = {"clip_l": TEXT_ENCODERS[0], "clip_g": TEXT_ENCODERS[1], "t5xxl": TEXT_ENCODERS[2]}
_WHOLE_WIDTH = (FAMILY, FAMILY_XL)
"""Families whose text encoders lay their states side by side."""


def vectors_in(told: object) -> Mapping[str, Any]:
    """The tensors of a pickle: they stand alone under a name, or in `string_to_param`."""
    outer = told if isinstance(told, Mapping) else {}
    inner = outer.get("string_to_param", outer)
    return {str(name): item for name, item in inner.items()} if isinstance(inner, Mapping) else {}


@dataclass(frozen=True)
class EmbeddingFile:
    """Words that a text encoder has learned, by the header of their file.

    Attributes:
        path: The file.
        names: Part of a model, or `ANY`, to the tensor with its vectors.
        widths: The same to the vectors' length.
        precision: In which they are stored.
    """

    path: Path
    names: Mapping[str, str]
    widths: Mapping[str, int]
    precision: str

    @classmethod
    def read(cls, path: Path) -> EmbeddingFile:
        """Read the head of a safetensors file, or of a pickle of nothing but tensors.

        Raises:
            InputError: The file is broken, or holds no vectors for a text encoder.
        """
        pickled = is_pickle(path)
        table = TensorTable.read_old(path, vectors_in) if pickled else TensorTable.read(path)
        if pickled:
            flat = {n: e for n, e in table.entries.items() if len(e.shape) in (1, 2)}
            table = TensorTable(path, flat)
        names = {part: key for key, part in _PARTS.items() if key in table}
        if not names and ("emb_params" in table or len(table.entries) == 1):
            names = {ANY: "emb_params" if "emb_params" in table else next(iter(table.entries))}
        shapes = {part: table.shape(name) for part, name in names.items()}
        if not names or any(len(shape) not in (1, 2) for shape in shapes.values()):
            shown = ", ".join(f"'{name}'" for name in sorted(table.entries)[:3])
            held = f"{len(table.entries)} tensors, such as {shown}" if shown else "no vectors"
            raise InputError(
                f"{path} is no embedding: it holds {held}; choose a file of textual inversion"
            )
        widths = {part: shape[-1] for part, shape in shapes.items()}
        return cls(path, names, widths, table.precision)

    @property
    def families(self) -> tuple[str, ...]:
        """Families whose text encoders have words of these widths, as far as is known."""
        return BY_WORDS.get(sum(self.widths.values()), ())

    def require_fit(self, family: object, text_width: object) -> None:
        """Raise InputError if it is for text encoders of other widths, as far as is known."""
        if family not in _WHOLE_WIDTH or not isinstance(text_width, int):
            return
        # A model that has the second encoder alone takes the second vectors alone.
        if text_width not in (sum(self.widths.values()), self.widths.get(TEXT_ENCODERS[1])):
            widths = " and ".join(str(width) for width in self.widths.values())
            raise InputError(
                f"the embedding {self.path} has vectors of width {widths}, and the text encoder "
                f"makes {text_width}; choose one for the model's family"
            )
