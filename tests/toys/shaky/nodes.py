"""One node with a broken hook."""

from nodeflow import node


def _explode(value: int) -> None:
    raise KeyError("nobody thought of this")


@node(check=_explode)
def fragile(value: int = 0) -> int:
    """Be checked by a broken hook."""
    return value
