"""A model's file or folder looked at without torch: is it whole, and what is it.

Imported by the checks that run before anything else, so it must stay quick to import.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from blake3 import blake3

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.fingerprints import FINGERPRINTS, KNOWN
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable, expected_shapes
from nodeflow_nodes.diffusion.families.text_encoder_keys import T5, t5_vocabulary
from nodeflow_nodes.diffusion.families.text_sets import TextSet, text_set
from nodeflow_nodes.diffusion.families.whole_networks import require_whole
from nodeflow_nodes.diffusion.folders import inspect_folder
from nodeflow_nodes.diffusion.gguf_files import is_gguf
from nodeflow_nodes.diffusion.headers import weights_digest
from nodeflow_nodes.diffusion.model_file import PART_NAMES, ModelFile
from nodeflow_nodes.diffusion.modular_folders import inspect_modular, modular_class
from nodeflow_nodes.diffusion.pickles import is_pickle

_SHOWN = 4
_NODES = {"denoiser": "load_denoiser", "text_encoder": "load_text_encoder", "vae": "load_vae"}
_FOLDERS = {"denoiser": "diffusion_models", "text_encoder": "text_encoders", "vae": "vae"}
"""Of the models' folders, the one in which each of these nodes finds its files."""
_PATCHES = {
    "lora_": "a LoRA",
    ".lora_": "a LoRA",
    "control_model.": "a ControlNet",
    "controlnet_": "a ControlNet",
}
"""What stands in names of files that change a model, and are none."""


def inspect_model(path: Path) -> ModelFile:
    """What a diffusers folder or a single safetensors file is.

    Raises:
        InputError: It is broken, incomplete, or of no architecture that is known here.
    """
    if not path.is_dir():
        return inspect_file(path)
    return inspect_modular(path) if modular_class(path) else inspect_folder(path)


def inspect_whole(path: Path) -> ModelFile:
    """The same, for files with the network of a model; its other parts may be in other files.

    Raises:
        InputError: As `inspect_model`, or there is no network in the file.
    """
    model = inspect_part(path, "denoiser")
    if T5 in model.encoders:
        t5_vocabulary(path)
    return model


def inspect_part(path: Path, part: str) -> ModelFile:
    """The same, for files that must hold a certain part of a model.

    Raises:
        InputError: As `inspect_model`, or the part is not in the file, or it is a network that
            lacks some of its tensors.
    """
    table = None if path.is_dir() else TensorTable.read(path)
    model = inspect_model(path) if table is None else _inspect_table(table)
    if table is not None and part == "denoiser":
        require_whole(table, model)
    if part not in model.parts:
        nodes = " and ".join(
            f"{_NODES[held]} (from the folder {_FOLDERS[held]})"
            for held in PART_NAMES
            if held in model.parts
        )
        raise InputError(
            f"{_lacks(model, part)}; open it with {nodes}, and take the rest from another file"
        )
    if part == "text_encoder" and T5 in model.encoders:
        t5_vocabulary(path)
    return model


def lacking(model: ModelFile, part: str) -> str:
    """A sentence for those who want a part that is not in the model's file."""
    return f"{_lacks(model, part)}; take one from another file, with {_NODES[part]}"


def _lacks(model: ModelFile, part: str) -> str:
    has = " and ".join(f"the {PART_NAMES[held]}" for held in PART_NAMES if held in model.parts)
    return f"{model.path} holds {has}, but no {PART_NAMES[part]}"


def inspect_text_encoders(*paths: Path | None, family: str = "") -> TextSet:
    """The text encoders of one model, out of one file or several; see `text_set`.

    Raises:
        InputError: As `inspect_part`, or the files do not belong together.
    """
    models = [inspect_part(path, "text_encoder") for path in paths if path is not None]
    return text_set(models, family)


def vocabularies(*models: ModelFile) -> list[Path]:
    """The files with the vocabularies that text encoders in single files read by, besides CLIP's.

    Raises:
        InputError: One is missing.
    """
    found = [t5_vocabulary(model.path) for model in models if T5 in model.encoders]
    return list(dict.fromkeys(found))


def text_digest(*models: ModelFile) -> str:
    """Tells text encoders apart that are loaded in one process, by their vocabularies too."""
    words = [blake3(file.read_bytes()).hexdigest(8) for file in vocabularies(*models)]
    return "-".join([*(model.digest for model in models), *words])


def inspect_file(path: Path) -> ModelFile:
    """Read the header of a single file.

    Raises:
        InputError: It is broken, or of no architecture that is known here.
    """
    return _inspect_table(TensorTable.read(path))


def _inspect_table(table: TensorTable) -> ModelFile:
    path = table.path
    with expected_shapes(path):
        found = next(filter(None, (fingerprint(table) for fingerprint in FINGERPRINTS)), None)
    if found is None:
        raise InputError(_unknown(table))
    values = asdict(found)
    return ModelFile(**values, path=path, digest=file_digest(path), precision=table.precision)


def _unknown(table: TensorTable) -> str:
    for mark, what in _PATCHES.items():
        if any(mark in name for name in table.entries):
            return f"{table.path} is {what}, not a model; choose a model, and lay this over it"
    names = sorted(table.entries)
    step = max(len(names) // _SHOWN, 1)
    shown = ", ".join(f"'{name}'" for name in names[::step][:_SHOWN])
    held = f"it holds {len(names)} tensors, such as {shown}" if names else "it holds no tensor"
    return (
        f"{table.path} is of no architecture that is known here ({KNOWN}): {held}; choose a model "
        "of one of them, or the folder of a model in diffusers layout"
    )


def file_digest(path: Path) -> str:
    """Tells files apart that are loaded in one process; see the digest of folders."""
    # The samples of a pickle reach to its end, where its list of contents is; those of a GGUF file
    # begin with its head.
    header = b"pickle" if is_pickle(path) else b"gguf" if is_gguf(path) else None
    return blake3(b"single-file\0" + weights_digest(path, header)).hexdigest(16)
