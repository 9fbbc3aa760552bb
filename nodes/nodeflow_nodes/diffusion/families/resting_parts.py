"""Networks of folders whose weights are to lie in mapped files, read tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffusers import ModelMixin
from torch import Tensor

from nodeflow import Device
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.families.weights import assembled, read_weights


def resting_part(
    from_pretrained: Callable[..., Any], folder: Path, device: Device, variant: str | None
) -> Any:
    """A part, never whole in memory; None if its class cannot be read so.

    The classes of diffusers can, but for those that keep some weights in float32.

    Args:
        from_pretrained: That of the part's class.
        folder: The part's folder.
        device: Where it rests.
        variant: `fp16` if only such weights are there.

    Raises:
        InputError: The weights and the config do not fit together.
    """
    kind: Any = getattr(from_pretrained, "__self__", None)
    if not isinstance(kind, type) or not issubclass(kind, ModelMixin):
        return None
    network: Any = kind
    if network._keep_in_fp32_modules:
        return None
    config = network.load_config(str(folder), local_files_only=True)
    state: dict[str, Tensor] = {}
    for file in _files(folder, variant):
        state |= read_weights(TensorTable.read(file), "", device)

    def named(built: Any) -> dict[str, Tensor]:
        # Older files have other names.
        built._fix_state_dict_keys_on_load(state)
        return state

    what = f"the model part {folder}"
    return assembled(lambda: network.from_config(config), named, device, what) if state else None


def _files(folder: Path, variant: str | None) -> list[Path]:
    """The weights of a folder, in one file or several, with or without a variant in their names."""
    found = sorted(folder.glob("diffusion_pytorch_model*.safetensors"))
    return [file for file in found if (variant is None) == ("." not in file.stem)]
