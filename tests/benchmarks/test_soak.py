"""Ten rounds of the soak: a real server, killed at random moments, loses and repeats nothing."""

import importlib
import random
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


def test_a_request_is_repeated_only_once_an_answer_was_heard(monkeypatch, tmp_path):
    class Always(random.Random):
        def random(self) -> float:
            return 0.0

    monkeypatch.syspath_prepend(SOAK.parent)
    soak = importlib.import_module("soak").Soak(tmp_path, Always())
    assert soak.repeated() == []

    soak.keys["key-0"] = 0
    assert soak.repeated() == []

    soak.acknowledged["key-0"] = "job"
    assert soak.repeated() == ["key-0"]
