"""The types that packs share, the marks for inputs, and which output may join which input.

Nothing here imports torch: a socket type names its codec by `module:attribute`, which is loaded
when the first value of that type has to be handled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, Literal, NewType, TypeVar

from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Generator

    import torch

T_co = TypeVar("T_co", covariant=True)

Image = NewType("Image", "torch.Tensor")
"""Pictures: float32 tensor [batch, height, width, channel] in 0..1; 1, 3 or 4 channels."""

Mask = NewType("Mask", "torch.Tensor")
"""Masks: float32 tensor [batch, height, width] in 0..1; 1 means chosen."""


@dataclass(frozen=True)
class Latent:
    """Pictures in the space of an autoencoder, not scaled by its scaling factor.

    Attributes:
        samples: float32 tensor [batch, channel, height, width], in latent pixels; of videos
            [batch, channel, frame, height, width].
        downscale: Picture pixels that one latent pixel stands for, along each side.
        mask: float32 tensor [1 or batch, height, width] in 0..1: where a walk may change the
            latent; None for everywhere.
        surroundings: float32 tensor of the shape of `samples`: the picture with what `mask` chooses
            painted over, for networks trained to fill holes; None if nobody made it.
        seeds: One seed for each picture of the batch, in place of one for all; empty if not wanted.
        keeps: Whether a walk holds the latent where `mask` is 0. Otherwise the mask is only shown
            to networks trained to fill holes, which may change everything.
    """

    samples: torch.Tensor
    downscale: int = 8
    mask: torch.Tensor | None = None
    surroundings: torch.Tensor | None = None
    seeds: tuple[int, ...] = ()
    keeps: bool = True


@dataclass(frozen=True)
class Patch:
    """What is laid over a part of a model.

    Attributes:
        kind: Which sort of patch: `lora`, `clip_skip`, ...
        amount: How much of it: a strength, or a count.
        digest: Content digest of its file; empty for a patch without one.
        name: What prompts call it, or which of a model's networks it is for; empty for a patch that
            they cannot call, and for all networks.
        path: Its file. Equal files at two places are one patch.
    """

    kind: str
    amount: float = 1.0
    digest: str = ""
    name: str = ""
    path: str = field(default="", compare=False)


@dataclass(frozen=True)
class Recipe:
    """How a part of a model is made: which files, which part, which patches. It holds no weights.

    Two equal recipes give equal weights, so a recipe is also the key under which `ModelMemory`
    keeps what was loaded.

    Attributes:
        path: The model's file or folder.
        digest: Content digest of `path`; equal files at two places are one model.
        part: Which part of it: `denoiser`, `text_encoder`, `vae`, `upscaler`, ...
        family: Name of the family that knows how to load it.
        patches: What is laid over it, in order.
        files: Further files of a part that is put together from several, in order; `digest` covers
            their content too.
    """

    path: str
    digest: str
    part: str
    family: str
    patches: tuple[Patch, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Control:
    """A picture that a control network holds a walk to.

    Attributes:
        network: The control network's recipe.
        image: float32 tensor [batch, height, width, 3] in 0..1: edges, depth, a pose, ...
        strength: 0 is not heard at all, 1 as it was trained.
        start: Part of the walk, 0..1, from which on it is heard.
        end: Part of the walk until which it is heard.
        vae: Autoencoder for networks that see the picture as a latent; None for the model's own.
        mode: Which kind of picture it is, for networks that know several; may be empty.
    """

    network: Recipe
    image: torch.Tensor
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0
    vae: Recipe | None = None
    mode: str = ""


@dataclass(frozen=True)
class ImagePrompt:
    """What pictures say beside a prompt, through an adapter of the network's attention.

    Attributes:
        adapter: The adapter's recipe.
        hidden: float32 tensor [1 or batch, token, width]: what the adapter made of the pictures.
        strength: 0 is not heard at all, 1 as it was trained.
        start: Part of the walk, 0..1, from which on it is heard.
        end: Part of the walk until which it is heard.
    """

    adapter: Recipe
    hidden: torch.Tensor
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class Conditioning:
    """What a prompt means to a network, and where and when it is heard.

    Attributes:
        hidden: float32 tensor [batch, token, width]: the text encoder's hidden states.
        pooled: float32 tensor [batch, width], for families that want it.
        extra: Further numbers a family asks for, such as `guidance` or `size`.
        controls: What control networks hold the walk to.
        mask: float32 tensor [1 or batch, height, width] in 0..1, of any size: how much it is heard
            at each place; None for everywhere.
        area: Top, left, height and width of the part of the picture that it is about, in parts of
            the picture's sides; None for all of it.
        strength: How much it is heard beside others at the same place.
        start: Part of the walk, 0..1, from which on it is heard.
        end: Part of the walk until which it is heard.
        also: Further prompts that are heard beside this one.
        states: Whatever else a family's text encoder gives, by the names that its network reads:
            one tensor, or one for each prompt where these differ in length.
        images: What pictures say beside it.
    """

    hidden: torch.Tensor
    pooled: torch.Tensor | None = None
    extra: Mapping[str, float] = field(default_factory=dict)
    controls: tuple[Control, ...] = ()
    mask: torch.Tensor | None = None
    area: tuple[float, float, float, float] | None = None
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0
    also: tuple[Conditioning, ...] = ()
    states: Mapping[str, torch.Tensor | tuple[torch.Tensor, ...]] = field(default_factory=dict)
    images: tuple[ImagePrompt, ...] = ()


Model = NewType("Model", Recipe)
"""The network that estimates the denoised latent."""

TextEncoder = NewType("TextEncoder", Recipe)
"""Tokenizer and text encoder."""

Vae = NewType("Vae", Recipe)
"""The autoencoder between pictures and latents."""

Upscaler = NewType("Upscaler", Recipe)
"""A network that enlarges pictures."""


@dataclass(frozen=True)
class Widget:
    """Mark for `Annotated`: which control the editor shows, beyond what the type says."""

    name: str
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """Mark for `Annotated[Path, File("checkpoints")]`: a file or folder inside a named root.

    In a document the input is a name relative to the root; the function gets the whole path, and
    the node's key holds the digest of the content.
    """

    root: str
    folder: bool = False


@dataclass(frozen=True)
class Was:
    """Mark for `Annotated[int, Was("old_name")]`: the input's or output's earlier names."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


