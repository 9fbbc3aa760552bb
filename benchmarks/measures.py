"""What is measured; each function runs in a new process and gives rows of the table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import graphs
import psutil

from nodeflow import Engine, Workflow
from nodeflow.events import Event, NodeFinished
from nodeflow.settings import Settings

HERE = Path(__file__).parent
DEMO = HERE.parent / "workflows" / "text_to_image.json"
MB = 1 << 20


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        good: Whether the target is met; None if there is none.
        cpu: Seconds of processor time, which a busy machine disturbs less.
    """

    what: str
    target: str
    measured: str
    good: bool | None = None
    cpu: float | None = None


@dataclass(frozen=True, order=True)
class Taken:
    """Seconds on the clock, and seconds of processor time of all threads."""

    wall: float
    cpu: float

    def row(self, what: str, limit: float) -> Row:
        said = f"{self.wall:.3f} s"
        return Row(what, f"<= {limit:g} s", said, self.wall <= limit, self.cpu)


@contextmanager
def folder(specs: Path) -> Iterator[Path]:
    """A folder for one part, whose cache holds nothing but what is remembered about packs."""
    with TemporaryDirectory(prefix="nodeflow-bench-") as name:
        (Path(name) / "cache").mkdir()
        (Path(name) / "cache" / "specs").symlink_to(specs)
        yield Path(name)


@contextmanager
def engine(place: Path, **budgets: int) -> Iterator[Engine]:
    """An engine with stores of its own and the packs of the benchmarks."""
    settings = Settings(
        cache=place / "cache", data=place / "data", packs=[HERE / "packs"], **budgets
    )
    with Engine(settings) as found:
        yield found


def read_packs(specs: Path) -> None:
    """Remember what packs declare: reading them imports torch, which later runs do not need."""
    with folder(specs) as place, engine(place) as found:
        if found.registry.errors:
            raise found.registry.errors[0]


def taken(call: Callable[[], object]) -> Taken:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


def first_run(found: Engine, flow: Workflow, place: Path) -> Taken:
    """What a run takes in which every node runs and every event arrives."""
    events: list[Event] = []
    spent = taken(lambda: found.run(flow, out=place, emit=events.append).raise_if_failed())
    finished = sum(isinstance(event, NodeFinished) for event in events)
    if finished != len(flow.nodes) or events[-1].event != "run_finished":
        raise RuntimeError(f"{finished} nodes of {len(flow.nodes)} were reported finished")
    return spent


def again(found: Engine, load: Callable[[], Workflow], place: Path) -> Taken:
    """What a run takes that computes nothing; the best of three."""

    def run() -> None:
        result = found.run(load(), out=place, emit=lambda event: None)
        if any(report.outcome == "ran" for report in result.nodes.values()):
            raise RuntimeError("a node ran again although nothing changed")

    return min(taken(run) for _ in range(3))


