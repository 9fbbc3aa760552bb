"""Options that several commands have."""

from __future__ import annotations

import pytest

from nodeflow.cli.options import settings_with


def test_options_add_to_the_settings_and_never_take_away(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_with(compile=False, lower_precision=True)
    assert (found.compile, found.lower_precision) == (False, True)
    monkeypatch.setenv("NODEFLOW_COMPILE", "1")
    found = settings_with(compile=False, lower_precision=False)
    assert (found.compile, found.lower_precision) == (True, False)
