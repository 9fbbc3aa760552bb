"""`nodeflow doctor`."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import psutil
import typer
from packaging.requirements import Requirement

from nodeflow.cli import FAILED
from nodeflow.cli.display import readable
from nodeflow.cli.terminal import Terminal
from nodeflow.devices import cpu_name, find_device
from nodeflow.engine import Engine
from nodeflow.errors import NodeflowError
from nodeflow.remembered import JsonMemory
from nodeflow.settings import Settings

app = typer.Typer()

OLDEST_PYTHON = (3, 11)
LITTLE_DISK = 2_000_000_000
"""Bytes free below which a run may soon fail to keep its results."""

_STYLE = {"ok": "green", "warning": "yellow", "error": "red"}

_PROBE = """
import json, torch
facts = {
    "version": torch.__version__,
    "built": torch.version.cuda,
    "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    "mps": torch.backends.mps.is_available(),
}
print(json.dumps(facts))
"""
_PROBE_SECONDS = 180


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        way_out: What to do about it; empty if all is well.
    """

    name: str
    status: Literal["ok", "warning", "error"]
    sentence: str
    way_out: str = ""


@app.command("doctor")
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is wrong with this installation.

    Looks at Python, torch and the other libraries, settings, folders, disk and packs. The exit code
    is 1 if something must be mended; a warning does not count.
    """
    checks = list(examine())
    sound = all(check.status != "error" for check in checks)
    if as_json:
        found = {"ok": sound, "checks": [asdict(check) for check in checks]}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print(checks)
    if not sound:
        raise typer.Exit(FAILED)


def examine() -> Iterator[Check]:
    """Everything, quick things first. What needs settings is left out if they are wrong."""
    yield check_python(sys.version_info[:3])
    yield from check_libraries(importlib.metadata.requires("nodeflow") or ())
    torch = check_torch(run_probe)
    yield torch
    try:
        settings = Settings()
    except NodeflowError as error:
        yield Check("settings", "error", str(error), "Correct it and ask again.")
        return
    if torch.status != "error":
        yield from check_devices(settings)
    yield from check_folders(settings)
    yield check_disk(settings, lambda folder: shutil.disk_usage(folder).free)
    yield check_memory(settings, psutil.virtual_memory().total)
    yield from check_packs()


def check_python(version: tuple[int, ...]) -> Check:
    said = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Check(
            "python",
            "error",
            f"Python {said} is too old.",
            "Install Python 3.11 or newer and make a new virtual environment with it.",
        )
    if sys.maxsize < 2**32:
        return Check(
            "python",
            "error",
            "This Python has 32 bits; torch needs 64.",
            "Install a 64-bit Python.",
        )
    return Check("python", "ok", f"Python {said} at {sys.executable}.")


def check_libraries(requirements: Iterable[str]) -> Iterator[Check]:
    """Is every library there, in a version we work with?"""
    count = 0
    sound = True
    for text in requirements:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        count += 1
        way_out = f'python -m pip install "{wanted.name}{wanted.specifier}"'
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            sound = False
            yield Check("libraries", "error", f"{wanted.name} is not installed.", way_out)
            continue
        if not wanted.specifier.contains(version, prereleases=True):
            sound = False
            sentence = f"{wanted.name} {version} is installed, but {wanted.specifier} is needed."
            yield Check("libraries", "error", sentence, way_out)
    if sound:
        yield Check("libraries", "ok", f"All {count} libraries are installed.")


def run_probe() -> subprocess.CompletedProcess[str]:
    """Import torch in a process of its own, since a broken torch can end the process."""
    return subprocess.run(
        [sys.executable, "-P", "-c", _PROBE],
        capture_output=True,
        text=True,
        timeout=_PROBE_SECONDS,
        check=False,
    )


def check_torch(probe: Callable[[], subprocess.CompletedProcess[str]]) -> Check:
    """Does torch work, and what does it compute on?"""
    again = "Install it anew: python -m pip install --force-reinstall torch"
    try:
        done = probe()
    except subprocess.TimeoutExpired:
        return Check("torch", "error", f"torch did not start in {_PROBE_SECONDS} s.", again)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"its process ended with {done.returncode}"]
        return Check("torch", "error", f"torch does not import: {lines[-1]}.", again)
    facts = json.loads(done.stdout.splitlines()[-1])
    devices = [*facts["cuda"], *(["Apple GPU"] if facts["mps"] else [])]
    if not devices and shutil.which("nvidia-smi"):
        return Check(
            "torch",
            "warning",
            f"torch {facts['version']} (built for CUDA {facts['built']}) does not see the GPU.",
            "Update the driver, or install the torch that fits it: "
            "https://pytorch.org/get-started/locally",
        )
    return Check(
        "torch", "ok", f"torch {facts['version']} computes on {', '.join(devices) or 'the CPU'}."
    )


def check_devices(settings: Settings) -> Iterator[Check]:
    """What computes, in which precision and why; measured now if it was not before."""
    memory = JsonMemory(settings.cache / "devices.json")
    # torch is known to import by now.
    _, *others = importlib.import_module("nodeflow.probe").devices()
    for name in ("auto", *others):
        try:
            facts = find_device(name, "auto", memory)
        except NodeflowError as error:
            yield Check("devices", "error", str(error), "Choose another with --device.")
            continue
        chip = facts.kind if facts.device.name != "cpu" else f"{cpu_name()}, {facts.kind}"
        role = "taken by default" if name == "auto" else f"taken with --device {name}"
        sentence = (
            f"{facts.device.name} ({chip}), {role}, computes in {facts.device.precision.value}: "
            f"{facts.reason}. --precision fp32, bf16 or fp16 overrides it. Attention: "
            f"{facts.attention}."
        )
        yield Check("devices", "ok", sentence)


def check_folders(settings: Settings) -> Iterator[Check]:
    """Can what we write be written, and is what the user named there?"""
    for name in ("cache", "data"):
        folder: Path = getattr(settings, name)
        if is_writable(folder):
            yield Check("folders", "ok", f"The folder for {name} is {folder}.")
        else:
            yield Check(
                "folders",
                "error",
                f"The folder for {name}, {folder}, cannot be written.",
                f"Change its permissions, or set NODEFLOW_{name.upper()} to another folder.",
            )
    for name in ("packs", "models"):
        for folder in getattr(settings, name):
            # The default folder may be absent: then nothing was put there yet.
            if not folder.is_dir() and folder != settings.data / name:
                yield Check(
                    "folders",
                    "warning",
                    f"The folder for {name}, {folder}, does not exist.",
                    f"Create it, or correct NODEFLOW_{name.upper()} or the settings file.",
                )


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it is yet to be made."""
    there = _existing(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def check_disk(settings: Settings, free_bytes: Callable[[Path], int]) -> Check:
    """Is there room for results?"""
    place = _existing(settings.cache)
    free = free_bytes(place)
    if free < LITTLE_DISK:
        return Check(
            "disk",
            "warning",
            f"Only {readable(free)} are free for the cache in {settings.cache}.",
            "Free some (`nodeflow cache prune --to 1GB`), or set NODEFLOW_CACHE to another disk.",
        )
    return Check(
        "disk",
        "ok",
        f"{readable(free)} are free; the cache may take {readable(settings.disk)}.",
    )


def check_memory(settings: Settings, total: int) -> Check:
    """Do the budgets fit into this machine?"""
    asked = settings.memory + settings.model_memory
    if asked > total:
        return Check(
            "memory",
            "warning",
            f"Values may take {readable(settings.memory)} and models "
            f"{readable(settings.model_memory)}, but there are only {readable(total)} in all.",
            "Lower NODEFLOW_MEMORY or NODEFLOW_MODEL_MEMORY.",
        )
    return Check(
        "memory", "ok", f"{readable(total)}, of which values and models may take {readable(asked)}."
    )


def check_packs() -> Iterator[Check]:
    """Can every pack be used, and the cache?"""
    try:
        with Engine() as engine:
            registry = engine.registry
            warnings = engine.warnings
    except NodeflowError as error:
        yield Check("packs", "error", str(error), "Correct it and ask again.")
        return
    for warning in warnings:
        yield Check("cache", "error", warning, "Results are computed anew until this is mended.")
    for fault in registry.errors:
        way_out = "Mend or remove the pack; everything else works."
        yield Check("packs", "error", str(fault), way_out)
    if not registry.errors:
        count = f"{len(registry.packs)} packs with {len(registry.specs)} nodes"
        yield Check("packs", "ok", f"{count} can be used.")


def _print(checks: list[Check]) -> None:
    console = Terminal()
    width = max(len(check.name) for check in checks)
    for check in checks:
        console.print(f"{check.status:<8}", style=_STYLE[check.status], end="")
        console.print(
            f"{check.name:<{width}}  {check.sentence}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        if check.way_out:
            console.print(f"{'':<{width + 10}}{check.way_out}", markup=False, highlight=False)
