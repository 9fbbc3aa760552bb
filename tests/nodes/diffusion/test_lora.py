"""LoRA files through our nodes beside diffusers' pipelines with peft."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import lora, parts
from nodeflow_nodes.diffusion.load import LoadedModel
from nodeflow_nodes.diffusion.lora import load_lora, load_lora_model
from nodeflow_nodes.diffusion.lora_checks import check_lora, check_lora_model
from nodeflow_nodes.diffusion.samplers.euler import euler

from nodeflow import Device, InputError, ModelMemory, Precision
from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED
from tests.nodes.diffusion.lora_files import diffusers_state, kohya_state, make_layers, write
from tests.nodes.diffusion.side_by_side import EULER, distance, ours, theirs
from tests.nodes.diffusion.tiny_models import make_pipeline

KINDS = ("1", "2", "xl")


@pytest.fixture
def pipe_of(pipes: dict[str, Any]) -> Iterator[Any]:
    """The pipelines, without adapters again when the test is done."""
    used = []

    def get(kind: str) -> Any:
        used.append(pipes[kind])
        return pipes[kind]

    yield get
    for pipe in used:
        pipe.unload_lora_weights()


def with_file(model: LoadedModel, file: Path, *strengths: float) -> LoadedModel:
    return LoadedModel(*load_lora(model.model, model.text_encoder, file, *strengths), model.vae)


@pytest.mark.parametrize("node", [lora.load_lora, lora.load_lora_model])
def test_the_nodes_are_described(node: Any) -> None:
    spec = read_node(node, "diffusion", {socket.of: socket.name for socket in SHARED})
    assert spec.description
    assert [item.name for item in spec.inputs if not item.description] == []


@pytest.mark.parametrize("layout", ["diffusers", "kohya", "kohya, first names"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_draws_what_the_pipeline_draws(
    pipe_of: Any,
    opened: dict[str, LoadedModel],
    memory: ModelMemory,
    tmp_path: Path,
    kind: str,
    layout: str,
) -> None:
    pipe, model, file = pipe_of(kind), opened[kind], tmp_path / "lora.safetensors"
    # The pipeline knows the first names only of XL, and there not those of convolutions.
    layers = make_layers(pipe, only="" if layout == "diffusers" else "attn")
    reference = diffusers_state(layers)
    if layout == "diffusers":
        write(*(reference[0], file, reference[1]))
    else:
        write(kohya_state(layers, pipe.unet if "first" in layout else None), file)
    plain = ours(model, memory, euler, EULER, 5.0)
    found = ours(with_file(model, file, 0.7, 0.4), memory, euler, EULER, 5.0)

    weights = {"unet": 0.7} | {part: 0.4 for part in layers if part != "unet"}
    as_pipeline = write(reference[0], tmp_path / "reference.safetensors", reference[1])
    pipe.load_lora_weights(as_pipeline, adapter_name="a")
    pipe.set_adapters("a", weights)
    expected = theirs(pipe, EULER, 5.0)
    assert distance(found, expected) <= 1e-4
    assert distance(found, plain) > 0.02


def test_a_file_of_kohyas_is_read_as_the_pipeline_reads_it(
    pipe_of: Any, opened: dict[str, LoadedModel], memory: ModelMemory, tmp_path: Path
) -> None:
    for kind, first in (("1", False), ("xl", True)):
        pipe = pipe_of(kind)
        layers = make_layers(pipe, 1, only="attn")
        file = write(kohya_state(layers, pipe.unet if first else None), tmp_path / f"{kind}.st")
        file = file.rename(file.with_suffix(".safetensors"))
        pipe.load_lora_weights(file)
        found = ours(with_file(opened[kind], file), memory, euler, EULER, 1.0)
        assert distance(found, theirs(pipe, EULER, 1.0)) <= 1e-4


def test_several_are_laid_over_each_other(
    opened: dict[str, LoadedModel], memory: ModelMemory, tmp_path: Path
) -> None:
    pipe, model = make_pipeline("1"), opened["1"]
    for seed in (1, 2):
        state, metadata = diffusers_state(make_layers(pipe, seed))
        file = write(state, tmp_path / f"{seed}.safetensors", metadata)
        model = with_file(model, file, 0.5, 0.5)
        pipe.load_lora_weights(file)
        pipe.fuse_lora(lora_scale=0.5)
        pipe.unload_lora_weights()
    found = ours(model, memory, euler, EULER, 5.0)
    assert distance(found, theirs(pipe, EULER, 5.0)) <= 1e-4


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.BF16])
def test_without_it_the_picture_is_the_old_one_to_the_bit(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], tmp_path: Path, precision: Precision
) -> None:
    file = write(kohya_state(make_layers(pipes["1"])), tmp_path / "lora.safetensors")
    device, memory, model = Device(precision=precision), ModelMemory(), opened["1"]

    def weights(recipe: Any) -> dict[str, torch.Tensor]:
        network: Any = parts.denoiser(recipe, memory, device)
        return {name: weight.clone() for name, weight in network.network.named_parameters()}

    before = weights(model.model)
    patched = with_file(model, file, 0.8, 0.8)
    changed = weights(patched.model)
    back = with_file(patched, file, -0.8, -0.8)
    after = weights(model.model)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not all(torch.equal(before[name], changed[name]) for name in before)
    if precision is Precision.BF16:
        # Rounded once, after both: what two of them cancel leaves the plain weights.
        assert all(torch.equal(before[name], again) for name, again in weights(back.model).items())


def test_what_it_does_not_change_is_held_once(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], tmp_path: Path
) -> None:
    layers = make_layers(pipes["1"], only="attn2.to_k")
    file = write(kohya_state(layers), tmp_path / "lora.safetensors")
    memory, model = ModelMemory(), opened["1"]
    base: Any = parts.denoiser(model.model, memory, Device())
    before = memory.used
    patched: Any = parts.denoiser(with_file(model, file).model, memory, Device())
    changed = [base.network.get_submodule(name).weight for name in layers["unet"]]
    assert memory.used - before == sum(weight.nbytes for weight in changed)
    pointers = {weight.data_ptr() for weight in base.network.parameters()}
    own = [w for w in patched.network.parameters() if w.data_ptr() not in pointers]
    assert len(own) == len(changed)


def test_a_part_that_a_file_does_not_change_stays_the_same_recipe(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], tmp_path: Path
) -> None:
    layers = make_layers(pipes["1"])
    model = opened["1"]
    file = write(kohya_state({"unet": layers["unet"]}), tmp_path / "unet.safetensors")
    assert with_file(model, file).text_encoder == model.text_encoder
    assert with_file(model, file, 0.0).model == model.model
    assert with_file(model, file).model != model.model
    assert load_lora_model(model.model, file) == with_file(model, file).model
    text = write(
        kohya_state({"text_encoder": layers["text_encoder"]}), tmp_path / "text.safetensors"
    )
    assert with_file(model, text).model == model.model
    with pytest.raises(InputError, match="changes text encoders only; use load_lora"):
        check_lora_model({}, text)


def test_one_for_another_family_is_refused_before_the_run(
    pipes: dict[str, Any], tmp_path: Path
) -> None:
    files = {
        kind: write(kohya_state(make_layers(pipes[kind])), tmp_path / f"{kind}.safetensors")
        for kind in KINDS
    }
    model = {"family": "stable_diffusion", "text_width": 64}
    check_lora(model, model, files["1"])
    with pytest.raises(InputError, match=r"xl.* take text of width 192, and this model's takes 64"):
        check_lora(model, model, files["xl"])
    with pytest.raises(InputError, match=r"text encoders of width 192, and this model's make 64"):
        check_lora({}, model, files["xl"])
    with pytest.raises(
        InputError, match=r"is for models of the family stable_diffusion or .* is of magic"
    ):
        check_lora({"family": "magic"}, {}, files["1"])
    check_lora(None, None, None)


def test_one_that_does_not_fit_says_where(
    pipes: dict[str, Any], opened: dict[str, LoadedModel], tmp_path: Path
) -> None:
    layers = make_layers(pipes["1"], only="mid_block.attentions.0.transformer_blocks.0.attn1.to_q")
    state = kohya_state(layers)
    name = next(name for name in state if name.endswith("lora_up.weight"))
    wrong = write(state | {name: torch.zeros(7, 4)}, tmp_path / "wrong.safetensors")
    with pytest.raises(
        InputError, match=r"attn1_to_q' \(.*up \[7, 4\]\) does not fit .*\[64, 64\]"
    ):
        parts.denoiser(load_lora_model(opened["1"].model, wrong), ModelMemory(), Device())


def test_layers_for_nothing_are_told(
    pipes: dict[str, Any],
    opened: dict[str, LoadedModel],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = kohya_state(make_layers(pipes["1"]))
    extra = {
        "lora_unet_mid_block_attentions_7_proj_in.lora_down.weight": torch.zeros(4, 4),
        "what.is.this": torch.zeros(1),
    }
    file = write(state | extra, tmp_path / "more.safetensors")
    parts.denoiser(load_lora_model(opened["1"].model, file), ModelMemory(), Device())
    assert "holds 2 layers that are for nothing in this model" in caplog.text
    assert "mid_block_attentions_7_proj_in" in caplog.text

    only = write(
        {n.replace("mid_block", "mid_block_9"): t for n, t in state.items() if "mid_block" in n},
        tmp_path / "only.safetensors",
    )
    with pytest.raises(
        InputError, match=r"is for another model, .*: this model has no 'mid_block_9"
    ):
        parts.denoiser(load_lora_model(opened["1"].model, only), ModelMemory(), Device())


def test_what_is_no_lora_is_said(opened: dict[str, LoadedModel], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no LoRA: it holds \d+ tensors, such as .*load_model"):
        check_lora({}, {}, Path(opened["1"].model.path))
    strange = {"some.module.lora_down.weight": torch.zeros(4, 4)}
    model = {"family": "stable_diffusion"}
    file = write(strange, tmp_path / "strange.safetensors")
    with pytest.raises(InputError, match="changes 1 modules, such as 'some_module', which no"):
        check_lora(model, {}, file)
    with pytest.raises(InputError, match="is a pickle"):
        check_lora({}, {}, tmp_path / "old.pt")
