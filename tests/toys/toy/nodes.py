"""One node for each way to declare one."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import Field, JsonValue

from nodeflow import File, Image, Latent, Lazy, OutputFiles, Progress, Prompt, Seed, Was, node

T = TypeVar("T")


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Loaded(NamedTuple):
    """What a file holds.

    Attributes:
        picture: The picture.
        latent: The latent.
    """

    picture: Annotated[Image, Was("image")]
    latent: Latent


def _family(file: Path | None = None) -> dict[str, dict[str, JsonValue]]:
    return {"picture": {"family": file.stem if file else "none"}}


def _same_family(base: dict[str, JsonValue], family: str) -> None:
    if base.get("family", family) != family:
        raise ValueError(f"the picture is of the family {base['family']}, not {family}.")


@node(category="in", facts=_family, was=("toy.open", "old.load"))
def load(file: Annotated[Path, File("inputs")]) -> Loaded:
    """Load.

    Args:
        file: Which.
    """
    raise NotImplementedError


@node()
def optional_file(file: Annotated[Path, File("inputs")] | None = None) -> int:
    """Load perhaps."""
    raise NotImplementedError


@node()
def default_file(file: Annotated[Path, File("inputs")] = Path("nobody.png")) -> int:
    """Load what is not there."""
    raise NotImplementedError


@node(check=_same_family)
def patch(base: Image, family: str = "emoji") -> Image:
    """Patch."""
    raise NotImplementedError


@node()
def sample(
    latent: Latent,
    seed: Seed = 0,
    steps: Annotated[int, Field(ge=1, le=100)] = 20,
    guidance: Annotated[float, Field(ge=0, le=30), Was("cfg")] = 7.0,
    method: Literal["euler", "heun"] = "euler",
    size: Size = Size.SMALL,
    text: Prompt = "",
    exact: bool = False,
    *,
    progress: Progress,
) -> Latent:
    """Sample."""
    raise NotImplementedError


@node()
def decode(latent: Latent) -> Image:
    """Decode."""
    raise NotImplementedError


@node()
def blur(image: Image, amount: float = 1.0) -> Image:
    """Blur."""
    raise NotImplementedError


@node()
def save(image: Image, *, files: OutputFiles) -> None:
    """Save."""
    raise NotImplementedError


@node()
def number(value: int = 0) -> int:
    """Give a number."""
    raise NotImplementedError


@node()
def half(value: float) -> float:
    """Halve."""
    raise NotImplementedError


@node()
def words(count: int = 2) -> list[str]:
    """Give words."""
    raise NotImplementedError


@node()
def numbers(count: int = 2) -> list[int]:
    """Give numbers."""
    raise NotImplementedError


@node()
def total(numbers: list[int]) -> int:
    """Add a list."""
    raise NotImplementedError


@node()
def sheet(images: tuple[Image, ...]) -> Image:
    """Lay pictures out."""
    raise NotImplementedError


@node()
async def switch(condition: bool, yes: Lazy[T], no: Lazy[T]) -> T:
    """Choose."""
    raise NotImplementedError


@node()
def same(a: T, b: T) -> T:
    """Take two of one kind."""
    raise NotImplementedError


@node()
def first(items: list[T]) -> T:
    """Take the first."""
    raise NotImplementedError


@node()
def keep(value: object, note: JsonValue = None) -> bool:
    """Take anything."""
    raise NotImplementedError


@node(deprecated="Use toy.blur.")
def smear(image: Image) -> Image:
    """Blur, as it was."""
    raise NotImplementedError
