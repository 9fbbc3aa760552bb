import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import nodeflow as package
from nodeflow.cli import COMMANDS

HEAVY = {"torch", "diffusers", "transformers", "networkx", "pydantic", "rich", "PIL", "numpy"}


def loaded_by(*arguments: str) -> set[str]:
    """Top-level names of the modules that a call has loaded."""
    code = (
        "import sys; from nodeflow.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('\\nLOADED', *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("LOADED ")[2].split())


def test_help_names_every_command_with_what_it_does(nodeflow):
    said = nodeflow("--help")

    assert said.code == 0
    for name, summary in COMMANDS.items():
        assert name in said.out
        assert summary.split(",")[0] in said.out


def test_without_a_command_the_help_is_shown(nodeflow):
    assert "Commands:" in "".join(nodeflow().__dict__[name] for name in ("out", "err"))


def test_help_loads_nothing_that_is_heavy():
    assert not loaded_by("--help") & HEAVY


@pytest.mark.parametrize("command", COMMANDS)
def test_a_commands_own_help_loads_neither_torch_nor_diffusers(command):
    assert not loaded_by(command, "--help") & {"torch", "diffusers", "transformers"}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_line_of_a_commands_help_is_the_line_in_the_list(command, nodeflow):
    said = nodeflow(command, "--help")

    assert said.code == 0
    assert COMMANDS[command] in said.out


def test_the_version_is_that_of_the_package(nodeflow):
    assert nodeflow("--version").out == f"nodeflow {package.__version__}\n"


@pytest.mark.parametrize("arguments", [["frobnicate"], ["run"], ["run", "a", "--frobnicate"]])
def test_a_call_that_makes_no_sense_ends_with_2(arguments, nodeflow):
    said = nodeflow(*arguments)

    assert said.code == 2
    assert "Usage: nodeflow" in said.err


def test_a_bad_setting_is_one_sentence_and_ends_with_2(nodeflow, monkeypatch):
    monkeypatch.setenv("NODEFLOW_MEMORY", "plenty")

    said = nodeflow("models")

    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("The setting 'memory' in the variable NODEFLOW_MEMORY")
    assert len(said.err.splitlines()) == 1


def test_a_reader_who_leaves_early_makes_no_noise():
    done = subprocess.run(
        f"{sys.executable} -m nodeflow.cli schema | true",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""


def test_every_command_has_one_file_and_imports_no_other_command():
    folder = Path(package.__file__).parent / "cli"
    for name in COMMANDS:
        importlib.import_module(f"nodeflow.cli.{name.replace('-', '_')}")
    modules = {name.replace("-", "_") for name in COMMANDS}
    for name in modules:
        tree = ast.parse((folder / f"{name}.py").read_text())
        imported = {
            item.module
            for item in ast.walk(tree)
            if isinstance(item, ast.ImportFrom) and item.module
        }
        assert not imported & {f"nodeflow.cli.{other}" for other in modules}
