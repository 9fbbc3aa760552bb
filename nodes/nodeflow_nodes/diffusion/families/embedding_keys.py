"""Files of textual inversion by the names and shapes of their tensors. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.lora_layers import TEXT_ENCODERS
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY, FAMILY_XL
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable

EMBEDDING = "embedding"
CLIP_SKIP = "clip_skip"
"""Kinds of patches: a learned word, and how many layers are left out."""
PICKLES = (".pt", ".bin")

ANY = ""
"""In place of a part: whichever text encoder has words of that width."""
_PARTS = {"clip_l": TEXT_ENCODERS[0], "clip_g": TEXT_ENCODERS[1], "t5xxl": TEXT_ENCODERS[2]}
_WHOLE_WIDTH = (FAMILY, FAMILY_XL)
"""Families whose text encoders lay their states side by side."""


@dataclass(frozen=True)
class EmbeddingFile:
    """Words that a text encoder has learned, by the header of their file.

    Attributes:
        path: The file.
        names: Part of a model, or `ANY`, to the tensor with its vectors.
        widths: The same to the vectors' length.
    """

    path: Path
    names: Mapping[str, str]
    widths: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> EmbeddingFile:
        """Read the header of a safetensors file.

        Raises:
            InputError: The file is broken, or holds no vectors for a text encoder.
        """
        table = TensorTable.read(path)
        names = {part: key for key, part in _PARTS.items() if key in table}
        if not names and ("emb_params" in table or len(table.entries) == 1):
            names = {ANY: "emb_params" if "emb_params" in table else next(iter(table.entries))}
        shapes = {part: table.shape(name) for part, name in names.items()}
        if not names or any(len(shape) not in (1, 2) for shape in shapes.values()):
            shown = ", ".join(f"'{name}'" for name in sorted(table.entries)[:3])
            raise InputError(
                f"{path} is no embedding: it holds {len(table.entries)} tensors, such as {shown}; "
                "choose a file of textual inversion"
            )
        return cls(path, names, {part: shape[-1] for part, shape in shapes.items()})

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
