"""The work folder of the training scripts: data and checkpoints, outside the repository."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
import torch


def add_work_option(parser: argparse.ArgumentParser) -> None:
    """Add `--work FOLDER`, by default in the user's cache."""
    default = platformdirs.user_cache_path("nodeflow") / "training"
    parser.add_argument("--work", type=Path, default=default, help="folder of data and checkpoints")


def work_folder(description: str) -> Path:
    """Parse a command line whose only option is `--work`; the folder is made."""
    parser = argparse.ArgumentParser(description=description)
    add_work_option(parser)
    return ensure_folder(parser.parse_args().work)


def ensure_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then rename it: no reader ever sees half a file."""
    temporary = path.with_name(path.name + ".part")
    write(temporary)
    temporary.replace(path)


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    replace_atomically(path, lambda temporary: torch.save(state, temporary))


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """A checkpoint written by `save_checkpoint`; None if training starts afresh."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
