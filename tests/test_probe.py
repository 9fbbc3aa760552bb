"""What torch says of the device, and which precision a measurement speaks for."""

from __future__ import annotations

import pytest
import torch

from nodeflow.errors import SettingsError
from nodeflow.probe import chosen, devices, probe
from nodeflow.sockets import Precision


@pytest.mark.parametrize(
    ("half", "precision"),
    [(1e-3, Precision.BF16), (3e-3, Precision.BF16), (3.2e-3, Precision.FP32)],
    ids=["four times as fast", "just worth it", "hardly faster"],
)
def test_bf16_is_taken_where_it_is_clearly_faster_and_the_reason_says_what_was_measured(
    half: float, precision: Precision
) -> None:
    found, reason = chosen(4e-3, half)
    assert found is precision
    assert reason.startswith(f"a convolution took 4 ms in fp32 and {half * 1e3:g} ms in bf16, ")
    assert reason.endswith("times as fast; bf16 is taken from 1.3 times on")


def test_auto_measures_and_follows_what_it_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {torch.float32: iter([9.0, 5.0, *[9.0] * 7]), torch.bfloat16: iter([1.0] * 9)}

    class Layer:
        def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
            self.dtype = dtype

        def seconds(self) -> float:
            return next(seconds[self.dtype])

    monkeypatch.setattr("nodeflow.probe._Convolution", Layer)
    found = probe("cpu", "auto")
    assert found["precision"] == "bf16"
    # The best round counts: others had the machine's busy moments.
    assert "5e+03 ms in fp32" in found["reason"]


def test_the_real_measurement_gives_a_precision_with_its_times() -> None:
    found = probe("cpu", "auto")
    assert found["name"] == "cpu"
    assert found["precision"] in ("fp32", "bf16")
    assert " ms in fp32 and " in found["reason"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_was_asked_for_is_not_measured(
    precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodeflow.probe._Convolution", None)
    found = probe("cpu", precision)
    assert (found["precision"], found["reason"]) == (precision, "it was asked for")


def test_attention_on_the_cpu_is_torchs_flash_kernel() -> None:
    said = probe("cpu", "fp32")["attention"]
    assert said == "scaled_dot_product_attention of torch, flash kernel"


def test_the_cpu_is_always_among_the_devices_and_last() -> None:
    assert devices()[-1] == "cpu"


def test_a_device_that_is_unknown_to_torch_is_refused_with_its_name() -> None:
    with pytest.raises(SettingsError, match="'toaster' cannot be used here"):
        probe("toaster", "auto")
