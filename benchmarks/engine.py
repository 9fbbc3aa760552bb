"""What the engine costs on this machine, as one table: `make bench`, or name some of the parts."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import measures
from measures import Row
from rich.console import Console
from rich.table import Table

T = TypeVar("T")


def parts(nodes: int) -> dict[str, Callable[[Path], list[Row]]]:
    return {
        "chain": partial(measures.chain, nodes=nodes),
        "wide": partial(measures.wide, nodes=nodes),
        "command_line": measures.command_line,
        "overlap": measures.overlap,
        "resident": measures.resident,
        "picture": measures.picture,
    }


def in_new_process(measure: Callable[[Path], T], specs: Path) -> T:
    """No measurement inherits another's memory, imports or garbage."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(measure, specs).result()


def table(rows: list[Row]) -> Table:
    found = Table(
        "what", "target", "measured", "", "cpu", title=f"nodeflow on {platform.platform()}"
    )
    signs = {True: "ok", False: "[bold red]above[/]", None: ""}
    for row in rows:
        found.add_row(row.what, row.target, row.measured, signs[row.good], _number(row.cpu))
    return found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def main() -> None:
    known = parts(10_000)
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}")
    reader.add_argument("--nodes", type=int, default=10_000, help="of the chain and side by side")
    given = reader.parse_args()
    if unknown := set(given.parts) - set(known):
        reader.error(f"there is no part {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    console = Console(width=max(Console().width, 130))
    before = os.getloadavg()
    rows: list[Row] = []
    with TemporaryDirectory(prefix="nodeflow-bench-specs-") as specs:
        in_new_process(measures.read_packs, Path(specs))
        for name, measure in parts(given.nodes).items():
            if name in given.parts or not given.parts:
                with console.status(f"measuring {name}"):
                    rows += in_new_process(measure, Path(specs))
    console.print(table(rows))
    after = os.getloadavg()
    console.print(
        f"{os.cpu_count()} processors; load {before[0]:.1f} before and {after[0]:.1f} after "
        "(one minute). On a busy machine times say little; processor time (cpu) still does."
    )


if __name__ == "__main__":
    main()
