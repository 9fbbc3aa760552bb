"""All tests, side by side in two lanes; one closing line for all.

They are several processes of pytest: Playwright and pytest-asyncio each want the thread's event
loop for themselves, and packages for quantized weights are imported by others wherever they are
found.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

QUANTIZED = Path(sys.prefix, "quantized")
"""Where `make test` installs the packages."""
Suite = tuple[Sequence[str], Mapping[str, str]]
"""Arguments, and what the environment has besides."""
LANES: tuple[tuple[Suite, ...], ...] = (
    ((("tests", "--ignore", "tests/nodes"), {}),),
    (
        (("tests/nodes",), {}),
        (("tests/nodes", "-m", "quantized"), {"PYTHONPATH": str(QUANTIZED)}),
        (("tests/web",), {}),
    ),
)
"""Each takes about as long as the other."""
CLOSING = re.compile(r"(?:=+ )?(\d+ [a-z]+(?:, \d+ [a-z]+)*) in [0-9.]+s\b")
_ORDER = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warnings", "errors")
_PLURAL = {"error": "errors", "warning": "warnings"}
_SINGULAR = {plural: word for word, plural in _PLURAL.items()}


def counts(closing: str) -> Counter[str]:
    """What pytest's closing line counts: `2 passed, 1 error` as {"passed": 2, "errors": 1}."""
    found = re.findall(r"(\d+) ([a-z]+)", closing)
    return Counter({_PLURAL.get(word, word): int(number) for number, word in found})


def closing_line(lines: Iterable[str]) -> str:
    """What the last closing line of an output counts; empty if there is none."""
    matches = [match for line in lines if (match := CLOSING.match(line))]
    return matches[-1][1] if matches else ""


def summed(parts: Iterable[str], seconds: float) -> str:
    """One closing line, as pytest would have written it."""
    total: Counter[str] = sum((counts(part) for part in parts), Counter())
    words = [
        f"{total[word]} {_SINGULAR.get(word, word) if total[word] == 1 else word}"
        for word in _ORDER
        if total[word]
    ]
    return f"{', '.join(words)} in {seconds:.2f}s"


def run(suite: Suite, shown: Lock, *, live: bool) -> tuple[int, str]:
    """One pytest; its exit code and what it counted.

    Args:
        suite: What is run.
        shown: Is held while something of it is shown.
        live: Show each line as it comes; else all of them at the end, so that they stay together.
    """
    arguments, environment = suite
    command = [sys.executable, "-m", "pytest", *arguments]
    # Two lanes with a thread for each processor would only wait for each other.
    threads = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // len(LANES)))}
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**threads, **os.environ, **environment},
    ) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            lines.append(line)
            if live:
                _show([line], shown)
    if not live:
        _show(lines, shown)
    return tests.returncode, closing_line(lines)


def _show(lines: Iterable[str], shown: Lock) -> None:
    with shown:
        sys.stdout.writelines(lines)
        sys.stdout.flush()


def main() -> int:
    begin = time.monotonic()
    shown = Lock()

    def lane(number: int) -> list[tuple[int, str]]:
        return [run(suite, shown, live=number == 0) for suite in LANES[number]]

    with ThreadPoolExecutor(len(LANES)) as lanes:
        results = [result for found in lanes.map(lane, range(len(LANES))) for result in found]
    closing = [counted for _, counted in results]
    # A process that never came to its end must not look like a part of a success.
    if all(closing):
        print(summed(closing, time.monotonic() - begin))
    return 1 if any(code for code, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
