"""Writes GGUF files as the tools do that make them from checkpoints."""

from __future__ import annotations

import re
from pathlib import Path

import gguf
from gguf import GGMLQuantizationType, GGUFWriter
from torch import Tensor

BLOCK = 32


def write_gguf(
    state: dict[str, Tensor],
    path: Path,
    kind: str = "Q8_0",
    folded: tuple[str, ...] = (),
    whole: str = "$",
) -> Path:
    """Matrices in blocks of this kind, everything else as float16 or float32.

    Args:
        state: The weights.
        path: Where to.
        kind: Name of a `GGMLQuantizationType`.
        folded: Names of tensors that are stored as matrices in blocks though they are none.
        whole: Matches names of matrices that are stored as they are.
    """
    writer = GGUFWriter(path, "flux")
    for name, tensor in state.items():
        values = tensor.detach().float().numpy()
        if name in folded:
            writer.add_array(f"comfy.gguf.orig_shape.{name}", list(values.shape))
            values = values.reshape(-1, BLOCK)
        matrix = values.ndim == 2 and values.shape[1] % BLOCK == 0 and not re.match(whole, name)
        if matrix or name in folded:
            wanted = GGMLQuantizationType[kind]
            writer.add_tensor(name, gguf.quants.quantize(values, wanted), raw_dtype=wanted)
        else:
            writer.add_tensor(name, values.astype("float16" if values.ndim > 1 else "float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
