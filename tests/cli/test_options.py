"""Options that several commands have."""

from __future__ import annotations

import pytest

from nodeflow.cli.options import settings_with


def test_options_add_to_the_settings_and_never_take_away(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings_with(compile=False, compile_blocks=False, lower_precision=True)
    assert (found.compile, found.lower_precision) == (False, True)
    monkeypatch.setenv("NODEFLOW_COMPILE", "1")
    found = settings_with(compile=False, compile_blocks=False, lower_precision=False)
    assert (found.compile, found.lower_precision) == (True, False)


def test_an_option_says_how_networks_are_compiled_whatever_the_settings_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NODEFLOW_COMPILE", "1")
    assert settings_with(False, compile_blocks=True, lower_precision=False).compile == "blocks"
    monkeypatch.setenv("NODEFLOW_COMPILE", "blocks")
    assert settings_with(True, compile_blocks=False, lower_precision=False).compile is True


@pytest.mark.parametrize("command", [("run", "flow.json"), ("serve",)])
def test_networks_are_compiled_whole_or_by_blocks_and_not_both(nodeflow, command) -> None:
    said = nodeflow(*command, "--compile", "--compile-blocks")
    assert said.code == 2
    assert "--compile-blocks only the blocks that they repeat; give one of them" in said.err
