"""What a single file is, told by its header: the full-size architectures, parts, bad files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL
from diffusers.loaders.single_file_utils import infer_diffusers_model_type
from nodeflow_nodes.diffusion import hooks
from nodeflow_nodes.diffusion.control_checks import control_facts
from nodeflow_nodes.diffusion.families import single_file
from nodeflow_nodes.diffusion.families.shapes import unet_config, vae_config
from nodeflow_nodes.diffusion.families.tensor_table import TensorTable
from nodeflow_nodes.diffusion.inspection import inspect_model
from torch import Tensor

from nodeflow import InputError
from tests.nodes.diffusion.full_size_models import FULL, FULL_VAE, full_size, write_header
from tests.nodes.diffusion.original_layout import original_unet, plain_clip
from tests.nodes.diffusion.tiny_models import make_clip, make_unet

WHOLE = {"denoiser", "text_encoder", "vae"}


@pytest.fixture(scope="module")
def states() -> dict[str, dict[str, Tensor]]:
    return {kind: full_size(kind) for kind in FULL}


@pytest.mark.parametrize(
    ("kind", "family", "width"),
    [
        ("1", "stable_diffusion", 768),
        ("2", "stable_diffusion", 1024),
        ("xl", "stable_diffusion_xl", 2048),
        ("refiner", "stable_diffusion_xl", 1280),
    ],
)
@pytest.mark.parametrize(
    ("dtype", "precision"), [(torch.float16, "fp16"), (torch.float8_e4m3fn, "fp8")]
)
def test_full_size_files_are_recognised(
    states: dict[str, dict[str, Tensor]],
    tmp_path: Path,
    kind: str,
    family: str,
    width: int,
    dtype: torch.dtype,
    precision: str,
) -> None:
    found = inspect_model(write_header(states[kind], tmp_path / "full.safetensors", dtype))
    assert (found.family, found.layout, found.parts) == (family, "original", WHOLE)
    assert (found.channels, found.downscale, found.text_width) == (4, 8, width)
    assert (found.prediction, found.precision) == ("epsilon", precision)
    # diffusers takes them for what they are, so the names are those of the original layout.
    kinds = {"1": "v1", "2": "v2", "xl": "xl_base", "refiner": "xl_refiner"}
    assert infer_diffusers_model_type(states[kind]) == kinds[kind]


@pytest.mark.parametrize("kind", FULL)
def test_shapes_give_the_full_size_architectures(
    states: dict[str, dict[str, Tensor]], kind: str
) -> None:
    name = {"1": "stable_diffusion_1", "2": "stable_diffusion_2"}.get(kind, "stable_diffusion_xl")
    prefix = "model.diffusion_model."
    own = {n.removeprefix(prefix): t for n, t in states[kind].items() if n.startswith(prefix)}
    converted = single_file._converted_unet(own)
    config = unet_config(converted, single_file.carried_config(name)["unet"])
    with torch.device("meta"):
        expected = make_unet(kind, layers_per_block=2, **FULL[kind])
        found = type(expected).from_config(config)
    assert shapes(found.state_dict()) == shapes(expected.state_dict()) == shapes(converted)
    heads = [m.heads for m in found.modules() if hasattr(m, "to_q")]
    assert heads == [m.heads for m in expected.modules() if hasattr(m, "to_q")]

    prefix = "first_stage_model."
    own = {n.removeprefix(prefix): t for n, t in states[kind].items() if n.startswith(prefix)}
    converted = single_file._diffusers_vae(own)
    with torch.device("meta"):
        vae = AutoencoderKL.from_config(vae_config(converted))
        assert shapes(vae.state_dict()) == shapes(AutoencoderKL(**FULL_VAE).state_dict())


def shapes(state: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("kept", "parts"),
    [
        ("model.diffusion_model.", {"denoiser"}),
        ("first_stage_model.", {"vae"}),
        ("(model.diffusion|first_stage)_model.", {"denoiser", "vae"}),
    ],
)
def test_parts_that_a_file_lacks_are_named(
    states: dict[str, dict[str, Tensor]], tmp_path: Path, kept: str, parts: set[str]
) -> None:
    import re

    some = {name: t for name, t in states["xl"].items() if re.match(kept, name)}
    file = write_header(some, tmp_path / "part.safetensors")
    assert inspect_model(file).parts == parts
    if parts == {"vae"}:
        with pytest.raises(
            InputError,
            match=r"saf.* no network; open it with load_vae \(from the folder vae\)",
        ):
            hooks.model_facts(file)
        return
    told = hooks.model_facts(file)
    assert told["model"]["family"] == "stable_diffusion_xl"
    with pytest.raises(InputError, match=r"part\.saf.*, but no text encoder; take one from ano"):
        hooks.text_facts(told["text_encoder"])
    if parts == {"denoiser"}:
        with pytest.raises(InputError, match=r"but no autoencoder; .*, with load_vae"):
            hooks.check_decode(told["vae"], None)
    else:
        hooks.check_decode(told["vae"], None)


def test_one_of_two_text_encoders_is_not_enough(
    states: dict[str, dict[str, Tensor]], tmp_path: Path
) -> None:
    some = {n: t for n, t in states["xl"].items() if "embedders.1" not in n}
    file = write_header(some, tmp_path / "half.safetensors")
    with pytest.raises(InputError, match="but no text encoder; take one from another file"):
        hooks.text_facts(hooks.model_facts(file)["text_encoder"])
    with pytest.raises(InputError, match="but no text encoder"):
        hooks.text_encoder_facts(file)
    assert hooks.vae_facts(file)["vae"]["channels"] == 4
    assert hooks.denoiser_facts(file)["model"]["text_width"] == 2048


def test_networks_and_autoencoders_in_diffusers_layout_are_recognised(tmp_path: Path) -> None:
    with torch.device("meta"):
        unet, vae = make_unet("xl", layers_per_block=2, **FULL["xl"]), AutoencoderKL(**FULL_VAE)
        clip = make_clip(768, num_hidden_layers=12)
    for module, parts, width in ((unet, {"denoiser"}, 2048), (vae, {"vae"}, 0)):
        found = inspect_model(write_header(module.state_dict(), tmp_path / "one.safetensors"))
        assert (found.layout, found.parts, found.text_width) == ("diffusers", parts, width)
        assert (found.channels, found.downscale) == (4, 8)
    text = inspect_model(write_header(plain_clip(clip.state_dict()), tmp_path / "t.safetensors"))
    assert (text.parts, text.text_width) == ({"text_encoder"}, 768)


def test_velocities_are_told_by_marks_and_by_weights(
    states: dict[str, dict[str, Tensor]], tmp_path: Path
) -> None:
    marked = states["xl"] | {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    found = inspect_model(write_header(marked, tmp_path / "marked.safetensors"))
    assert (found.prediction, found.zero_terminal_snr) == ("v_prediction", True)

    file = write_header(states["2"], tmp_path / "two.safetensors")
    last = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"
    entry = TensorTable.read(file).entries[last]
    values = (torch.arange(320) % 2 * 0.4).half()
    with file.open("r+b") as opened:
        opened.seek(entry.start)
        opened.write(values.numpy().tobytes())
    assert inspect_model(file).prediction == "v_prediction"


def test_a_network_that_fills_holes_is_known_by_its_channels(tmp_path: Path) -> None:
    with torch.device("meta"):
        unet = make_unet("1", in_channels=9)
    file = write_header(original_unet(unet.state_dict(), 1), tmp_path / "inpaint.safetensors")
    assert (inspect_model(file).channels, inspect_model(file).inputs) == (4, 9)


def small(path: Path) -> Path:
    with torch.device("meta"):
        return write_header(original_unet(make_unet("1").state_dict(), 1), path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lie(path: Path) -> None:
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"shape": [32, 4, 3, 3]', b'"shape": [64, 4, 3, 3]', 1))


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The file with another header before the same weights."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[start:])


def leave_a_gap(path: Path) -> None:
    rewritten(path, lambda header: header.pop("time_embed.0.weight"))


def overlap(path: Path) -> None:
    def move(header: dict[str, Any]) -> None:
        header["again"] = header["time_embed.0.weight"]

    rewritten(path, move)


def unknown_numbers(path: Path) -> None:
    rewritten(path, lambda header: header["time_embed.0.weight"].update(dtype="F99"))


def metadata_of_numbers(path: Path) -> None:
    rewritten(path, lambda header: header.update(__metadata__={"epoch": 3}))


def overlong(path: Path) -> None:
    path.write_bytes((2**40).to_bytes(8, "little") + path.read_bytes()[8:])


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (truncate, "are truncated"),
        (
            lie,
            r"header of .* lies: the tensor 'input_blocks\.0\.0\.weight' of shape \[64, 4, 3, 3\]",
        ),
        (leave_a_gap, r"header of .*model\.safetensors is not one of .*; fetch the file again"),
        (overlap, r"header of .*model\.safetensors is not one of .*; fetch the file again"),
        (unknown_numbers, r"header of .*is not one of safetensors .*F99.*; fetch the file again"),
        (metadata_of_numbers, r"header of .*is not one of safetensors .*; fetch the file again"),
        (overlong, "says that its header is 1,099,511,627,776 bytes long, and it has"),
        (lambda path: path.write_bytes(b"PK\3\4" + bytes(99)), "is a pickle"),
        (lambda path: path.write_bytes(b""), "is empty; fetch the file again"),
        (lambda path: path.unlink(), "is missing"),
    ],
)
def test_bad_files_are_said_before_the_run(
    tmp_path: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    file = small(tmp_path / "model.safetensors")
    inspect_model(file)
    damage(file)
    with pytest.raises(InputError, match=sentence):
        hooks.denoiser_facts(file)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["blocks.0.weight", "head.bias"], r"holds 2 tensors, such as 'blocks\.0\.weight', 'head"),
        (["lora_unet_down_blocks_0.lora_up.weight"], "is a LoRA, not a model"),
        (["control_model.input_blocks.0.0.weight"], "is a ControlNet, not a model"),
        ([], "it holds no tensor; choose a model of one of them"),
    ],
)
def test_what_is_no_model_is_said_with_what_was_seen(
    tmp_path: Path, names: list[str], sentence: str
) -> None:
    file = write_header({name: torch.zeros(3) for name in names}, tmp_path / "odd.safetensors")
    with pytest.raises(InputError, match=sentence):
        inspect_model(file)


def test_levels_of_edm_are_refused(tmp_path: Path) -> None:
    with torch.device("meta"):
        state = original_unet(make_unet("xl").state_dict(), 1)
    file = write_header(state | {"edm_mean": torch.zeros(4)}, tmp_path / "edm.safetensors")
    with pytest.raises(InputError, match="noise levels of EDM"):
        inspect_model(file)


def test_a_files_digest_follows_its_content(tmp_path: Path) -> None:
    file = small(tmp_path / "model.safetensors")
    before = inspect_model(file).digest
    assert inspect_model(file).digest == before
    file.write_bytes(file.read_bytes())
    assert inspect_model(file).digest != before


def test_shapes_of_no_network_are_told_with_the_file(tmp_path: Path) -> None:
    state = original_unet(make_unet("1").state_dict(), 1)
    flat = {name: torch.zeros(tensor.numel()) for name, tensor in state.items()}
    file = write_header(flat, tmp_path / "flat.safetensors")
    with pytest.raises(InputError, match=r"flat\.safetensors have shapes .*; fetch the file again"):
        inspect_model(file)


def test_a_control_networks_shapes_are_told_with_the_file(tmp_path: Path) -> None:
    state = {
        "controlnet_blocks.0.weight": torch.zeros(4, 4),
        "pos_embed_input.proj.weight": torch.zeros(4),
    }
    file = write_header(state, tmp_path / "flat.safetensors")
    with pytest.raises(InputError, match=r"flat\.safetensors have shapes .*; fetch the file again"):
        control_facts(file)
