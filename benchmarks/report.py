"""Runs parts of a benchmark, each in a new process, and prints what they found as one table."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import measures
from measures import Row
from rich.console import Console
from rich.table import Table

T = TypeVar("T")

Parts = Mapping[str, Callable[[Path], list[Row]]]


def in_new_process(measure: Callable[[Path], T], specs: Path) -> T:
    """No measurement inherits another's memory, imports or garbage."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(measure, specs).result()


def table(rows: list[Row]) -> Table:
    found = Table(
        "what", "target", "measured", "", "cpu", title=f"nodeflow on {platform.platform()}"
    )
    signs = {True: "ok", False: "[bold red]missed[/]", None: ""}
    for row in rows:
        found.add_row(row.what, row.target, row.measured, signs[row.good], _number(row.cpu))
    return found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def reader(known: Parts, description: str) -> argparse.ArgumentParser:
    """What the command line takes: names of parts."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}")
    return found


def run_parts(reader: argparse.ArgumentParser, wanted: list[str], parts: Parts) -> None:
    """Measure the wanted parts, or all, and print the table."""
    if unknown := set(wanted) - set(parts):
        reader.error(f"there is no part {', '.join(sorted(unknown))}; known: {', '.join(parts)}")
    console = Console(width=max(Console().width, 130))
    before = os.getloadavg()
    rows: list[Row] = []
    with TemporaryDirectory(prefix="nodeflow-bench-specs-") as specs:
        in_new_process(measures.read_packs, Path(specs))
        for name, measure in parts.items():
            if name in wanted or not wanted:
                with console.status(f"measuring {name}"):
                    rows += in_new_process(measure, Path(specs))
    console.print(table(rows))
    after = os.getloadavg()
    console.print(
        f"{os.cpu_count()} processors; load {before[0]:.1f} before and {after[0]:.1f} after "
        "(one minute). On a busy machine times say little; processor time (cpu) still does."
    )
