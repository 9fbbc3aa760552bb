from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nodeflow_nodes.diffusion.families import registry
from nodeflow_nodes.diffusion.families.catalog import CATALOG
from nodeflow_nodes.diffusion.folders import inspect_folder, layout_of, weight_variant

from nodeflow import InputError


def test_a_folder_tells_its_facts(folder: Path) -> None:
    found = inspect_folder(folder)
    assert (found.family, found.prediction) == ("stable_diffusion", "epsilon")
    assert (found.channels, found.downscale, found.text_width) == (4, 8, 16)


def test_a_copy_has_the_same_digest_and_a_change_another(
    folder: Path, broken: Path, change: Callable[..., None]
) -> None:
    digest = inspect_folder(folder).digest
    assert inspect_folder(broken).digest == digest  # copytree keeps the times
    change(broken, "vae/config.json", scaling_factor=0.25)
    changed = inspect_folder(broken).digest
    assert changed != digest
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    os.utime(weights, ns=(0, 0))
    assert inspect_folder(broken).digest not in (digest, changed)


PARTS = [
    "unet/config.json",
    "vae/config.json",
    "text_encoder/config.json",
    "scheduler/scheduler_config.json",
    "tokenizer/tokenizer_config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model.safetensors",
    "model_index.json",
]


@pytest.mark.parametrize("name", PARTS)
def test_a_missing_file_is_named(broken: Path, name: str) -> None:
    (broken / name).unlink()
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        inspect_folder(broken)


@pytest.mark.parametrize("name", [name for name in PARTS if name.endswith(".safetensors")])
def test_truncated_weights_are_named(broken: Path, name: str) -> None:
    path = broken / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=f"{name} are truncated".replace(".", r"\.")):
        inspect_folder(broken)


@pytest.mark.parametrize(
    ("file", "values", "sentence"),
    [
        ("model_index.json", {"_class_name": "OtherPipeline"}, "'OtherPipeline', which no family"),
        ("unet/config.json", {"in_channels": 8}, "takes 8 channels .* makes 4"),
        ("unet/config.json", {"cross_attention_dim": 8}, "text of width 8 .* makes 16"),
        ("vae/config.json", {"latent_channels": "4"}, "'latent_channels' is '4'"),
        ("vae/config.json", {"block_out_channels": 5}, "'block_out_channels' is 5"),
        ("scheduler/scheduler_config.json", {"prediction_type": "sample"}, "'sample' is unknown"),
    ],
)
def test_what_does_not_fit_is_said(
    broken: Path, change: Callable[..., None], file: str, values: object, sentence: str
) -> None:
    assert isinstance(values, dict)
    change(broken, file, **values)
    with pytest.raises(InputError, match=sentence):
        inspect_folder(broken)


def test_a_file_in_place_of_a_folder_is_said(folder: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        inspect_folder(folder / "model_index.json")


def test_a_missing_vocabulary_is_said(broken: Path) -> None:
    for file in (broken / "tokenizer").glob("*"):
        if file.name != "tokenizer_config.json":
            file.unlink()
    with pytest.raises(InputError, match="lacks its vocabulary"):
        inspect_folder(broken)


def test_only_pickles_are_said(broken: Path) -> None:
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(InputError, match="only pickles"):
        inspect_folder(broken)


@pytest.mark.parametrize("variant", ["fp16", "bf16", "non_ema"])
def test_weights_of_a_variant_are_found(broken: Path, variant: str) -> None:
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(f".{variant}.safetensors"))
    layout = layout_of(inspect_folder(broken).family)
    assert weight_variant(broken, layout, "unet") == variant
    assert weight_variant(broken, layout, "vae") is None


def test_a_missing_shard_is_named(broken: Path) -> None:
    unet = broken / "unet"
    shutil.move(unet / "diffusion_pytorch_model.safetensors", unet / "part-1.safetensors")
    index = unet / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}')
    with pytest.raises(InputError, match=r"part-2\.safetensors is missing"):
        inspect_folder(broken)


def test_catalogue_and_registry_know_the_same_families() -> None:
    # The last reads what no layout is for.
    assert {*(layout.family for layout in CATALOG), "modular"} == {
        f.name for f in registry._FAMILIES
    }


def test_hooks_and_load_model_need_no_torch() -> None:
    script = (
        "import sys, nodeflow_nodes.diffusion.hooks, nodeflow_nodes.diffusion.load; "
        "import nodeflow_nodes.diffusion.lora, nodeflow_nodes.diffusion.text_encoders; "
        "import nodeflow_nodes.diffusion.control; "
        "heavy = {'torch', 'diffusers', 'transformers', 'numpy'} & sys.modules.keys(); "
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_outside_families_names_one_or_imports_a_scheduler() -> None:
    pack = Path(registry.__file__).parents[1]
    for source in pack.rglob("*.py"):
        text = source.read_text()
        assert "Scheduler" not in text, source
        if source.parent.name != "families":
            assert not any(layout.family in text for layout in CATALOG), source
            assert "import diffusers" not in text, source
            assert "from diffusers" not in text, source
