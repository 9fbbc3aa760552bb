"""The benchmark of the editor names its parts; a browser is needed for more."""

import subprocess
import sys
from pathlib import Path

EDITOR = Path(__file__).parents[2] / "benchmarks" / "editor.py"


def test_an_unknown_part_is_refused_with_those_there_are():
    said = subprocess.run(
        [sys.executable, str(EDITOR), "laod"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert said.returncode == 2
    assert "no part laod" in said.stderr
    assert "first_view" in said.stderr
