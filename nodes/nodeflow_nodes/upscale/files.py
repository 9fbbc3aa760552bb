"""An upscaler's file by its head: whether it is whole, and of which architecture. Without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.upscale.architectures import architecture_of

PICKLES = (".pth", ".pt", ".ckpt")
_GROUPS = ("model_state_dict", "state_dict", "params_ema", "params-ema", "params", "model", "net")
"""Under which names trainers keep weights, in the order in which spandrel looks for them."""
_PREFIXES = ("module.", "netG.")
"""What trainers put before all names, and spandrel takes away."""


@dataclass(frozen=True)
class UpscalerFile:
    """A network that enlarges, by the names of its tensors.

    Attributes:
        path: The file.
        architecture: As spandrel calls it; empty if only loading tells.
        precision: In which most of its weights are stored.
    """

    path: Path
    architecture: str
    precision: str

    @classmethod
    def read(cls, path: Path) -> UpscalerFile:
        """Look at a file.

        Raises:
            InputError: It is broken, of another kind, or of no architecture that is known.
        """
        suffix = path.suffix.lower()
        if suffix in PICKLES:
            table = TensorTable.read_old(path, _weights_in)
        elif suffix == ".safetensors":
            table = TensorTable.read(path)
        else:
            raise InputError(
                f"{path} ends in '{suffix}'; choose an upscaler's file, of .safetensors, "
                f"{', '.join(PICKLES)}"
            )
        if not table.entries:
            raise InputError(f"the upscaler {path} holds no weights; fetch the file again")
        architecture = architecture_of(_plain(table.entries))
        if architecture is None:
            shown = ", ".join(f"'{name}'" for name in sorted(table.entries)[:3])
            raise InputError(
                f"{path} is of no architecture that spandrel knows: it holds "
                f"{len(table.entries)} tensors, such as {shown}; choose another upscaler, such as "
                "one of ESRGAN, SwinIR or DAT"
            )
        return cls(path, architecture, table.precision)


def upscaler_facts(file: object) -> dict[str, Mapping[str, JsonValue]]:
    """Facts of `load_upscaler`; an unusable file is said here, before the run."""
    if not isinstance(file, Path):
        return {}
    found = UpscalerFile.read(file)
    return {"upscaler": {"family": found.architecture, "precision": found.precision}}


def _weights_in(told: object) -> Mapping[str, Any]:
    """The tensors of a pickle, wherever its trainer put them."""
    state = told if isinstance(told, Mapping) else {}
    group = next((state[name] for name in _GROUPS if isinstance(state.get(name), Mapping)), None)
    if group is None and len(state) == 1:
        group = next(iter(state.values()))
    return group if isinstance(group, Mapping) else state


def _plain(names: Mapping[str, object]) -> frozenset[str]:
    found = frozenset(names)
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in found):
            found = frozenset(name.removeprefix(prefix) for name in found)
    return found
