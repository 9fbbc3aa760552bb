"""Shrunk models of kinds that no family of ours knows, made once a session."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nodeflow import (
    ModelMemory,
)
from tests.nodes.diffusion.modular_models import (
    save_flux_2,
    save_ideogram,
    save_ltx,
    save_qwen_image,
    save_wan,
    save_wan_of_two,
    save_z_image,
)
from tests.nodes.diffusion.modular_picture_models import (
    save_flux_kontext,
    save_qwen_image_edit,
    save_wan_of_pictures,
)

SAVERS: dict[str, Callable[[Path], Any]] = {
    "z_image": save_z_image,
    "wan": save_wan,
    "wan_of_two": save_wan_of_two,
    "qwen_image": save_qwen_image,
    "flux_2": save_flux_2,
    "ltx": save_ltx,
    "ideogram": save_ideogram,
    "wan_of_pictures": save_wan_of_pictures,
    "flux_kontext": save_flux_kontext,
    "qwen_image_edit": save_qwen_image_edit,
    "deep ltx": partial(save_ltx, layers=3),
    # Of matrices that are large enough to be quantised.
    "large z_image": partial(save_z_image, heads=8),
    "large wan": partial(save_wan, heads=16),
    "large wan_of_two": partial(save_wan_of_two, heads=16),
    "large qwen_image": partial(save_qwen_image, heads=8),
    "large flux_2": partial(save_flux_2, heads=8),
}


@pytest.fixture(scope="session")
def memory() -> ModelMemory:
    return ModelMemory()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Any]]:
    """A kind's folder and diffusers' pipeline for it, made once."""
    root = tmp_path_factory.mktemp("modular")
    known: dict[str, tuple[Path, Any]] = {}

    def make(kind: str) -> tuple[Path, Any]:
        if kind not in known:
            pipeline = SAVERS[kind](root / kind)
            pipeline.set_progress_bar_config(disable=True)
            known[kind] = root / kind, pipeline
        return known[kind]

    return make


@pytest.fixture
def with_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the packages of weights in few bits were there, as far as checks look."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
