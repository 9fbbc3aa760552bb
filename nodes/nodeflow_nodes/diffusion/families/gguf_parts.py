"""Networks of folders whose weights are a GGUF file, by diffusers' own loader of single files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffusers import GGUFQuantizationConfig
from torch import nn

from nodeflow import Device, InputError, is_out_of_memory
from nodeflow_nodes.diffusion.families.blocks import in_blocks, unpacked
from nodeflow_nodes.diffusion.families.gguf_weights import read_gguf_weights
from nodeflow_nodes.diffusion.families.pretrained import dtype_of, settled
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable

_CONFIG: Any = GGUFQuantizationConfig  # diffusers has few types
_CONFUSED = (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
"""What diffusers raises for a file that is not for the network."""


def load_gguf_part(kind: Any, file: Path, device: Device) -> Any:
    """A network on its device, its matrices in the file's blocks.

    Args:
        kind: Its class.
        file: In the network's folder, with names that are diffusers' or the first publisher's.
        device: Where it goes.

    Raises:
        InputError: The file is broken, or not for a network of this class and config.
    """
    state = read_gguf_weights(TensorTable.read(file), "", device, as_stored=True)
    if not hasattr(kind, "from_single_file"):
        raise InputError(
            f"diffusers reads no GGUF files, such as {file}, for a {kind.__name__}; take the "
            "model's safetensors weights"
        )
    dtype = dtype_of(device)
    try:
        network = kind.from_single_file(
            state,
            config=str(file.parent),
            quantization_config=_CONFIG(compute_dtype=dtype),
            dtype=dtype,
            local_files_only=True,
        )
    except _CONFUSED as error:
        if is_out_of_memory(error):
            raise
        raise InputError(
            f"the GGUF file {file} is not for the {kind.__name__} that config.json beside it "
            f"describes ({error}); fetch both from the same model"
        ) from error
    lacking = [name for name, tensor in network.state_dict().items() if tensor.is_meta]
    if lacking:
        raise InputError(
            f"the GGUF file {file} lacks {len(lacking)} tensors that config.json speaks of, such "
            f"as '{lacking[0]}'; fetch both from the same model"
        )
    for module in network.modules():
        _unpack_others(module, dtype)
    return settled(network, device)


def _unpack_others(module: nn.Module, dtype: Any) -> None:
    """What is in blocks and no matrix of a linear layer, which alone computes with them."""
    if isinstance(module, nn.Linear):
        return
    for name, weight in module._parameters.items():
        if weight is not None and in_blocks(weight):
            whole = nn.Parameter(unpacked(weight).to(dtype), requires_grad=False)
            module._parameters[name] = whole
