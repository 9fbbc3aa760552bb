"""Ten rounds of the soak: a real server, killed at random moments, loses and repeats nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


@pytest.mark.timeout(300)
def test_a_server_that_is_killed_ten_times_loses_no_job_and_runs_none_twice():
    said = subprocess.run(
        [sys.executable, str(SOAK), "--rounds", "10"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "10 kills of the server" in said.stdout
    assert " 0 faults" in said.stdout
