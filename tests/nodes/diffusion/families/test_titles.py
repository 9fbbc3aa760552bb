"""What people call a model, told by the widths that the published ones have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion.families.titles import title
from nodeflow_nodes.diffusion.inspection import inspect_model

from tests.nodes.diffusion.original_layout import original_unet, prefixed
from tests.nodes.diffusion.tiny_models import make_unet, save


def a_file(path: Path, kind: str, marks: Mapping[str, torch.Tensor], **config: Any) -> Path:
    """A network in its original layout, few channels wide, beside what trainers leave as a mark."""
    network = original_unet(make_unet(kind, **config).state_dict(), 1)
    return save({**prefixed("model.diffusion_model.", network), **marks}, path)


@pytest.mark.parametrize(
    ("kind", "config", "marks", "expected"),
    [
        ("1", {"cross_attention_dim": 768}, (), "Stable Diffusion 1"),
        (
            "1",
            {"cross_attention_dim": 768, "in_channels": 9},
            (),
            "Stable Diffusion 1, inpainting",
        ),
        # It is given a picture to edit, and no mask.
        ("1", {"cross_attention_dim": 768, "in_channels": 8}, (), "Stable Diffusion 1"),
        ("2", {"cross_attention_dim": 1024}, (), "Stable Diffusion 2"),
        (
            "2",
            {"cross_attention_dim": 1024},
            ("v_pred",),
            "Stable Diffusion 2, v-prediction",
        ),
        ("xl", {"cross_attention_dim": 2048}, (), "Stable Diffusion XL"),
        ("xl", {"cross_attention_dim": 2048}, ("v_pred",), "Stable Diffusion XL, v-prediction"),
        ("refiner", {"cross_attention_dim": 1280}, (), "Stable Diffusion XL refiner"),
        # As wide as no published one: its family is all that can be said.
        ("1", {"cross_attention_dim": 64}, (), ""),
    ],
)
def test_a_model_is_called_what_people_call_it(
    tmp_path: Path, kind: str, config: dict[str, Any], marks: tuple[str, ...], expected: str
) -> None:
    path = a_file(
        tmp_path / "model.safetensors", kind, {mark: torch.zeros(1) for mark in marks}, **config
    )
    assert title(inspect_model(path)) == expected
