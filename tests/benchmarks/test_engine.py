"""The benchmarks run; what they find is for people to read."""

import subprocess
import sys
from pathlib import Path

ENGINE = Path(__file__).parents[2] / "benchmarks" / "engine.py"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ENGINE), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_part_is_one_table_with_targets_and_figures():
    said = bench("chain", "wide", "--nodes", "200")

    assert said.returncode == 0, said.stderr
    rows = [line.split("│")[1:-1] for line in said.stdout.splitlines() if line.startswith("│")]
    assert [row[0].strip() for row in rows] == [
        "chain of 200 nodes, first run",
        "... time(200) / time(20)",
        "... again, from a loaded Workflow",
        "... again, from the file",
        "200 nodes side by side, first run",
        "... again, from a loaded Workflow",
    ]
    assert all(row[1].strip().startswith("<=") and float(row[4]) >= 0 for row in rows)
    assert "load" in said.stdout


def test_an_unknown_part_is_refused_with_those_there_are():
    said = bench("chian")

    assert said.returncode == 2
    assert "no part chian" in said.stderr
    assert "overlap" in said.stderr
