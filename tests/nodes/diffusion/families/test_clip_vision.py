"""Image encoders: what their files tell, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from accelerate import init_empty_weights
from nodeflow_nodes.diffusion.families.clip_vision import ClipVision, config_of
from nodeflow_nodes.diffusion.families.ip_adapter_keys import ClipVisionFile
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from nodeflow import Device, InputError
from tests.nodes.diffusion.adapter_files import IMAGE_SIDE, make_encoder
from tests.nodes.diffusion.tiny_models import save


@pytest.mark.parametrize(
    ("width", "layers", "heads", "activation"),
    [
        (768, 12, 12, "quick_gelu"),  # ViT-B
        (1024, 24, 16, "quick_gelu"),  # ViT-L
        (1280, 32, 16, "gelu"),  # ViT-H
        (1664, 48, 16, "gelu"),  # ViT-bigG
    ],
)
def test_a_single_file_of_a_known_size_gives_the_config_it_was_made_with(
    width: int, layers: int, heads: int, activation: str
) -> None:
    made = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        hidden_act=activation,
        image_size=224,
        patch_size=14,
    )
    with init_empty_weights():
        network = CLIPVisionModelWithProjection(made)
    assert config_of(network.state_dict()).to_dict() == made.to_dict()


def test_a_config_beside_the_weights_is_heeded_if_it_is_an_image_encoders(tmp_path: Path) -> None:
    network = make_encoder()
    network.save_pretrained(tmp_path)
    image = torch.rand(1, IMAGE_SIDE, IMAGE_SIDE, 3)

    def seen(path: Path) -> torch.Tensor:
        return ClipVision.load(ClipVisionFile.read(path), Device()).projected([image])

    folder, file, config = (tmp_path, tmp_path / "model.safetensors", tmp_path / "config.json")
    plain = seen(folder)
    # Other formats of the same may lie beside it.
    (tmp_path / "model.fp16.safetensors").write_bytes(b"")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    told = json.loads(config.read_text())
    config.write_text(json.dumps(told | {"hidden_act": "gelu"}))
    assert torch.equal(seen(folder), seen(file))
    assert not torch.allclose(seen(folder), plain)
    config.write_text(json.dumps(told | {"hidden_act": "gelu", "model_type": "another"}))
    assert torch.equal(seen(folder), plain)


def test_bad_files_are_said(tmp_path: Path) -> None:
    other = save({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"other\.safetensors is no CLIP image encoder with its"):
        ClipVisionFile.read(other)
    open_clip = save({"visual.proj": torch.zeros(2)}, tmp_path / "open.safetensors")
    with pytest.raises(InputError, match="in the layout of OpenCLIP, which is not read"):
        ClipVisionFile.read(open_clip)

    network = make_encoder()
    state = network.state_dict()
    del state["vision_model.post_layernorm.bias"]
    lacking = ClipVisionFile.read(save(state, tmp_path / "lacking.safetensors"))
    with pytest.raises(
        InputError, match=r"lacks 1 tensors .* 'vision_model\.post_layernorm\.bias'"
    ):
        ClipVision.load(lacking, Device())

    network.save_pretrained(tmp_path / "folder")
    config = tmp_path / "folder" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"num_attention_heads": 3}))
    with pytest.raises(InputError, match=r"config\.json describes no image encoder \(.*heads"):
        ClipVision.load(ClipVisionFile.read(tmp_path / "folder"), Device())
