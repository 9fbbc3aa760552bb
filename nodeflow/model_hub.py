"""Models of the Hugging Face hub: which files of a repository are needed, and how they get here.

A repository is fetched into the folder of its kind under its own name, so that a workflow calls the
model by what the hub calls it, with or without a network. What is not whole yet lies in a folder
whose name begins with a dot; a later try goes on from there.
"""

from __future__ import annotations

import glob
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nodeflow.errors import InputError
from nodeflow.registry import Registry
from nodeflow.roots import INDICES, MODEL_KINDS, Roots
from nodeflow.workflow import Graph, Value, Workflow, read_input

_PART = r"[A-Za-z0-9][\w.-]*"
_REPOSITORY = re.compile(f"{_PART}/{_PART}")
_ENDINGS = (".safetensors", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
"""A name that ends so is a file's and no repository's."""

_TEXTS = (".json", ".txt", ".model", ".jinja")
"""Configs, vocabularies and templates of chats."""
_UNUSED = ("safety_checker",)
"""Parts of repositories that nothing here loads, though their indices name them."""
_WEIGHTS = re.compile(
    r"[^.]+?(?:\.(?P<variant>\w+?))?(?:-\d{5}-of-\d{5})?\.safetensors"
    r"(?P<index>\.index(?:\.(?P<of>\w+))?\.json)?"
)
_UNREACHABLE = (
    "the hub cannot be reached; connect this machine to the network, or put the model into the "
    "folder by hand"
)
_BROKEN_OFF = (
    "the download broke off; run the same again, and it goes on from there: what has come whole is "
    "not fetched again"
)
_VARIANTS = ("", "fp16", "bf16")
"""Which weights are taken if none are asked for, the first first."""


@dataclass(frozen=True)
class HubName:
    """What the hub calls a model: `owner/name`, or `owner/name/path/to/file`.

    Attributes:
        repository: `owner/name`.
        file: A single file in it; empty if the whole repository is the model.
    """

    repository: str
    file: str = ""

    @classmethod
    def parse(cls, name: str) -> HubName | None:
        """Read a name; None if it cannot be one of the hub."""
        parts = PurePosixPath(name).parts
        repository, file = "/".join(parts[:2]), "/".join(parts[2:])
        if "\\" in name or ".." in parts or not _REPOSITORY.fullmatch(repository):
            return None
        if repository.endswith(_ENDINGS) or (file and not file.endswith(_ENDINGS)):
            return None
        return cls(repository, file)

    def __str__(self) -> str:
        return f"{self.repository}/{self.file}" if self.file else self.repository


@dataclass(frozen=True)
class Download:
    """What is to be fetched.

    Attributes:
        name: What the hub calls it.
        commit: Of the repository.
        files: Names of the files in the repository, and their sizes in bytes.
    """

    name: HubName
    commit: str
    files: Mapping[str, int]

    @property
    def size(self) -> int:
        return sum(self.files.values())


def wanted_models(
    workflow: Workflow, registry: Registry, roots: Roots
) -> Iterator[tuple[str, HubName, str]]:
    """Models that a workflow names as the hub does and that are not here.

    Yields:
        The kind of file, its name, and the sentence that says where it was looked for.
    """
    graphs: list[Graph] = [workflow, *workflow.groups.values()]
    seen: set[tuple[str, HubName]] = set()
    for entry in (entry for graph in graphs for entry in graph.nodes.values()):
        spec = registry.specs.get(entry.type)
        for port in spec.inputs if spec is not None and entry.mode is None else ():
            if port.file is None or port.file.root not in MODEL_KINDS:
                continue
            found = read_input(entry.inputs[port.name]) if port.name in entry.inputs else None
            text = found.value if isinstance(found, Value) else None
            name = HubName.parse(text) if isinstance(text, str) else None
            if name is None or (port.file.root, name) in seen:
                continue
            seen.add((port.file.root, name))
            try:
                path = roots.resolve(port.file.root, str(name))
            except InputError as error:
                yield port.file.root, name, str(error)
            else:
                if not is_here(name, path):
                    yield port.file.root, name, f"{path} holds single files of '{name}' only"


def is_here(name: HubName, path: Path) -> bool:
    """Whether a model is at a path: a repository of which single files were fetched is not."""
    if name.file or not path.is_dir():
        return path.exists()
    configs = [*(path / index for index in INDICES), path / "config.json"]
    return any(file.exists() for file in configs) or any(path.glob("*/config.json"))


def look_up(name: HubName, revision: str = "main", variant: str = "") -> Download:
    """Ask the hub for what a model consists of.

    Args:
        revision: A branch, a tag or a commit.
        variant: Which weights, such as `fp16`; by default those in full precision if there are any.

    Raises:
        InputError: There is no such model, it cannot be used here, or the hub cannot be reached.
    """
    from huggingface_hub import HfApi  # it takes a while, and most runs need none

    with _told(name):
        info = HfApi().model_info(name.repository, revision=revision, files_metadata=True)
    files = {one.rfilename: one.size or 0 for one in info.siblings or ()}
    return Download(name, info.sha or revision, chosen(name, files, variant))


def fetch(download: Download, folder: Path) -> Path:
    """Fetch a model into a folder; what came before an earlier try failed is not fetched again.

    Returns:
        The model's file or folder.

    Raises:
        InputError: The download broke off, or there is no room on the disk.
    """
    name = download.name
    home = folder / name.repository
    unfinished = home.with_name(f".{home.name}.part")
    try:
        unfinished.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(unfinished).free
        there = sum(path.stat().st_size for path in unfinished.rglob("*") if path.is_file())
        if download.size - there > free:
            raise InputError(
                f"{name} has {download.size / 1e9:.1f} GB and the disk of {folder} has room for "
                f"{free / 1e9:.1f} GB; make room, or name another folder in NODEFLOW_MODELS"
            )
        _download(download, unfinished)
        if not name.file:
            shutil.rmtree(unfinished / ".cache", ignore_errors=True)
            _merge(unfinished, home)
            return home
        target = home / name.file
        target.parent.mkdir(parents=True, exist_ok=True)
        (unfinished / name.file).replace(target)
        if not any(_came(unfinished)):
            # Otherwise an earlier try for the whole repository goes on from there.
            shutil.rmtree(unfinished, ignore_errors=True)
        return target
    except OSError as error:
        if error.errno is None:
            # The library's own, of a file that came with another size than was announced.
            raise InputError(f"{name} cannot be fetched: {_BROKEN_OFF}") from error
        raise InputError(f"{name} cannot be kept in {folder}: {error.strerror or error}") from error


def _download(download: Download, folder: Path) -> None:
    from huggingface_hub import snapshot_download

    with _told(download.name, _BROKEN_OFF):
        snapshot_download(
            download.name.repository,
            revision=download.commit,
            local_dir=folder,
            allow_patterns=[glob.escape(file) for file in download.files],
        )
    # Where the hub is lost, the library may be content with what an earlier try has left.
    for file, size in download.files.items():
        path = folder / file
        if not path.is_file() or (size and path.stat().st_size != size):
            raise InputError(f"{download.name} cannot be fetched: {_BROKEN_OFF}")


def _came(unfinished: Path) -> Iterator[Path]:
    """Files that have come whole; the library keeps its notes in a folder with a dot."""
    for path in unfinished.rglob("*"):
        if path.is_file() and path.relative_to(unfinished).parts[0] != ".cache":
            yield path


def _merge(unfinished: Path, home: Path) -> None:
    """Move what is whole to its place, beside single files that may be there already."""
    if not home.exists():
        unfinished.rename(home)
        return
    files = list(_came(unfinished))
    # By its index or config a model is known to be whole: they come last.
    for file in sorted(files, key=lambda file: (file.suffix == ".json", file.parent == unfinished)):
        target = home / file.relative_to(unfinished)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    shutil.rmtree(unfinished, ignore_errors=True)


def chosen(name: HubName, files: Mapping[str, int], variant: str = "") -> dict[str, int]:
    """The files of a repository that a model needs: no pickles, no second set of weights.

    Args:
        files: All files and their sizes.
        variant: See `look_up`.

    Raises:
        InputError: What is asked for is not there.
    """
    if name.file:
        if name.file not in files:
            offered = _offered(name, files)
            raise InputError(f"{name.repository} has no file '{name.file}'; {offered}")
        return {name.file: files[name.file]}
    whole = not INDICES.isdisjoint(files)
    if not whole and "config.json" not in files:
        raise InputError(f"{name} is no model folder; {_offered(name, files)}")
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        folder, _, _ = file.rpartition("/")
        if folder not in _UNUSED and "/" not in folder and (whole or not folder):
            folders[folder].append(file)
    sets = {
        # Beside the parts of a whole model lies the same once more, in one file.
        folder: _weight_sets(members) if folder or not whole else {}
        for folder, members in folders.items()
    }
    variants = {one for found in sets.values() for one in found} - {""}
    if variant and variant not in variants:
        offered = (
            f"choose one of {', '.join(sorted(variants))}" if variants else "leave --variant out"
        )
        raise InputError(f"{name} has no variant '{variant}'; {offered}")
    texts = [file for members in folders.values() for file in members if _is_text(file)]
    weights = [
        file
        for folder, members in folders.items()
        if folder or not whole
        for file in _weights(name, folder, members, sets[folder], variant)
    ]
    return {file: files[file] for file in (*texts, *weights)}


def _is_text(file: str) -> bool:
    return file.endswith(_TEXTS) and not _WEIGHTS.fullmatch(file.rpartition("/")[2])


def _weight_sets(files: list[str]) -> dict[str, list[str]]:
    """The files with weights of a folder, and their indices, by variant."""
    sets: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        match = _WEIGHTS.fullmatch(file.rpartition("/")[2])
        if match is not None:
            sets[(match["of"] if match["index"] else match["variant"]) or ""].append(file)
    return sets


def _weights(
    name: HubName, folder: str, files: list[str], sets: Mapping[str, list[str]], variant: str
) -> list[str]:
    """One set of weights of a folder: those asked for, or the first of those that are usual."""
    place = f"'{folder or '.'}'"
    if not sets and any(file.endswith((".bin", ".ckpt", ".pt")) for file in files):
        raise InputError(
            f"{name} has only pickles in {place}, which are not fetched; choose a "
            "repository with safetensors files"
        )
    found = next((one for one in (variant, *_VARIANTS) if one in sets), None)
    if sets and found is None:
        known = ", ".join(sorted(sets))
        raise InputError(
            f"{name} has weights in {place} only as variant {known}; choose it with --variant, or "
            "choose another repository"
        )
    return [] if found is None else sets[found]


def _offered(name: HubName, files: Mapping[str, int]) -> str:
    """What can be named instead."""
    offered = sorted(file for file in files if file.endswith(_ENDINGS[:2]))
    if not offered:
        return "it has no file that can be loaded either"
    return "name one of its files: " + ", ".join(f"{name.repository}/{one}" for one in offered[:8])


@contextmanager
def _told(name: HubName, lost: str = _UNREACHABLE) -> Iterator[None]:
    """What goes wrong at the hub, as a sentence; `lost` is that of a connection which is none."""
    from httpx2 import HTTPError
    from huggingface_hub import errors

    says: dict[type[BaseException], str] = {
        errors.GatedRepoError: "it wants its terms accepted; do so on its page, and set HF_TOKEN",
        errors.RepositoryNotFoundError: (
            "there is no such repository, or it is private; set HF_TOKEN if it is yours"
        ),
        errors.RevisionNotFoundError: "there is no such revision; name a branch, tag or commit",
        errors.OfflineModeIsEnabled: "HF_HUB_OFFLINE forbids to ask the hub; unset it",
        errors.HfHubHTTPError: "the hub answers with a fault; try again later",
        **dict.fromkeys((HTTPError, errors.LocalEntryNotFoundError), lost),
        # These are raised by the faster of the library's two ways to fetch.
        **dict.fromkeys((ConnectionError, TimeoutError, RuntimeError), lost),
    }
    try:
        yield
    except tuple(says) as error:
        sentence = next(says[kind] for kind in says if isinstance(error, kind))
        raise InputError(f"{name} cannot be fetched: {sentence}") from error
