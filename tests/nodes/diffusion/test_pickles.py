"""Checkpoints in torch's own format: tensors are read, programs are not run."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nodeflow_nodes.diffusion import parts
from nodeflow_nodes.diffusion.families.family import PromptBatch
from nodeflow_nodes.diffusion.inspection import inspect_model
from nodeflow_nodes.diffusion.load import load_model
from nodeflow_nodes.diffusion.pickles import read_pickle_entries
from torch import Tensor

from nodeflow import Device, InputError, ModelMemory
from tests.nodes.diffusion.tiny_models import make_pipeline, original_state, save

Weights = dict[str, Tensor]


@pytest.fixture(scope="module")
def weights() -> Weights:
    return original_state("1", make_pipeline("1"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("beside", [False, True])
def test_a_checkpoint_is_the_same_model_as_its_safetensors(
    weights: Weights, tmp_path: Path, dtype: torch.dtype, beside: bool
) -> None:
    state = {name: tensor.to(dtype) for name, tensor in weights.items()}
    told: object = {"state_dict": state, "epoch": 3, "name": "mine"} if beside else state
    torch.save(told, tmp_path / "model.ckpt")
    save(weights, tmp_path / "model.safetensors", dtype)
    found, same = (inspect_model(tmp_path / f"model.{end}") for end in ("ckpt", "safetensors"))
    names = ("family", "layout", "parts", "prediction", "channels", "text_width", "precision")
    assert [getattr(found, n) for n in names] == [getattr(same, n) for n in names]
    x, hidden = torch.randn(1, 4, 8, 8), torch.randn(1, 77, 64)
    estimates = [
        parts.denoiser(load_model(file).model, ModelMemory(), Device()).estimate(
            x, 2.0, PromptBatch(hidden)
        )
        for file in (tmp_path / "model.ckpt", tmp_path / "model.safetensors")
    ]
    # Weights that stay mapped to a file lie at other addresses there, and sums round otherwise.
    assert torch.allclose(*estimates, atol=1e-5)


def test_numbers_stand_where_the_head_says(tmp_path: Path) -> None:
    whole = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    torch.save({"whole": whole, "part": whole[2:], "one": torch.ones(3).half()}, tmp_path / "a.pt")
    entries = read_pickle_entries(tmp_path / "a.pt")
    data = (tmp_path / "a.pt").read_bytes()

    def read(name: str) -> list[float]:
        entry = entries[name]
        dtype = {"F32": torch.float32, "F16": torch.float16}[entry.dtype]
        raw = bytearray(data[entry.start : entry.start + entry.size])
        return torch.frombuffer(raw, dtype=dtype).tolist()

    assert read("whole") == list(range(24))
    assert read("part") == list(range(12, 24))
    assert read("one") == [1, 1, 1]
    assert entries["part"].shape == (2, 6)


def test_tensors_in_groups_go_by_the_groups_name(tmp_path: Path) -> None:
    torch.save({"head": {"bias": torch.zeros(2)}, "tail": torch.ones(3)}, tmp_path / "groups.bin")
    entries = read_pickle_entries(tmp_path / "groups.bin")
    assert {name: entry.shape for name, entry in entries.items()} == {
        "head.bias": (2,),
        "tail": (3,),
    }


class Program:
    """What a hostile file could hold."""

    ran = False

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return setattr, (Program, "ran", True)


@pytest.mark.parametrize("where", ["beside", "inside"])
def test_a_program_is_refused_and_never_run(tmp_path: Path, where: str) -> None:
    state: dict[str, Any] = {"weight": torch.zeros(2)}
    told = (
        {"state_dict": state, "hook": Program()} if where == "beside" else {**state, "x": Program()}
    )
    torch.save(told, tmp_path / "evil.ckpt")
    with pytest.raises(
        InputError, match=r"evil\.ckpt is a pickle that wants '__builtin__\.setattr'"
    ):
        inspect_model(tmp_path / "evil.ckpt")
    assert not Program.ran


def old(path: Path, weights: Weights) -> None:
    torch.save(weights, path, _use_new_zipfile_serialization=False)


def cut(path: Path, weights: Weights) -> None:
    torch.save(weights, path)
    path.write_bytes(path.read_bytes()[:-100])


def plain(path: Path, weights: Weights) -> None:
    path.write_bytes(pickle.dumps({"weight": [1, 2]}))


@pytest.mark.parametrize("damage", [old, cut, plain])
def test_what_is_no_whole_checkpoint_is_said(
    weights: Weights, tmp_path: Path, damage: Callable[[Path, Weights], None]
) -> None:
    damage(tmp_path / "model.ckpt", weights)
    with pytest.raises(InputError, match=r"model\.ckpt is a pickle in the format of old versions"):
        inspect_model(tmp_path / "model.ckpt")


def test_a_missing_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.ckpt is missing"):
        inspect_model(tmp_path / "none.ckpt")


def test_other_tensors_are_told_by_their_names(tmp_path: Path) -> None:
    torch.save({"head.bias": torch.zeros(2), "steps": 5}, tmp_path / "odd.pt")
    with pytest.raises(InputError, match=r"it holds 1 tensors, such as 'head\.bias'"):
        inspect_model(tmp_path / "odd.pt")


def test_numbers_stand_where_the_head_of_an_old_pickle_says(tmp_path: Path) -> None:
    whole = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    path = tmp_path / "old.pt"
    told = {"part": whole[2:], "one": torch.ones(3).half()}
    torch.save(told, path, _use_new_zipfile_serialization=False)
    entries = read_pickle_entries(path, old=True)
    part, one = entries["part"], entries["one"]
    assert (part.dtype, part.shape, one.dtype, one.shape) == ("F32", (2, 6), "F16", (3,))
    data = path.read_bytes()
    assert data[part.start : part.start + part.size] == whole[2:].numpy().tobytes()
    assert data[one.start : one.start + one.size] == told["one"].numpy().tobytes()
    with pytest.raises(InputError, match="in the format of old versions of torch"):
        read_pickle_entries(path)
