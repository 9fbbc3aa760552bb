"""The tables that the editor's tests read say what Python says today."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_the_tables_are_not_stale() -> None:
    module = runpy.run_path(str(Path(__file__).with_name("tables.py")))
    stale = [
        path.name
        for path, text in module["tables"]().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "Write them with: python tests/web_contract/tables.py"
