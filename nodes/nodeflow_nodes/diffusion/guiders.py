"""Guiders: what is asked of a network, apart from the walk that asks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from blake3 import blake3
from pydantic import Field

from nodeflow import Codec, Conditioning, InputError, Model, SocketType, node
from nodeflow.tensors import CONDITIONING
from nodeflow.values import RECIPE, canonical_json
from nodeflow_nodes.diffusion.families.family import Weakening
from nodeflow_nodes.diffusion.guidance import Guidance, Push
from nodeflow_nodes.diffusion.hooks import check_guider, check_walk_part, guided_facts, guider_facts
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels
from nodeflow_nodes.diffusion.voices import span_of

Part = Annotated[float, Field(ge=0, le=1)]
Scale = Annotated[float, Field(ge=0, le=100)]


@dataclass(frozen=True)
class Away:
    """Guidance away from a weakened network, in a part of the walk.

    Attributes:
        weakening: What the network is to do without.
        scale: How strongly.
        start: Part of the walk, 0..1, from which on.
        end: Part of the walk until which.
    """

    weakening: Weakening
    scale: float
    start: float
    end: float


@dataclass(frozen=True)
class Guider:
    """A network, its prompts, and how their estimates become one.

    Attributes:
        model: The network.
        positive: What pictures are to show.
        negative: What they are not to show.
        scale: Classifier-free guidance; 1 turns it off.
        rescale: How far the deviation of the positive estimate is brought back.
        away: What else guides.
    """

    model: Model
    positive: Conditioning
    negative: Conditioning
    scale: float
    rescale: float = 0.0
    away: tuple[Away, ...] = ()

    def guidance(self, levels: NoiseLevels) -> Guidance:
        """For a network with these noise levels."""
        pushes = tuple(
            Push(away.weakening, away.scale, span_of(levels, away.start, away.end))
            for away in self.away
        )
        return Guidance(self.scale, self.rescale, pushes)


def _fingerprint(value: Guider) -> str:
    parts: Sequence[str] = (
        RECIPE.fingerprint(value.model),
        CONDITIONING.fingerprint(value.positive),
        CONDITIONING.fingerprint(value.negative),
    )
    rest = [value.scale, value.rescale, [asdict(away) for away in value.away]]
    return blake3(b"guider\0" + canonical_json([*parts, rest])).hexdigest(16)


def _verify(value: object) -> None:
    if not isinstance(value, Guider):
        raise InputError(f"a {type(value).__name__} is not a Guider")


GUIDER_CODEC = Codec(
    fingerprint=_fingerprint,
    size=lambda value: CONDITIONING.size(value.positive) + CONDITIONING.size(value.negative),
    encode=None,  # It holds a model, which is never stored.
    decode=None,
    verify=_verify,
)
GUIDER = SocketType(
    "Guider",
    of=Guider,
    codec="nodeflow_nodes.diffusion.guiders:GUIDER_CODEC",
    colour="#c46bd6",
    shape="hexagon",
    description="A network and what it is told.",
)


@node(category="sampling/advanced", check=check_guider, facts=guider_facts)
def guider(
    model: Model,
    positive: Conditioning,
    negative: Conditioning | None = None,
    guidance: Scale = 7.0,
) -> Guider:
    """Tell a network what to draw, for `sample_advanced`.

    Args:
        model: The network.
        positive: What the picture is to show.
        negative: What it is not to show; without one the guidance is off.
        guidance: Classifier-free guidance scale; 1 turns it off (Ho & Salimans, 2022).
    """
    if negative is None:
        return Guider(model, positive, positive, 1.0)
    return Guider(model, positive, negative, guidance)


@node(category="sampling/advanced", facts=guided_facts)
def rescale_guidance(guider: Guider, amount: Part = 0.7) -> Guider:
    """Keep strong guidance from burning pictures out: its result gets back the contrast that the
    positive estimate has (Lin et al. 2024, arXiv 2305.08891, section 3.4).

    Args:
        guider: What is guided.
        amount: 0 changes nothing, 1 brings all of the contrast back.
    """
    return replace(guider, rescale=amount)


@node(category="sampling/advanced", facts=guided_facts, check=check_walk_part)
def perturbed_attention(
    guider: Guider, scale: Scale = 3.0, start: Part = 0.0, end: Part = 1.0
) -> Guider:
    """Lead away from what the network draws when it cannot see how parts belong together (Ahn et
    al. 2024, arXiv 2403.17377). Costs half as much time again.

    Args:
        guider: What is guided.
        scale: How strongly.
        start: From which part of the walk on.
        end: Until which part.
    """
    return _led_away(guider, Away(Weakening(attention=True), scale, start, end))


@node(category="sampling/advanced", facts=guided_facts, check=check_walk_part)
def skip_layers(
    guider: Guider,
    layers: list[int] = [7, 8, 9],  # noqa: B006  # a node's defaults are read, never changed
    scale: Scale = 2.8,
    start: Part = 0.01,
    end: Part = 0.2,
) -> Guider:
    """Lead away from what a transformer network draws without some of its layers; helps Stable
    Diffusion 3.5 with anatomy. Costs half as much time again while it is on.

    Args:
        guider: What is guided.
        layers: Numbers of the layers that are skipped; the first is 0.
        scale: How strongly.
        start: From which part of the walk on.
        end: Until which part.
    """
    if not layers:
        raise InputError("no layers are named; give the numbers of those to skip, such as 7, 8, 9")
    return _led_away(guider, Away(Weakening(layers=tuple(layers)), scale, start, end))


def _led_away(guider: Guider, away: Away) -> Guider:
    check_walk_part(away.start, away.end)
    return replace(guider, away=(*guider.away, away))
