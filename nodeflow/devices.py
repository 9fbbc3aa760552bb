"""Which device computes: its name, its precision, and the facts of it that can change a result.

torch finds the facts once (`nodeflow.probe`); they are remembered, so that a plan needs no torch.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from blake3 import blake3

from nodeflow.errors import SettingsError, StoreError
from nodeflow.garbage import imported
from nodeflow.keys import FileMemory
from nodeflow.settings import Compiling
from nodeflow.sockets import Precision

LIBRARIES = ("torch", "diffusers", "transformers")
"""Libraries whose version can change what a device computes."""

_LISTED = re.compile(r"^([^\t:]+?)\s*: (.*)$", re.MULTILINE)
_OF_THE_MODEL = ("model name", "cpu family", "model", "stepping", "CPU implementer", "CPU part")
"""What Linux calls the model of a CPU, on x86 and on ARM."""


@dataclass(frozen=True)
class Device:
    """The service a node asks for when it computes on the device.

    Attributes:
        name: What `torch.device` takes: `cpu`, `cuda:0`, `mps`, ...
        precision: The number format to compute in.
        compiled: Networks that denoise are compiled for it before they are used; with `blocks`
            only the blocks that they repeat.
        may_lower: Where memory is too small, models may compute in a lower precision.
        streamed: Weights come block by block while they are used, also of models that would fit.
    """

    name: str = "cpu"
    precision: Precision = Precision.FP32
    compiled: Compiling = False
    may_lower: bool = False
    streamed: bool = False


@dataclass(frozen=True)
class DeviceFacts:
    """A device, and what of it is part of the keys of nodes that compute there.

    Attributes:
        kind: The model of the chip.
        reason: Why it computes in its precision, for people; no part of keys.
        attention: By what attention is computed, for people.
    """

    device: Device
    kind: str
    reason: str = ""
    attention: str = ""

    def token(self) -> str:
        """The facts as one text, for keys."""
        # Compiled code rounds a little otherwise.
        how = self.device.precision.value + ("+compiled" if self.device.compiled else "")
        how += "+blocks" if self.device.compiled == "blocks" else ""
        # Who wants the precision as it was asked for must not be given what came of less.
        how += "+lower" if self.device.may_lower else ""
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
    probe = cast("Callable[[str, str], dict[str, str]]", imported("nodeflow.probe").probe)
    answer = probe(device, precision)
    if memory is not None:
        # Who asks for it by its name later gets the answer that `auto` gave.
        questions = {_question(name, precision) for name in (device, answer["name"])}
        with contextlib.suppress(StoreError):  # then torch is asked again next time
            memory.remember("device", {question: dict(answer) for question in questions})
    return _facts(answer)


def memory_for_models(device: str) -> int:
    """Bytes that models may take on a device if nobody said how many: four fifths of its memory."""
    found = cast("Callable[[str], int]", imported("nodeflow.probe").device_memory)
    return found(device) * 4 // 5


def recall_device(device: str, precision: str, memory: FileMemory | None) -> DeviceFacts | None:
    """The device that is meant, if its question was asked before; torch is not asked."""
    if memory is None:
        return None
    question = _question(device, precision)
    known = memory.recall("device", [question]).get(question)
    return _facts(known) if isinstance(known, dict) else None


def _question(device: str, precision: str) -> str:
    # A cache folder may move to another machine, and a machine's GPU may be hidden.
    machine = [platform.node(), cpu_model(), os.environ.get("CUDA_VISIBLE_DEVICES", "all")]
    return "|".join([device, precision, *machine, *_versions()])


LISTING = Path("/proc/cpuinfo")
"""Where Linux describes its CPUs."""


def cpu_name(listing: Path = LISTING) -> str:
    """What the CPU is sold as, as far as the system tells."""
    return _listed(listing).get("model name") or platform.processor() or platform.machine()


def cpu_model(listing: Path = LISTING) -> str:
    """What tells one model of CPU from another, without torch.

    A hypervisor may hide instructions of a CPU that it shows of others of the same model.
    """
    found = _listed(listing)
    kept = [found[name] for name in _OF_THE_MODEL if name in found]
    flags = found.get("flags") or found.get("Features") or ""
    return " ".join([*(kept or [cpu_name(listing)]), blake3(flags.encode()).hexdigest(4)])


def _listed(listing: Path) -> dict[str, str]:
    """What Linux says of the first CPU; nothing on other systems."""
    try:
        text = listing.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict(_LISTED.findall(text.split("\n\n")[0]))


def _facts(answer: Mapping[str, object]) -> DeviceFacts:
    said = {name: str(text) for name, text in answer.items()}
    device = Device(said["name"], Precision(said["precision"]))
    return DeviceFacts(device, said["kind"], said.get("reason", ""), said.get("attention", ""))


def _versions() -> list[str]:
    found = []
    for library in LIBRARIES:
        try:
            found.append(f"{library}={importlib.metadata.version(library)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{library}=none")
    return found
