"""A model folder in diffusers layout, looked at without torch: is it whole, and what is it.

Imported by the checks that run before anything else, so it must stay quick to import.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blake3 import blake3

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.catalog import CATALOG, FolderLayout
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.gguf_files import is_gguf
from nodeflow_nodes.diffusion.headers import (
    read_config,
    stored_precision,
    unreadable,
    weights_digest,
)
from nodeflow_nodes.diffusion.model_file import PART_NAMES, ModelFile

Config = dict[str, Any]

_VARIANTS = (".fp16", ".bf16", ".non_ema")
"""Other sets of weights that publishers lay beside the usual one, or instead of it."""


def inspect_folder(path: Path) -> ModelFile:
    """Read the configs and headers of a diffusers folder.

    Raises:
        InputError: It is no such folder, no family reads it, or a part is missing or broken.
    """
    layout = _layout(path)
    parts = present_parts(path, layout)
    for part in parts:
        if not (path / part).is_dir():
            raise InputError(
                f"the model {path} lacks its part '{part}': {path / part} is no folder; fetch the "
                "whole model again"
            )
    configs = {part: read_config(path / part / "config.json") for part in parts}
    for part in parts:
        if part in layout.tokenizers:
            _check_vocabulary(path, layout.tokenizers[part], layout)
    files = [file for part in parts for file in weight_files(path, layout, part)]
    denoiser, vae = configs[layout.denoiser], configs["vae"]
    scheduler = _scheduler(path, layout)
    folder = ModelFile(
        path=path,
        digest=folder_digest(path, files),
        family=layout.family,
        layout="folder",
        parts=frozenset(PART_NAMES),
        prediction=str(scheduler.get("prediction_type", layout.predictions[0])),
        zero_terminal_snr=bool(scheduler.get("rescale_betas_zero_snr", False)),
        channels=_number(vae, "latent_channels", path / "vae"),
        downscale=_downscale(vae, path / "vae"),
        text_width=_number(denoiser, layout.text_width, path / layout.denoiser),
        inputs=_number(denoiser, "in_channels", path / layout.denoiser) // layout.packed,
        inner_width=_inner_width(denoiser),
        precision=folder_precision(files),
    )
    texts = {part: configs[part] for part in parts if part in layout.tokenizers}
    _check_fit(folder, layout, texts)
    return folder


def present_parts(path: Path, layout: FolderLayout) -> list[str]:
    """The folders of a model's parts; `model_index.json` may leave text encoders out by null.

    Raises:
        InputError: It leaves all of them out.
    """
    index = read_config(path / "model_index.json")
    absent = {
        part
        for part in layout.tokenizers
        if part in index and (index[part] is None or index[part] == [None, None])
    }
    if len(absent) == len(layout.tokenizers):
        raise InputError(f"the model {path} has no text encoder; fetch the whole model")
    return [part for part in layout.weights if part not in absent]


def weight_files(path: Path, layout: FolderLayout, part: str) -> list[Path]:
    """The safetensors files of a part: one, or the shards that its index names.

    Raises:
        InputError: There are none, or one is missing or broken.
    """
    stem = path / part / layout.weights[part]
    for variant in ("", *_VARIANTS):
        file = stem.with_name(f"{stem.name}{variant}.safetensors")
        if file.exists() or file.is_symlink():
            return [file]
        index = file.with_name(f"{stem.name}.safetensors.index{variant}.json")
        if index.exists():
            return _shards(index)
    pickled = any(stem.parent.glob("*.bin")) or any(stem.parent.glob("*.ckpt"))
    advice = (
        "there are only pickles, which are not loaded; convert them to safetensors"
        if pickled
        else "fetch this part of the model again"
    )
    raise InputError(f"the weights {stem}.safetensors are missing; {advice}")


def _shards(index: Path) -> list[Path]:
    names = read_config(index).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise InputError(f"the model's file {index} names no weights; fetch the file again")
    return [index.parent / Path(str(name)).name for name in sorted(set(names.values()), key=str)]


def weight_variant(path: Path, layout: FolderLayout, part: str) -> str | None:
    """Such as `fp16`, if a part has only files of a variant, as diffusers names it."""
    name = weight_files(path, layout, part)[0].name
    return next((variant[1:] for variant in _VARIANTS if variant in name), None)


def layout_of(family: str) -> FolderLayout:
    """The folder layout of a family, by the name that a Recipe carries."""
    return next(layout for layout in CATALOG if layout.family == family)


def _layout(path: Path) -> FolderLayout:
    if not path.is_dir():
        raise InputError(f"{path} is no folder; choose a model folder in diffusers layout")
    index = path / "model_index.json"
    if not index.exists():
        raise InputError(
            f"the folder {path} has no model_index.json, so it is no model in diffusers layout; "
            "choose one that has"
        )
    name = read_config(index).get("_class_name")
    for layout in CATALOG:
        if name in layout.pipelines:
            return layout
    known = ", ".join(sorted(pipeline for layout in CATALOG for pipeline in layout.pipelines))
    raise InputError(
        f"the model {path} is made for {name!r}, which no family reads; choose a model that is "
        f"made for one of {known}"
    )


def _check_vocabulary(path: Path, tokenizer: str, layout: FolderLayout) -> None:
    folder = path / tokenizer
    if not any(all((folder / name).exists() for name in names) for names in layout.vocabularies):
        choices = ", or ".join(
            " and ".join(f"{tokenizer}/{name}" for name in names) for names in layout.vocabularies
        )
        raise InputError(f"the model {path} lacks its vocabulary ({choices}); fetch it again")
    for name in layout.vocabularies[0]:
        if name.endswith("_config.json"):
            read_config(folder / name)


def _scheduler(path: Path, layout: FolderLayout) -> Config:
    file = path / "scheduler" / "scheduler_config.json"
    config = read_config(file)
    prediction = str(config.get("prediction_type", layout.predictions[0]))
    if prediction not in layout.predictions:
        known = ", ".join(layout.predictions)
        raise InputError(f"{file}: the prediction_type '{prediction}' is unknown; known: {known}")
    return config


def _number(config: Config, key: str, part: Path) -> int:
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"{part / 'config.json'}: '{key}' is {value!r}, not a positive number")
    return value


def _downscale(vae: Config, part: Path) -> int:
    """An autoencoder halves the sides between its levels."""
    levels = vae.get("block_out_channels")
    if not isinstance(levels, list) or not levels:
        raise InputError(f"{part / 'config.json'}: 'block_out_channels' is {levels!r}, not a list")
    return int(2 ** (len(levels) - 1))


def _inner_width(network: Config) -> int:
    """That of a transformer is all its heads together; UNets are as wide as their levels."""
    heads, width = network.get("num_attention_heads"), network.get("attention_head_dim")
    if "num_layers" not in network or not isinstance(heads, int) or not isinstance(width, int):
        return 0
    return heads * width


def _check_fit(folder: ModelFile, layout: FolderLayout, texts: dict[str, Config]) -> None:
    """The parts must belong together: same latents, same text."""
    # One that fills holes takes a second latent beside the first, and a mask: one number for each
    # of its pixels, or for each pixel of the picture.
    masks = (1, folder.downscale**2)
    if folder.inputs not in (folder.channels, *(2 * folder.channels + mask for mask in masks)):
        raise InputError(
            f"the network of {folder.path} takes {folder.inputs} channels and its autoencoder "
            f"makes {folder.channels}; the parts are of different models"
        )
    made = layout.text_made(texts)
    if made is not None and made != folder.text_width:
        raise InputError(
            f"the network of {folder.path} takes text of width {folder.text_width} and its text "
            f"encoder makes {made}; the parts are of different models"
        )


def folder_precision(weights: list[Path]) -> str:
    """In which most of a folder's weights are stored."""
    tables = [TensorTable.read(file) for file in weights]
    return stored_precision(entry for table in tables for entry in table.entries.values())


def folder_digest(path: Path, weights: list[Path]) -> str:
    """Digest of the configs and vocabularies, and of each weight file's header, size and samples.

    Weights themselves stay unread but for those: they are gigabytes, and the engine has keyed the
    folder by their content already (remembered by path, size, mtime and inode). This digest need
    only tell models apart that are loaded in one process, and notice that a file was replaced.
    """
    hasher = blake3(b"diffusers-folder\0")
    small = (file for ending in ("json", "txt", "model") for file in path.glob(f"**/*.{ending}"))
    for file in sorted(small):
        # A link may lead nowhere, and a folder may be named so: neither says anything.
        if not file.is_file():
            continue
        hasher.update(f"\0{file.relative_to(path).as_posix()}\0".encode())
        try:
            hasher.update(blake3(file.read_bytes()).digest())
        except OSError as error:
            raise InputError(unreadable("the model's file", file, error)) from error
    for file in weights:
        hasher.update(f"\0{file.relative_to(path).as_posix()}\0".encode())
        hasher.update(weights_digest(file, b"gguf" if is_gguf(file) else None))
    return hasher.hexdigest(16)
