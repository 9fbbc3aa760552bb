"""IP-Adapters and image encoders by the names and shapes of their tensors. Without torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.by_size import OF_UNETS
from nodeflow_nodes.diffusion.families.stable_diffusion_keys import FAMILY
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.headers import read_config, weights_digest
from nodeflow_nodes.diffusion.pickles import SUFFIXES, is_pickle

IP_ADAPTER = "ip_adapter"
"""The part that an adapter's recipe names."""
CLIP_VISION = "clip_vision"
"""The part that an image encoder's recipe names."""
IMAGE_PROJECTION = "image_proj."
ATTENTION = "ip_adapter."

_WEIGHTS = (".safetensors", *SUFFIXES)
_ENCODER = "vision_model.embeddings.class_embedding"
_MODEL_TYPE = "clip_vision_model"
_PROJECTION = "visual_projection.weight"


@dataclass(frozen=True)
class IpAdapterFile:
    """An IP-Adapter by its header.

    Attributes:
        path: Its file.
        family: Name of the family that it is for; empty if its size tells of none.
        text_width: Length of the hidden states that the network takes, and so of what it makes.
        image_width: Length of the states that it takes of an image encoder.
        projected: It takes the one state of a picture that is projected beside text; else those
            of all places of the picture.
        layers: Numbers of the attentions that it has weights for, as its makers counted them.
        precision: In which most of its weights are stored.
        digest: Tells adapters apart that are loaded in one process.
    """

    path: Path
    family: str
    text_width: int
    image_width: int
    projected: bool
    layers: tuple[int, ...]
    precision: str
    digest: str

    @property
    def loader(self) -> str:
        """The family that loads it: one for networks of other sizes is loaded alike."""
        return self.family or FAMILY

    @classmethod
    def read(cls, path: Path) -> IpAdapterFile:
        """Look at a file in its original layout, or at a folder that holds one such file.

        Raises:
            InputError: It is broken, or no adapter that is known here.
        """
        file = _only_file(path, "IP-Adapter") if path.is_dir() else path
        table = TensorTable.read(file)
        marks = (
            re.fullmatch(r"ip_adapter\.(\d+)\.to_k_ip\.weight", name) for name in table.entries
        )
        layers = tuple(sorted(int(mark[1]) for mark in marks if mark))
        seen = _image_width(table)
        if not layers or seen is None:
            raise InputError(_unknown(table))
        width = table.shape(f"{ATTENTION}{layers[0]}.to_k_ip.weight")[-1]
        return cls(
            file,
            OF_UNETS.get(width, ""),
            width,
            seen,
            f"{IMAGE_PROJECTION}proj.weight" in table,
            layers,
            table.precision,
            _digest("ip-adapter", file),
        )


@dataclass(frozen=True)
class ClipVisionFile:
    """An image encoder by its header.

    Attributes:
        path: The file with its weights.
        config: The `config.json` beside it, if that is an image encoder's.
        width: Length of the states of all places of a picture.
        projected: Length of the one state that is projected beside text.
        precision: In which most of its weights are stored.
        digest: Tells encoders apart that are loaded in one process.
    """

    path: Path
    config: Path | None
    width: int
    projected: int
    precision: str
    digest: str

    @classmethod
    def read(cls, path: Path) -> ClipVisionFile:
        """Look at a file or folder in the layout of transformers.

        Raises:
            InputError: It is broken, or no image encoder that is known here.
        """
        file = _only_file(path, "image encoder") if path.is_dir() else path
        table = TensorTable.read(file)
        if _ENCODER not in table or _PROJECTION not in table:
            raise InputError(_no_encoder(table))
        beside = file.with_name("config.json")
        is_its = beside.is_file() and read_config(beside).get("model_type") == _MODEL_TYPE
        config = beside if is_its else None
        width, projected = table.shape(_ENCODER)[0], table.shape(_PROJECTION)[0]
        digest = _digest("clip-vision", file, config)
        return cls(file, config, width, projected, table.precision, digest)


def _only_file(folder: Path, what: str) -> Path:
    """The file with the weights of a folder; of several the one that transformers reads, and
    safetensors before pickles of the same."""
    usual = folder / "model.safetensors"
    if usual.is_file():
        return usual
    files = sorted(item for item in folder.iterdir() if item.suffix in _WEIGHTS)
    safe = [item for item in files if item.suffix == ".safetensors"]
    found = safe or files
    if len(found) != 1:
        names = ", ".join(f"'{item.name}'" for item in found[:5]) or "none"
        raise InputError(
            f"the folder {folder} holds {len(found)} files of weights ({names}), not one; choose "
            f"the file of the {what} that you mean"
        )
    return found[0]


def _image_width(table: TensorTable) -> int | None:
    """Length of the states that an adapter takes; None for adapters that take something else."""
    if any(".to_k_lora." in name for name in table.entries):
        return None  # Those of faces' identities.
    names = ["proj.weight", "proj_in.weight"]
    # Where all places of a picture become a token each: the other of that name is for faces.
    names += ["proj.0.weight"] if f"{IMAGE_PROJECTION}proj.3.weight" in table else []
    shapes = (table.shape(IMAGE_PROJECTION + name) for name in names)
    return next((shape[1] for shape in shapes if len(shape) == 2), None)


def _digest(kind: str, file: Path, config: Path | None = None) -> str:
    hasher = blake3(f"{kind}\0".encode())
    # As for models in pickles: the samples reach to the end, where the list of contents is.
    hasher.update(weights_digest(file, b"pickle" if is_pickle(file) else None))
    if config is not None:
        hasher.update(config.read_bytes())
    return hasher.hexdigest(16)


def _unknown(table: TensorTable) -> str:
    if table.starts(ATTENTION) and table.starts(IMAGE_PROJECTION):
        return (
            f"{table.path} is an IP-Adapter for the identity of faces, or of another new kind, "
            "which is not supported; choose a plain, plus or full one"
        )
    return (
        f"{table.path} is no IP-Adapter: it holds {len(table.entries)} tensors, such as "
        f"{_shown(table)}; choose a file with '{IMAGE_PROJECTION}' and '{ATTENTION}' in its names"
    )


def _no_encoder(table: TensorTable) -> str:
    if table.starts("visual."):
        return (
            f"{table.path} is an image encoder in the layout of OpenCLIP, which is not read; "
            "choose one in the layout of transformers ('vision_model.')"
        )
    return (
        f"{table.path} is no CLIP image encoder with its projection: it holds "
        f"{len(table.entries)} tensors, such as {_shown(table)}; choose one with 'vision_model.' "
        "and 'visual_projection.' in its names"
    )


def _shown(table: TensorTable) -> str:
    return ", ".join(f"'{name}'" for name in sorted(table.entries)[:3]) or "nothing"
