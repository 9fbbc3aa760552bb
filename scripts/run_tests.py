"""All tests: those of Python, those with packages for quantized weights, and those that drive a
browser; one closing line for all.

They are processes of their own: Playwright and pytest-asyncio each want the thread's event loop
for themselves, and the packages are imported by others wherever they are found.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

QUANTIZED = Path(sys.prefix, "quantized")
"""Where `make test` installs the packages."""
SUITES: tuple[tuple[Sequence[str], Mapping[str, str]], ...] = (
    ((), {}),
    (("-m", "quantized", "tests/nodes/diffusion"), {"PYTHONPATH": str(QUANTIZED)}),
    (("tests/web",), {}),
)
"""Arguments, and what the environment has besides."""
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


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """One pytest, shown while it runs; its exit code and what it counted."""
    command = [sys.executable, "-m", "pytest", *arguments]
    lines: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **environment},
    ) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    return tests.returncode, closing_line(lines)


def main() -> int:
    begin = time.monotonic()
    results = [run(arguments, environment) for arguments, environment in SUITES]
    closing = [counted for _, counted in results]
    # A process that never came to its end must not look like a part of a success.
    if all(closing):
        print(summed(closing, time.monotonic() - begin))
    return 1 if any(code for code, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
