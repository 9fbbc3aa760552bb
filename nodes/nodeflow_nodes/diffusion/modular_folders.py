"""Folders of models that diffusers runs by its Modular Pipelines, looked at without torch.

No family of ours knows them: which parts they have is written in their index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.catalog import CATALOG, FolderLayout
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.folders import folder_digest, folder_precision, weight_files
from nodeflow_nodes.diffusion.gguf_files import is_gguf
from nodeflow_nodes.diffusion.headers import read_config
from nodeflow_nodes.diffusion.model_file import PART_NAMES, ModelFile

MODULAR = "modular"
"""Name of the family, as in a Recipe."""
MODULAR_INDEX, INDEX = "modular_model_index.json", "model_index.json"

DENOISERS = ("transformer", "unet")
"""What pipelines call the network that estimates; a second one has a number behind it."""
_READERS = ("Tokenizer", "TokenizerFast", "Processor")
_VOCABULARIES = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("*.model",), ("vocab.txt",))
_STEMS = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}


@dataclass(frozen=True)
class Component:
    """A part of a model as its index names it.

    Attributes:
        name: What the pipeline calls it.
        library: Where its class is from: `diffusers`, `transformers`, ...
        kind: The class.
        folder: Where it lies, below the model's folder.
        source: The repository that the index takes it from, where it names one.
    """

    name: str
    library: str
    kind: str
    folder: str
    source: str = ""


def modular_class(path: Path) -> str | None:
    """The pipeline of a folder that diffusers runs and no family of ours does, by its index.

    Raises:
        InputError: The index is no JSON.
    """
    for index in (INDEX, MODULAR_INDEX):
        if (path / index).exists():
            name = str(read_config(path / index).get("_class_name"))
            if any(name in layout.pipelines for layout in CATALOG):
                return None
            if _known_to_diffusers(name):
                return name
    return None


def inspect_modular(path: Path) -> ModelFile:
    """Read the index and what it names.

    Raises:
        InputError: A part, its weights or its vocabulary is missing or broken, or diffusers has no
            modular pipeline for it.
    """
    name = modular_class(path)
    assert name is not None
    _require_modular(path, name)
    files: list[Path] = []
    estimating: list[Path] = []
    for component in components(path):
        _require(path, component)
        if (path / component.folder / "config.json").exists() and component.library in _STEMS:
            found = _weights(path, component)
            files += found
            estimating += found if denoising([component.name]) else []
    return ModelFile(
        path=path,
        digest=folder_digest(path, files),
        family=MODULAR,
        layout="folder",
        parts=frozenset(PART_NAMES),
        downscale=0,
        precision=folder_precision(estimating or files),
    )


def components(path: Path) -> list[Component]:
    """The parts that a folder's index names, those left out aside."""
    index = MODULAR_INDEX if (path / MODULAR_INDEX).exists() else INDEX
    return list(_components(read_config(path / index)))


def denoising(names: Iterable[str]) -> list[str]:
    """Those of a pipeline's parts that estimate, in order: of two, the second is for low noise."""
    return sorted(name for name in names if re.sub(r"_\d+$", "", name) in DENOISERS)


def stepping(names: Iterable[str]) -> list[str]:
    """Those of a pipeline's parts that a step asks: the networks that estimate, and what stands
    beside them for a half of guidance, such as `unconditional_transformer`."""
    ends = tuple(f"_{name}" for name in DENOISERS)
    return sorted(name for name in names if denoising([name]) or name.endswith(ends))


def network_modules(path: Path) -> frozenset[str]:
    """Names of the modules of a folder's denoising network that have weights, with underscores;
    none where they are not diffusers', as in GGUF files."""
    names = set()
    for component in components(path):
        if component.library == "diffusers" and component.name in DENOISERS:
            for file in _weights(path, component):
                if is_gguf(file):
                    return frozenset()
                names |= {name.rpartition(".")[0] for name in TensorTable.read(file).entries}
    return frozenset(name.replace(".", "_") for name in names)


def gguf_weights(path: Path, name: str, folder: str) -> Path | None:
    """The GGUF file that lies in the folder of a network in place of other weights.

    Args:
        path: The model's folder.
        name: What the pipeline calls the network; only those that estimate have such files.
        folder: The network's, below the model's.

    Raises:
        InputError: There are several.
    """
    place = path / folder
    if not denoising([name]) or any(place.glob("*.safetensors*")):
        return None
    files = sorted(file for file in place.iterdir() if is_gguf(file)) if place.is_dir() else []
    if len(files) > 1:
        raise InputError(
            f"the folder {place} has several GGUF files, {files[0].name} and {files[1].name}; "
            "leave the one there that is to be loaded"
        )
    return files[0] if files else None


