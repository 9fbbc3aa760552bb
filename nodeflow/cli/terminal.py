"""Where people read what a command says."""

from __future__ import annotations

from rich.console import Console


class Terminal(Console):
    """A console that falls silent when the reader of its pipe has gone.

    rich would raise SystemExit instead, in whatever thread just told of an event: a run goes on
    without its reader, so that its results are kept.
    """

    def on_broken_pipe(self) -> None:
        """Say nothing more."""
        self.quiet = True
