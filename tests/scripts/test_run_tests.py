"""Two runs of pytest end with one closing line, which `.ci/run` looks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.run_tests import closing_line, summed

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("output", "counted"),
    [
        (["...   [100%]\n", "12 passed in 3.21s\n"], "12 passed"),
        (["=== 1 failed, 12 passed in 63.21s (0:01:03) ===\n"], "1 failed, 12 passed"),
        (["3 passed in 1.00s\n", "later: 4 passed\n"], "3 passed"),
        (["Fatal Python error: Aborted\n"], ""),
    ],
)
def test_a_closing_line_is_found(output: list[str], counted: str) -> None:
    assert closing_line(output) == counted


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (["12 passed", "3 passed"], "15 passed in 2.50s"),
        (["12 passed", "1 failed, 2 passed"], "1 failed, 14 passed in 2.50s"),
        (["1 error", "1 failed, 2 errors"], "1 failed, 3 errors in 2.50s"),
        (["1 passed", "1 error"], "1 passed, 1 error in 2.50s"),
    ],
)
def test_closing_lines_are_summed(parts: list[str], line: str) -> None:
    assert summed(parts, 2.5) == line


def test_the_line_is_one_that_ci_knows() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    pattern = re.findall(r"grep -E '([^']+)'", script)[0]

    for parts in (["3 passed"], ["1 failed", "2 passed"], ["2 errors"]):
        assert re.match(pattern, summed(parts, 1.0))
