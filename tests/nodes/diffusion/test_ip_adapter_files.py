"""IP-Adapters that do not fit, and files that are none."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.ip_adapter import (
    apply_ip_adapter,
    load_clip_vision,
    load_ip_adapter,
)
from nodeflow_nodes.diffusion.ip_adapter_checks import (
    check_ip_adapter,
    clip_vision_facts,
    ip_adapter_facts,
)

from nodeflow import Conditioning, Device, Image, InputError, ModelMemory
from tests.nodes.diffusion.adapter_files import make_adapter, make_encoder, write_adapter
from tests.nodes.diffusion.tiny_models import make_unet, save

KINDS = ("1", "2", "xl")


def test_one_for_another_family_or_encoder_is_told_before_the_run(
    tmp_path: Path,
) -> None:
    encoder = save(make_encoder().state_dict(), tmp_path / "encoder.safetensors")
    sees = clip_vision_facts(encoder)["clip_vision"]
    facts = {
        kind: ip_adapter_facts(
            write_adapter(make_adapter(make_unet(kind), "plus"), tmp_path / f"{kind}.safetensors")
        )["ip_adapter"]
        for kind in KINDS
    }
    prompt = {"family": "stable_diffusion", "text_width": 64}
    large = {"family": "stable_diffusion_xl", "text_width": 2048}
    check_ip_adapter(prompt, prompt, facts["1"], sees, 0.0, 1.0)
    with pytest.raises(
        InputError, match=r"is for text of width 192, and the positive .* is for 64"
    ):
        check_ip_adapter(prompt, prompt, facts["xl"], sees, 0.0, 1.0)
    with pytest.raises(
        InputError, match=r"is for the family stable_diffusion_xl, and the positive"
    ):
        check_ip_adapter(prompt, prompt, large, sees, 0.0, 1.0)
    with pytest.raises(
        InputError, match=r"states of width 1280, and the image encoder .* gives 128"
    ):
        check_ip_adapter(prompt, prompt, {**facts["1"], "image_width": 1280}, sees, 0.0, 1.0)
    with pytest.raises(InputError, match=r"begins at 0\.5 and ends at 0\.5"):
        check_ip_adapter(prompt, prompt, facts["1"], sees, 0.5, 0.5)
    assert ip_adapter_facts({}) == clip_vision_facts({}) == {}
    assert ip_adapter_facts(_of_width(tmp_path, 2048))["ip_adapter"]["family"] == (
        "stable_diffusion_xl"
    )
    services: dict[str, Any] = {"models": ModelMemory(), "device": Device()}
    yes = Conditioning(torch.zeros(1, 4, 64))
    files = load_ip_adapter(tmp_path / "xl.safetensors"), load_clip_vision(encoder)
    with pytest.raises(InputError, match=r"is for text of width 192, and the positive"):
        apply_ip_adapter(yes, yes, *files, (Image(torch.zeros(1, 8, 8, 3)),), **services)


def _of_width(folder: Path, width: int) -> Path:
    state = {
        "image_proj.proj.weight": torch.zeros(4 * width, 8),
        "ip_adapter.1.to_k_ip.weight": torch.zeros(8, width),
    }
    return save(state, folder / f"{width}.safetensors")


def test_bad_files_are_said(tmp_path: Path) -> None:
    unet = make_unet("1")
    model = save(unet.state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"is no IP-Adapter: it holds \d+ tensors, such as"):
        load_ip_adapter(model)
    groups = make_adapter(unet, "plain")
    faces = copy.deepcopy(groups)
    faces["ip_adapter"]["0.to_k_lora.down.weight"] = torch.zeros(4, 8)
    with pytest.raises(InputError, match="for the identity of faces, or of another new kind"):
        load_ip_adapter(write_adapter(faces, tmp_path / "faces.bin"))
    (tmp_path / "two").mkdir()
    for name in ("a.safetensors", "b.safetensors"):
        write_adapter(groups, tmp_path / "two" / name)
    with pytest.raises(InputError, match=r"holds 2 files of weights \('a\.safetensors', 'b\."):
        load_ip_adapter(tmp_path / "two")
    (tmp_path / "two" / "a.safetensors").unlink()
    assert load_ip_adapter(tmp_path / "two").path.endswith("b.safetensors")

    del groups["image_proj"]["norm.bias"]
    broken = load_ip_adapter(write_adapter(groups, tmp_path / "broken.safetensors"))
    with pytest.raises(InputError, match=r"broken\.safetensors lacks tensors of its architecture"):
        parts.ip_adapter(broken, ModelMemory(), Device())