def chain(specs: Path, nodes: int) -> list[Row]:
    """A chain and a tenth of it, then the long one again."""
    with folder(specs) as place, engine(place) as found:
        # Imports, specs and the first transaction are no matter of length.
        first_run(found, graphs.chain(10, start=-1), place)
        short = first_run(found, graphs.chain(nodes // 10, start=1), place)
        flow = graphs.chain(nodes, start=2)
        long = first_run(found, flow, place)
        flow.save(place / "chain.json")
        loaded = again(found, lambda: flow, place)
        from_file = again(found, lambda: Workflow.load(place / "chain.json"), place)
    ratio, cpu = long.wall / short.wall, long.cpu / short.cpu
    return [
        long.row(f"chain of {nodes} nodes, first run", 1.0),
        Row(f"... time({nodes}) / time({nodes // 10})", "<= 12", f"{ratio:.1f}", ratio <= 12, cpu),
        loaded.row("... again, from a loaded Workflow", 0.2),
        from_file.row("... again, from the file", 0.4),
    ]


def wide(specs: Path, nodes: int) -> list[Row]:
    """Many nodes side by side, then again."""
    with folder(specs) as place, engine(place) as found:
        first_run(found, graphs.wide(10, start=-1), place)
        flow = graphs.wide(nodes, start=1)
        first = first_run(found, flow, place)
        loaded = again(found, lambda: flow, place)
    return [
        first.row(f"{nodes} nodes side by side, first run", 1.0),
        loaded.row("... again, from a loaded Workflow", 0.2),
    ]


def overlap(specs: Path, count: int = 20, wait: float = 0.1) -> list[Row]:
    """Saving hides behind the device: with and without saves, three times in turn."""
    alone: list[float] = []
    saving: list[float] = []
    with folder(specs) as place, engine(place) as found:
        for flow in (graphs.waits(1, 0.0, save=True), graphs.waits(1, 0.0, save=False)):
            first_run(found, flow, place)
        for turn in range(1, 4):
            seed = 100 * turn
            flow = graphs.waits(count, wait, save=False, first_seed=seed)
            alone.append(first_run(found, flow, place).wall)
            flow = graphs.waits(count, wait, save=True, first_seed=seed + count)
            saving.append(first_run(found, flow, place).wall)
    with_saves, without = statistics.median(saving), statistics.median(alone)
    ratio = with_saves / without
    said = f"{ratio:.3f} x ({with_saves:.2f} s, {without:.2f} s alone)"
    what = f"{count} x ({wait * 1000:.0f} ms on the device, then a PNG), to the device alone"
    return [Row(what, "<= 1.05 x", said, ratio <= 1.05)]


def resident(specs: Path, runs: int = 200, settled: int = 20) -> list[Row]:
    """RSS over many runs whose values fill the budget of the memory store."""
    budget = 256 * MB
    sizes: dict[int, float] = {}
    process = psutil.Process()
    with folder(specs) as place, engine(place, memory=budget, disk=budget) as found:
        for run in range(1, runs + 1):
            found.run(graphs.pictures(run), out=place).raise_if_failed()
            if run in (settled, runs // 2, runs):
                sizes[run] = process.memory_info().rss / MB
    growth = sizes[runs] / sizes[settled] - 1
    said = ", ".join(f"{size:.0f} MB after {run}" for run, size in sizes.items())
    what = f"RSS of {runs} runs with a budget of 256 MB"
    return [Row(what, f"flat after {settled} (+5 %)", f"{said} ({growth:+.1%})", growth <= 0.05)]


def command_line(specs: Path) -> list[Row]:
    """Commands in new processes: start, check, the demo, the demo again."""
    with folder(specs) as place:
        environment = _environment(place)
        rows = [_command(["--help"], 0.3, environment)]
        rows.append(_command(["check", str(DEMO)], 1.0, environment))
        demo = ["run", str(DEMO), "--out", str(place / "outputs"), "--json"]
        first, _ = _timed(demo, environment)
        rows.append(Row("the demo in a new process, first run", "", f"{first:.2f} s"))
        runs = [_timed(demo, environment) for _ in range(3)]
        last = json.loads(runs[-1][1].splitlines()[-1])
        ran = sum(report["outcome"] == "ran" for report in last["nodes"].values())
        wall = min(run[0] for run in runs)
        said = f"{wall:.2f} s, {ran} nodes ran"
        good = wall <= 1.5 and ran == 0
        return [*rows, Row("... again in a new process", "<= 1.5 s, 0 nodes", said, good)]


def picture(specs: Path) -> list[Row]:
    """A picture of the demo with everything loaded: 20 steps and the upscaler."""
    with folder(specs) as place, engine(place) as found:
        flow = found.load(DEMO)
        # The first loads the model.
        times = [
            taken(partial(found.run, flow, {"seed": seed}, out=place)) for seed in range(1000, 1006)
        ]
    return [min(times[1:]).row("one picture of the demo, 20 steps and x4, warm", 3.0)]


def _environment(place: Path) -> dict[str, str]:
    plain = {name: text for name, text in os.environ.items() if not name.startswith("NODEFLOW_")}
    own = {"CACHE": place / "cache", "DATA": place / "data", "PACKS": HERE / "packs"}
    return plain | {f"NODEFLOW_{name}": str(path) for name, path in own.items()}


def _nodeflow(
    arguments: Sequence[str], environment: dict[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-m", "nodeflow.cli", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )


def _timed(arguments: Sequence[str], environment: dict[str, str]) -> tuple[float, str]:
    started = time.perf_counter()
    said = _nodeflow(arguments, environment).stdout
    return time.perf_counter() - started, said


def _command(arguments: Sequence[str], limit: float, environment: dict[str, str]) -> Row:
    wall = min(_timed(arguments, environment)[0] for _ in range(3))
    imports = _nodeflow(arguments, environment, "-X", "importtime").stderr
    torch = any(line.rpartition("|")[2].strip() == "torch" for line in imports.splitlines())
    said = f"{wall:.2f} s, torch {'imported' if torch else 'not imported'}"
    words = [Path(word).name for word in arguments]
    what = f"nodeflow {' '.join(words)}"
    return Row(what, f"<= {limit:g} s, no torch", said, wall <= limit and not torch)
