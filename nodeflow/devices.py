"""Which device computes: its name, its precision, and the facts of it that can change a result.

torch finds the facts once (`nodeflow.probe`); they are remembered, so that a plan needs no torch.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from nodeflow.errors import SettingsError, StoreError
from nodeflow.keys import FileMemory
from nodeflow.sockets import Precision

LIBRARIES = ("torch", "diffusers", "transformers")
"""Libraries whose version can change what a device computes."""


@dataclass(frozen=True)
class Device:
    """The service a node asks for when it computes on the device.

    Attributes:
        name: What `torch.device` takes: `cpu`, `cuda:0`, `mps`, ...
        precision: The number format to compute in.
        compiled: Networks that denoise are compiled for it before they are used.
    """

    name: str = "cpu"
    precision: Precision = Precision.FP32
    compiled: bool = False


@dataclass(frozen=True)
class DeviceFacts:
    """A device, and what of it is part of the keys of nodes that compute there.

    Attributes:
        kind: The model of the chip.
    """

    device: Device
    kind: str

    def token(self) -> str:
        """The facts as one text, for keys."""
        # Compiled code rounds a little otherwise.
        how = self.device.precision.value + ("+compiled" if self.device.compiled else "")
        return "|".join([self.device.name, how, self.kind, *_versions()])


def find_device(device: str, precision: str, memory: FileMemory | None) -> DeviceFacts:
    """The device that is meant, from memory if its question was asked before.

    Args:
        device: `auto`, or a torch device.
        precision: `auto`, `fp32`, `bf16` or `fp16`.
        memory: Where answers are remembered; None to ask torch each time.

    Raises:
        SettingsError: torch knows no such device, or the precision is unknown.
    """
    if precision not in ("auto", *(item.value for item in Precision)):
        raise SettingsError(
            f"The precision '{precision}' is unknown; use auto, fp32, bf16 or fp16."
        )
    known = recall_device(device, precision, memory)
    if known is not None:
        return known
    # The import costs seconds, so it happens only when the question is new.
    probe = cast(
        "Callable[[str, str], dict[str, str]]", importlib.import_module("nodeflow.probe").probe
    )
    answer = probe(device, precision)
    if memory is not None:
        with contextlib.suppress(StoreError):  # then torch is asked again next time
            memory.remember("device", {_question(device, precision): dict(answer)})
    return _facts(answer)


def recall_device(device: str, precision: str, memory: FileMemory | None) -> DeviceFacts | None:
    """The device that is meant, if its question was asked before; torch is not asked."""
    if memory is None:
        return None
    question = _question(device, precision)
    known = memory.recall("device", [question]).get(question)
    return _facts(known) if isinstance(known, dict) else None


def _question(device: str, precision: str) -> str:
    return "|".join([device, precision, platform.node(), platform.processor(), *_versions()])


def _facts(answer: Mapping[str, object]) -> DeviceFacts:
    device = Device(str(answer["name"]), Precision(str(answer["precision"])))
    return DeviceFacts(device, str(answer["kind"]))


def _versions() -> list[str]:
    found = []
    for library in LIBRARIES:
        try:
            found.append(f"{library}={importlib.metadata.version(library)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{library}=none")
    return found
