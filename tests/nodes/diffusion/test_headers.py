from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from nodeflow_nodes.diffusion.headers import read_config, read_header, weights_digest
from safetensors.torch import save_file

from nodeflow import InputError


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.ones(3), "b": torch.zeros(2, 2)}, path, metadata={"format": "pt"})
    return path


def test_a_whole_file_gives_its_header(weights: Path) -> None:
    assert set(json.loads(read_header(weights))) == {"a", "b", "__metadata__"}


@pytest.mark.parametrize("kept", [0, 5, 20, -1])
def test_a_truncated_file_is_said_to_be(weights: Path, kept: int) -> None:
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(
        InputError, match=r"model\.safetensors (is not a whole|are truncated|is empty)"
    ):
        read_header(weights)


def test_a_file_with_more_than_its_header_says_is_refused(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes() + b"more")
    with pytest.raises(InputError, match="too long"):
        read_header(weights)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"PK\x03\x04" + bytes(100), "is a pickle"),
        (b"\x80\x02}q\x00." + bytes(100), "is a pickle"),
        (b"<!DOCTYPE html><html></html>", "not a whole safetensors file"),
        ((2).to_bytes(8, "little") + b"[]", "header that is not one of safetensors"),
        ((2).to_bytes(8, "little") + b"{[", "header that is not one of safetensors"),
        ((8).to_bytes(8, "little") + b'{"a": 1}', "header that is not one of safetensors"),
    ],
)
def test_what_is_no_safetensors_file_is_named(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read_header(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.safetensors is missing"):
        read_header(tmp_path / "gone.safetensors")
    with pytest.raises(InputError, match=r"gone\.json is missing"):
        read_config(tmp_path / "gone.json")


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, "\udcff"])
def test_a_config_that_is_no_json_object_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"config\.json"):
        read_config(path)


def test_files_of_the_same_shapes_and_times_are_told_apart(tmp_path: Path) -> None:
    files = [tmp_path / name for name in "abc"]
    for file, number in zip(files, (1.0, 1.0, 2.0), strict=True):
        save_file({"weight": torch.full((300, 300), number)}, file)
        os.utime(file, ns=(0, 0))
    first, same, other = map(weights_digest, files)
    assert first == same != other
    os.utime(files[0], ns=(0, 1))
    assert weights_digest(files[0]) != first
