"""The command line. A command's module is imported only when that command is called."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import nodeflow
from nodeflow.errors import Cancelled, NodeError, NodeflowError, StoreError

COMMANDS = {
    "run": "Run a workflow.",
    "serve": "Serve workflows over HTTP, with a queue that survives crashes.",
    "submit": "Run a workflow on a server.",
    "jobs": "List the jobs of a server, newest first.",
    "watch": "Watch a job of a server, or all that happens on it.",
    "cancel": "Cancel jobs of a server.",
    "check": "Say everything that is wrong with workflows, without running them.",
    "nodes": "List the nodes of all packs.",
    "models": "List the files that nodes can load.",
    "fetch": "Fetch a model from the Hugging Face hub.",
    "schema": "Print the JSON Schema of workflow files.",
    "cache": "Look at the cache of results, or clear it.",
    "doctor": "Say what is wrong with this installation.",
    "new-pack": "Write a pack of your own: one node and its test, ready to run.",
}
"""Each command with the first line of its help; its module bears its name."""

DONE, FAILED, REFUSED, CANCELLED = 0, 1, 2, 130
"""Exit codes: all is well; a node failed; nothing ran, as something given is wrong; Ctrl-C."""

_COMPLETION = "_NODEFLOW_COMPLETE"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code.

    Args:
        arguments: Without the program's name; those of the process if None.
    """
    # With torch there, to look for garbage once more would take longer than to end.
    atexit.register(gc.freeze)
    given = list(sys.argv[1:] if arguments is None else arguments)
    called = next((word for word in given if not word.startswith("-")), "")
    names = list(COMMANDS) if _COMPLETION in os.environ else [called]
    try:
        program(names)(given, prog_name="nodeflow")
    except NodeflowError as error:
        print(error, file=sys.stderr)
        sys.exit(_exit_code(error))
    except KeyboardInterrupt:
        sys.exit(CANCELLED)
    finally:
        _let_go_of_output()


def _let_go_of_output() -> None:
    """Write what is left, unless the reader of a pipe has gone (`nodeflow nodes | head`)."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            # Python would try again at exit, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def program(names: Sequence[str]) -> typer.Typer:
    """The command line, whole for the named commands; of the others only the names."""
    app = typer.Typer(
        help="Workflows of nodes for image generation.",
        no_args_is_help=True,
        # Plain help needs no rich, which would double the time of `nodeflow --help`.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, summary in COMMANDS.items():
        if name in names:
            module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
            app.add_typer(module.app)
        else:
            app.command(name, help=summary)(_nothing)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        print(f"nodeflow {nodeflow.__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    pass


def _nothing() -> None:
    pass


def _exit_code(error: NodeflowError) -> int:
    if isinstance(error, Cancelled):
        return CANCELLED
    return FAILED if isinstance(error, NodeError | StoreError) else REFUSED
