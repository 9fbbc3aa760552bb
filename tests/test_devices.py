"""The device: asked for once, remembered, and wrong names said in a sentence."""

from __future__ import annotations

import os
import sys

import pytest

from nodeflow.devices import find_device
from nodeflow.engine import Engine
from nodeflow.errors import SettingsError, StoreError
from nodeflow.settings import Settings
from nodeflow.sockets import Precision


class Memory:
    def __init__(self) -> None:
        self.items: dict[str, object] = {}

    def recall(self, kind, keys):
        return {key: self.items[key] for key in keys if key in self.items}

    def remember(self, kind, items):
        self.items |= items


class FullMemory(Memory):
    def remember(self, kind, items):
        raise StoreError("The disk is full.")


def test_torch_is_asked_once_for_each_question(monkeypatch):
    asked = []

    def probe(device, precision):
        asked.append((device, precision))
        return {"name": "cpu", "precision": "bf16", "kind": "a chip"}

    class Probe:
        pass

    Probe.probe = staticmethod(probe)
    monkeypatch.setitem(sys.modules, "nodeflow.probe", Probe)
    memory = Memory()
    first = find_device("auto", "auto", memory)
    assert find_device("auto", "auto", memory) == first
    assert asked == [("auto", "auto")]
    assert find_device("cpu", "fp32", memory).device.name == "cpu"
    assert find_device("auto", "auto", FullMemory()) == first
    assert len(asked) == 3
    assert first.device.precision is Precision.BF16
    assert first.token().startswith("cpu|bf16|a chip|torch=")


def test_an_unknown_precision_is_refused_before_torch_is_asked(monkeypatch):
    monkeypatch.setitem(sys.modules, "nodeflow.probe", None)
    with pytest.raises(SettingsError, match="'fp8' is unknown; use auto, fp32, bf16 or fp16"):
        find_device("cpu", "fp8", None)


def test_a_device_that_is_not_there_is_refused_with_its_name():
    with pytest.raises(SettingsError, match="'cuda:99' cannot be used here"):
        find_device("cuda:99", "fp32", None)


def test_the_cpu_is_what_it_says(monkeypatch):
    facts = find_device("cpu", "fp32", None)
    assert (facts.device.name, facts.device.precision) == ("cpu", Precision.FP32)
    assert facts.kind


def test_results_of_compiled_networks_are_known_apart(tmp_path, monkeypatch):
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)

    def token(name, compile):
        settings = Settings(cache=tmp_path / name, data=tmp_path, compile=compile)
        with Engine(settings, device="cpu", precision="fp32") as engine:
            return engine.device.token()

    plain = token("a", compile=False)
    assert "TORCHINDUCTOR_CACHE_DIR" not in os.environ
    assert token("b", compile=True) == plain.replace("|fp32|", "|fp32+compiled|")
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "b" / "compiled")
