"""The device: asked for once, remembered, and wrong names said in a sentence."""

from __future__ import annotations

import os
import sys

import pytest

from nodeflow.devices import cpu_model, cpu_name, find_device
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
    assert token("b", compile="blocks") == plain.replace("|fp32|", "|fp32+compiled+blocks|")
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "b" / "compiled")


LISTED = """processor\t: 0
cpu family\t: 6
model\t\t: 143
model name\t: {name}
stepping\t: 8
cpu MHz\t\t: {clock}
flags\t\t: {flags}

processor\t: 1
"""


def test_a_cpu_is_known_by_its_model_and_instructions_and_not_by_its_clock(tmp_path):
    def model(name="Xeon", clock="2000.1", flags="avx512f amx_bf16"):
        listing = tmp_path / "cpuinfo"
        listing.write_text(LISTED.format(name=name, clock=clock, flags=flags))
        return cpu_model(listing)

    assert model() == model(clock="3100.0")
    assert len({model(), model(name="Other"), model(flags="avx512f")}) == 3
    assert model().startswith("Xeon 6 143 8 ")


def test_a_system_that_lists_no_cpu_still_names_one(tmp_path):
    assert cpu_model(tmp_path / "none")
    assert cpu_name(tmp_path / "none")


def test_a_cache_folder_on_another_machine_is_measured_anew(monkeypatch):
    asked = []

    class Probe:
        @staticmethod
        def probe(device, precision):
            asked.append(device)
            return {"name": "cpu", "precision": "bf16", "kind": "a chip", "reason": "measured"}

    monkeypatch.setitem(sys.modules, "nodeflow.probe", Probe)
    memory = Memory()
    assert find_device("auto", "auto", memory).reason == "measured"
    # What auto found is the answer for its name too.
    assert find_device("cpu", "auto", memory).reason == "measured"
    assert asked == ["auto"]
    monkeypatch.setattr("nodeflow.devices.cpu_model", lambda: "another CPU")
    find_device("auto", "auto", memory)
    assert asked == ["auto", "auto"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    find_device("auto", "auto", memory)
    assert len(asked) == 3