Seed = Annotated[int, Field(ge=0, le=2**53 - 1), Widget("seed")]
"""A seed; at most 2^53 - 1, the largest whole number that JavaScript holds exactly."""

Prompt = Annotated[str, Widget("prompt")]
"""Text over several lines that is written for a text encoder."""


class Lazy(Generic[T_co]):
    """An input that is computed only if the node awaits it."""

    def __init__(self, awaitable: Awaitable[T_co]) -> None:
        self._awaitable = awaitable

    def __await__(self) -> Generator[object, None, T_co]:
        return self._awaitable.__await__()


class Precision(Enum):
    """The number format that a device computes in."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


SocketShape = Literal["circle", "square", "diamond", "triangle", "hexagon"]


@dataclass(frozen=True)
class SocketType:
    """A type that may travel along a link, as the registry and the editor know it.

    A pack declares one of its own as a module constant:
    `PALETTE = SocketType("Palette", of=Palette, codec="my_pack.palette:CODEC")`.

    Attributes:
        name: Unique name; the registry puts the pack's name before a pack's own types.
        of: The class or NewType that annotations use; None for the JSON types.
        codec: `module:attribute` of the `nodeflow.values.Codec`.
        colour: Hex colour of the socket.
        shape: Outline of the socket: types stay apart for those who cannot tell colours apart.
        description: One line for people.
    """

    name: str
    of: object = None
    codec: str = "nodeflow.values:JSON"
    colour: str = "#9aa0a6"
    shape: SocketShape = "circle"
    description: str = ""


_TENSORS = "nodeflow.tensors:"

SHARED: tuple[SocketType, ...] = (
    SocketType("Image", Image, _TENSORS + "IMAGE", "#4f9df7", "circle", "Pictures in 0..1."),
    SocketType("Mask", Mask, _TENSORS + "MASK", "#7bc86c", "circle", "Masks in 0..1."),
    SocketType("Latent", Latent, _TENSORS + "LATENT", "#e06bb4", "diamond", "Latents."),
    SocketType(
        "Conditioning", Conditioning, _TENSORS + "CONDITIONING", "#f2a33c", "diamond", "Meaning."
    ),
    SocketType("Model", Model, "nodeflow.values:RECIPE", "#b18cf2", "square", "A network."),
    SocketType(
        "TextEncoder", TextEncoder, "nodeflow.values:RECIPE", "#e8d44d", "square", "Text encoder."
    ),
    SocketType("Vae", Vae, "nodeflow.values:RECIPE", "#e0605a", "square", "Autoencoder."),
    SocketType("Upscaler", Upscaler, "nodeflow.values:RECIPE", "#5bc9c0", "square", "Upscaler."),
    SocketType("int", int, colour="#8ab4a8", shape="triangle", description="A whole number."),
    SocketType("float", float, colour="#6ea897", shape="triangle", description="A number."),
    SocketType("str", str, colour="#c9b27c", shape="triangle", description="Text."),
    SocketType("bool", bool, colour="#c98a7c", shape="triangle", description="Yes or no."),
    SocketType("json", None, colour="#9aa0a6", shape="hexagon", description="Any JSON value."),
    SocketType("Path", Path, "nodeflow.values:PATH", "#a5a58d", "hexagon", "A file or folder."),
)

ANY = "any"
"""The type of an input or output annotated `object`: joins everything."""


def list_of(name: str) -> str:
    """The name of the list type over `name`."""
    return f"list[{name}]"


def item_of(name: str) -> str | None:
    """The item type of a list type; None if `name` is no list."""
    return name[5:-1] if name.startswith("list[") and name.endswith("]") else None


def is_variable(name: str) -> bool:
    """Whether the innermost type is a type variable, written `~T`."""
    inner = item_of(name)
    return name.startswith("~") if inner is None else is_variable(inner)


Join = Literal["direct", "each", "wrap"]
"""How an output meets an input: as it is, once for each item, or as a list of one."""


def join(source: str, target: str) -> Join | None:
    """How a value of type `source` enters an input of type `target`; None if it may not.

    An `int` is a `float`; `any` and type variables take everything. `list[T]` into `T` runs the
    node once for each item; `T` into `list[T]` is a list of one.
    """
    if _same(source, target):
        return "direct"
    source_item, target_item = item_of(source), item_of(target)
    if source_item is not None and target_item is None:
        # Only one list is taken apart; a variable may stand for what it holds, lists too.
        fits = target.startswith("~") or _same(source_item, target)
        return "each" if fits else None
    if target_item is not None and source_item is None and _same(source, target_item):
        return "wrap"
    return None


def _same(source: str, target: str) -> bool:
    if source == target or ANY in (source, target):
        return True
    source_item, target_item = item_of(source), item_of(target)
    if source_item is not None and target_item is not None:
        return _same(source_item, target_item)
    if target.startswith("~"):
        return source_item is None
    if source.startswith("~"):
        return target_item is None
    return (source, target) == ("int", "float") or (
        target == "json" and source in ("int", "float", "str", "bool")
    )