def _weights(path: Path, component: Component) -> list[Path]:
    packed = gguf_weights(path, component.name, component.folder)
    if packed is not None:
        return [packed]
    part = Path(component.folder).as_posix()
    return weight_files(path, weights_layout(part, component.library), part)


def weights_layout(part: str, library: str) -> FolderLayout:
    """Where the weights of one part are, as `weight_files` wants to be told."""
    return FolderLayout(
        family=MODULAR,
        pipelines=(),
        weights={part: _STEMS[library]},
        tokenizers={},
        vocabularies=(),
        denoiser="",
        text_width="",
        predictions=(),
    )


def _components(index: Mapping[str, Any]) -> Iterator[Component]:
    for name, entry in index.items():
        if name.startswith("_") or not isinstance(entry, list) or len(entry) not in (2, 3):
            continue
        library, kind = entry[:2]
        folder, source = name, ""
        if len(entry) == 3 and isinstance(entry[2], dict):
            # The class of what was not loaded when the index was written stands in the third.
            hint = entry[2].get("type_hint") or (None, None)
            library, kind = library or hint[0], kind or hint[1]
            folder = entry[2].get("subfolder") or name
            source = entry[2].get("pretrained_model_name_or_path") or ""
        if isinstance(library, str) and isinstance(kind, str):
            yield Component(name, library, kind, folder, str(source))


def _require(path: Path, component: Component) -> None:
    if component.library not in _STEMS and _of_a_pipeline(component.library):
        # A part that only some uses of the pipeline want; loading it would tell.
        return
    if component.library not in _STEMS:
        raise InputError(
            f"the model {path} takes its part '{component.name}' from '{component.library}'; only "
            "parts of diffusers and transformers are loaded, no code that a model brings along"
        )
    folder = path / component.folder
    if not folder.is_dir():
        there = f" (its index takes it from {component.source})" if component.source else ""
        raise InputError(
            f"the model {path} lacks the part '{component.name}', a {component.kind}{there}; "
            f"put it into {folder}"
        )
    reads_text = "Tokenizer" in component.kind
    if reads_text and not any(
        all(any(folder.glob(name)) for name in names) for names in _VOCABULARIES
    ):
        raise InputError(
            f"the model {path} lacks the vocabulary of '{component.name}' "
            f"({component.folder}/tokenizer.json, or vocab.json and merges.txt); put it into "
            f"{folder}"
        )
    if not component.kind.endswith(_READERS) and component.library in _STEMS:
        configs = [folder / "config.json", *folder.glob("*_config.json")]
        read_config(next((file for file in configs if file.exists()), configs[0]))


def _require_modular(path: Path, name: str) -> None:
    """As far as diffusers' source tells; where it cannot be read, loading will tell."""
    if name.endswith("ModularPipeline"):
        return
    automatic, modular = (
        _source("pipelines/auto_pipeline.py"),
        _source("modular_pipelines/modular_pipeline.py"),
    )
    keys = re.findall(rf'\("([\w.\-]+)", {re.escape(name)}\)', automatic)
    if automatic and modular and not any(f'("{key}", _' in modular for key in keys):
        raise InputError(
            f"the model {path} is made for {name!r}, which neither a family of nodeflow's nor a "
            "modular pipeline of diffusers' reads; a later diffusers may"
        )


def _known_to_diffusers(name: str) -> bool:
    return f'"{name}"' in _source("__init__.py")


def _of_a_pipeline(library: str) -> bool:
    """Whether it is a folder of diffusers' own with a pipeline and its parts."""
    return library.isidentifier() and bool(_source(f"pipelines/{library}/__init__.py"))


@cache
def _source(file: str) -> str:
    """A file of diffusers as text: importing it would take seconds."""
    # On the path alone: where heavy libraries are refused, looking them up would be too.
    found = PathFinder.find_spec("diffusers")
    if found is None or found.origin is None:
        return ""
    try:
        return (Path(found.origin).parent / file).read_text(encoding="utf-8")
    except OSError:
        return ""
