"""Progress: how a node reports a step, offers a preview and notices that it was cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from nodeflow.errors import Cancelled

if TYPE_CHECKING:
    import PIL.Image

Preview = Callable[[], "PIL.Image.Image"]
Report = Callable[[int, int, str, "Preview | None"], None]


def _ignore(step: int, total: int, text: str, preview: Preview | None) -> None:
    """Where reports go when nobody listens, as in a unit test."""


class Progress:
    """The service a node asks for when it works in steps; `Progress()` is silent, for tests.

    Call it after each step: `progress(3, 20, preview=lambda: picture)`.
    """

    def __init__(
        self, report: Report = _ignore, cancelled: Callable[[], bool] = lambda: False
    ) -> None:
        self._report = report
        self._cancelled = cancelled

    def __call__(
        self, step: int, total: int, *, text: str = "", preview: Preview | None = None
    ) -> None:
        """Report that `step` of `total` steps are done.

        Args:
            step: Steps done so far, from 0 to `total`.
            total: Steps in all.
            text: A few words for people, such as "tile 3 of 12".
            preview: Makes a small picture of the work so far; called only if somebody watches.

        Raises:
            Cancelled: The run was cancelled; let it pass through.
        """
        self.check()
        self._report(step, total, text, preview)

    def check(self) -> None:
        """Raise `Cancelled` if the run was cancelled, without reporting anything."""
        if self._cancelled():
            raise Cancelled


_cancelled: ContextVar[Callable[[], bool]] = ContextVar("cancelled", default=lambda: False)


@contextmanager
def working(cancelled: Callable[[], bool]) -> Iterator[None]:
    """While it is open, `check_cancelled` asks `cancelled`; so it is around each call of a node."""
    token = _cancelled.set(cancelled)
    try:
        yield
    finally:
        _cancelled.reset(token)


def check_cancelled() -> None:
    """Stop the node that is running if its run was cancelled; elsewhere nothing happens.

    For the depths of libraries, where a `Progress` does not reach: between the layers of a network,
    say. It costs less than a microsecond.

    Raises:
        Cancelled: The run was cancelled; let it pass through.
    """
    if _cancelled.get()():
        raise Cancelled
