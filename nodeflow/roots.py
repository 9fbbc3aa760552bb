"""Roots: the named folders that file inputs are looked up in. Nothing outside them is reached."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nodeflow.errors import InputError

MODEL_KINDS = (
    "checkpoints",
    "loras",
    "controlnet",
    "vae",
    "diffusion_models",
    "text_encoders",
    "embeddings",
    "upscalers",
    "clip_vision",
    "ipadapter",
    "vae_approx",
)
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "diffusion_models": ("unet",),
    "text_encoders": ("clip",),
    "upscalers": ("upscale_models",),
}
"""What ComfyUI calls the folder of a kind, where it is another name."""

INVOKE_BASES = ("any", "sd-1", "sd-2", "sdxl", "sdxl-refiner", "sd-3", "flux")
INVOKE_NAMES: Mapping[str, str] = {
    "checkpoints": "main",
    "loras": "lora",
    "controlnet": "controlnet",
    "vae": "vae",
    "text_encoders": "t5_encoder",
    "embeddings": "embedding",
    "upscalers": "spandrel_image_to_image",
    "clip_vision": "clip_vision",
    "ipadapter": "ip_adapter",
}
"""InvokeAI's folder of a kind, below one for each base model."""

INDICES = frozenset({"model_index.json", "modular_model_index.json"})
"""Files that make a folder one model in diffusers layout."""

WEIGHTS = frozenset(
    {".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin", ".pkl", ".onnx"}
)
"""How the names of files with weights end; beside them lie previews, notes and placeholders.

Some are read by no node of ours. They are listed with the reason: somebody took them for models.
"""

_LISTED = 10_000


@dataclass(frozen=True)
class Roots:
    """Kind of file to the folders that hold such files, in the order they are searched.

    Attributes:
        folders: Kind to folders; later ones are hidden by earlier ones.
        anywhere: Paths outside the roots may be named too: the user's own shell, never a server.
    """

    folders: Mapping[str, tuple[Path, ...]]
    anywhere: bool = False

    @classmethod
    def of(
        cls, models: Sequence[Path], inputs: Path, packs: Sequence[Path], *, anywhere: bool
    ) -> Roots:
        """The roots of an installation.

        Args:
            models: The user's model folders; each has a folder for a kind, named as here, as in
                ComfyUI, or as in InvokeAI.
            inputs: The user's own pictures.
            packs: Folders of packs, whose `models/` may hold models too.
            anywhere: See `Roots`.
        """
        places = [*models, *(pack / "models" for pack in packs if (pack / "models").is_dir())]
        folders = {
            kind: tuple(folder for place in places for folder in _folders(place, kind))
            for kind in MODEL_KINDS
        }
        return cls(folders | {"inputs": (inputs,)}, anywhere)

    def resolve(self, kind: str, name: str) -> Path:
        """The path of a file or folder.

        Args:
            kind: Such as `checkpoints`.
            name: Relative to the root, with `/`.

        Raises:
            InputError: There is none, or it lies outside; the sentence names the nearest.
        """
        if "\0" in name or not Path(name).parts:
            raise InputError(f"{name!r} is no file name")
        outside = Path(name).is_absolute() or ".." in Path(name).parts
        if not outside:
            for folder in self.folders.get(kind, ()):
                if _exists(folder / name):
                    return self._inside(kind, name, folder / name)
        if self.anywhere:
            path = Path(os.path.expanduser(name))
            if _exists(path):
                return path.resolve()
        elif outside:
            raise InputError(
                f"'{name}' lies outside of the folders for {kind}; give a name inside of them"
            )
        raise InputError(self._missing(kind, name))

    def _inside(self, kind: str, name: str, path: Path) -> Path:
        if not path.is_file() and not path.is_dir():
            # Reading a pipe would wait for ever.
            raise InputError(
                f"'{name}' among the {kind} is neither a file nor a folder but a pipe, a socket or "
                f"a device; put the file itself at {path}"
            )
        real = path.resolve()
        # A link may lead into any root, so that big files can be shared between folders.
        allowed = [folder.resolve() for folders in self.folders.values() for folder in folders]
        if self.anywhere or any(real.is_relative_to(folder) for folder in allowed):
            return path.absolute()
        raise InputError(
            f"'{name}' leads out of the folder for {kind}, to {real}; "
            "add that folder to NODEFLOW_MODELS to allow it"
        )

    def _missing(self, kind: str, name: str) -> str:
        for folder in self.folders.get(kind, ()):
            link = folder / name
            if _is_link(link):
                return (
                    f"'{name}' among the {kind} is a link to {os.readlink(link)}, which leads "
                    f"nowhere; put the file itself at {link}, or mend the link"
                )
        known = self.files(kind)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"; the nearest is '{near[0]}'" if near else ""
        places = ", ".join(str(folder) for folder in self.folders.get(kind, ())) or "no folder"
        return f"there is no '{name}' among the {kind} (looked in {places}){hint}"

    def files(self, kind: str) -> list[str]:
        """Names of all files of a kind; a folder with the index of a model counts as one file.

        Of models only what can hold weights is one; pipes and devices never are. Other names can
        be given all the same, see `resolve`.

        Linked folders are followed as far as `resolve` would go, each of them once.
        """
        names: dict[str, None] = {}
        allowed = [folder.resolve() for folders in self.folders.values() for folder in folders]
        for root in self.folders.get(kind, ()):
            seen: set[Path] = set()
            for folder, inner, files in os.walk(root, followlinks=True):
                place = Path(folder)
                real = place.resolve()
                reached = self.anywhere or any(real.is_relative_to(root) for root in allowed)
                if real in seen or not reached:
                    inner.clear()
                    continue
                seen.add(real)
                if not INDICES.isdisjoint(files):
                    names[place.relative_to(root).as_posix()] = None
                    inner.clear()
                    continue
                inner[:] = sorted(item for item in inner if not item.startswith("."))
                for file in sorted(files):
                    if _listed(kind, place / file):
                        names[(place / file).relative_to(root).as_posix()] = None
                if len(names) > _LISTED:
                    break
        return list(names)


def _folders(place: Path, kind: str) -> list[Path]:
    """Where files of a kind may lie in a folder of models; our own name for it comes first."""
    others = [place / name for name in OTHER_NAMES.get(kind, ())]
    if kind in INVOKE_NAMES:
        others += [place / base / INVOKE_NAMES[kind] for base in INVOKE_BASES]
    return [place / kind, *(folder for folder in others if folder.is_dir())]


def _listed(kind: str, path: Path) -> bool:
    """Whether somebody who looks for a file of a kind wants to see this one."""
    if path.name.startswith(".") or (kind in MODEL_KINDS and path.suffix.lower() not in WEIGHTS):
        return False
    try:
        # A link may lead nowhere.
        return path.is_file()
    except OSError:
        return False


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # A name that is too long, or a folder that may not be read.
        return False
