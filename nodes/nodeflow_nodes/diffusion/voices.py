"""Prompts as a walk hears them: each at its place, at its time, and as loud as it is to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

import torch
from torch import Tensor

from nodeflow import Conditioning, Control, InputError, Recipe
from nodeflow_nodes.diffusion.families.family import Denoiser, PromptBatch
from nodeflow_nodes.diffusion.families.hints import Adapter, ControlNetwork, Encode, Hint, Sight
from nodeflow_nodes.diffusion.noise_levels import NoiseLevels

Role = Literal["positive", "negative"]
LoadControl = Callable[[Control], tuple[ControlNetwork, Encode]]
"""A control's network, and what makes latents of pictures for it."""
LoadAdapter = Callable[[Recipe], Adapter]

_RAMP = 8
"""Latent pixels over which an area gives way to what is around it."""
_EVEN = 2
"""Areas are whole multiples of this many latent pixels: some networks halve them."""


def _no_adapter(recipe: Recipe) -> NoReturn:
    raise AssertionError("nobody said how adapters are loaded")


@dataclass(frozen=True)
class Span:
    """A part of a walk, by its noise levels.

    Attributes:
        first: The highest level that belongs to it.
        last: The lowest one.
    """

    first: float
    last: float

    def holds(self, sigma: float) -> bool:
        return self.last <= sigma <= self.first


@dataclass(frozen=True)
class Region:
    """Latent pixels of a rectangle."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, x: Tensor) -> Tensor:
        """The rectangle out of [..., height, width]."""
        rows = slice(self.top, self.top + self.height)
        return x[..., rows, self.left : self.left + self.width]


@dataclass(frozen=True)
class Voice:
    """One of the prompts that share a role.

    Attributes:
        words: What it says, for each picture.
        hints: What control networks add to it, each with its part of the walk.
        weight: float32 [1 or batch, 1, height, width]: how loud it is at each latent pixel.
        region: What it is about; None for all of the picture.
        span: When it is heard.
        sights: What adapters show beside it, each with its part of the walk.
    """

    words: PromptBatch
    hints: tuple[tuple[Span, Hint], ...]
    weight: Tensor
    region: Region | None
    span: Span
    sights: tuple[tuple[Span, Sight], ...] = ()

    def at(self, sigma: float) -> PromptBatch:
        """What the network is asked with at a noise level."""
        hints = tuple(hint for span, hint in self.hints if span.holds(sigma))
        sights = tuple(sight for span, sight in self.sights if span.holds(sigma))
        return replace(self.words, hints=hints, sights=sights)


@dataclass(frozen=True)
class Answer:
    """What a network gave for one voice.

    Attributes:
        voice: Who was heard.
        estimate: x0 [batch, channel, height, width], of the voice's region only.
    """

    voice: Voice
    estimate: Tensor


def span_of(levels: NoiseLevels, start: float, end: float) -> Span:
    """The noise levels between two parts of a walk, 0 its start at the highest, 1 its end.

    Parts count in the network's time, so they do not depend on the number of steps.
    """
    last_time = levels.t(float(levels.table[-1]))
    return Span(
        first=levels.sigma((1 - start) * last_time) if start > 0 else float("inf"),
        last=levels.sigma((1 - end) * last_time) if end < 1 else 0.0,
    )


def voices_of(
    role: Role,
    conditioning: Conditioning,
    denoiser: Denoiser,
    samples: Tensor,
    load: LoadControl,
    beside: Tensor | None = None,
    load_adapter: LoadAdapter = _no_adapter,
) -> list[Voice]:
    """A conditioning, and all that is heard beside it, for a batch of latents.

    Args:
        role: Which prompt it is; networks may have other defaults for each.
        conditioning: For one picture, or for each of them.
        denoiser: The network that will be asked.
        samples: The latents, [batch, channel, height, width].
        load: Loads a control's network.
        beside: Channels laid beside every x; see `PromptBatch`.
        load_adapter: Loads what shows pictures to the network.

    Raises:
        InputError: A prompt is for another model or another number of pictures, or no prompt is
            about some part of the picture.
    """
    voices = [
        replace(
            _voice(role, part, denoiser, samples, load, beside),
            sights=_sights(role, part, denoiser, len(samples), load_adapter),
        )
        for part in _flat(conditioning)
    ]
    if all(voice.region is not None for voice in voices):
        covered = torch.zeros(samples.shape[2:])
        for voice in voices:
            assert voice.region is not None
            voice.region.cut(covered).fill_(1)
        if not bool(covered.all()):
            raise InputError(
                f"the areas of the {role} prompts leave a part of the picture out; combine them "
                "with one prompt that is about all of it"
            )
    return voices


def prompt_batch(role: Role, part: Conditioning, denoiser: Denoiser, batch: int) -> PromptBatch:
    """What one prompt says to each picture, with the network's own numbers where it gives none.

    Raises:
        InputError: The prompt is for another model, or for another number of pictures.
    """
    hidden, pooled = part.hidden, part.pooled
    if denoiser.text_width and hidden.shape[-1] != denoiser.text_width:
        raise InputError(
            f"the {role} prompt has text width {hidden.shape[-1]}, and the model takes "
            f"{denoiser.text_width}; encode it with the text encoder of the same model"
        )
    _require_batch(f"the {role} prompt is", len(hidden), batch)
    numbers = {**denoiser.defaults(role == "negative"), **part.extra}
    return PromptBatch(
        hidden.expand(batch, -1, -1),
        None if pooled is None else pooled.expand(batch, -1),
        {name: torch.full((batch,), float(number)) for name, number in numbers.items()},
        states=part.states,
    )


def answers(denoiser: Denoiser, x: Tensor, sigma: float, voices: Sequence[Voice]) -> list[Answer]:
    """The network's estimates for voices, as many in one call as can share it."""
    found: list[Answer] = []
    for group in _groups(voices, sigma):
        asked = group[0].at(sigma)
        for voice in group[1:]:
            asked = asked.joined(voice.at(sigma))
        # Voices live as long as a walk.
        asked = replace(asked, stream="+".join(str(id(voice)) for voice in group))
        region = group[0].region
        seen = [x if voice.region is None else voice.region.cut(x) for voice in group]
        if region is not None and asked.beside is not None:
            cut = [
                v.region.cut(v.words.beside)
                for v in group
                if v.region and v.words.beside is not None
            ]
            asked = replace(asked, beside=torch.cat(cut))
        estimates = denoiser.estimate(torch.cat(seen), sigma, asked).chunk(len(group))
        found += [Answer(*pair) for pair in zip(group, estimates, strict=True)]
    return found


def blended(x: Tensor, parts: Sequence[Answer]) -> Tensor:
    """One estimate out of those of several voices, each by its weight at each place.

    Where all weights are 0, those that are about the whole picture count alike.
    """
    if len(parts) == 1 and parts[0].voice.region is None:
        return parts[0].estimate
    total, weights = torch.zeros_like(x), torch.zeros_like(x[:, :1])
    whole = [part.estimate for part in parts if part.voice.region is None]
    for part in parts:
        weight = part.voice.weight.to(x.device).expand_as(weights)
        region = part.voice.region or Region(0, 0, *x.shape[2:])
        region.cut(total).add_(region.cut(weight) * part.estimate)
        region.cut(weights).add_(region.cut(weight))
    silent = torch.stack(whole).mean(dim=0) if whole else total
    return torch.where(weights > 0, total / weights.clamp_min(torch.finfo(x.dtype).tiny), silent)


def _groups(voices: Sequence[Voice], sigma: float) -> Iterator[list[Voice]]:
    """Voices next to each other that can share a call of the network."""
    group: list[Voice] = []
    for voice in voices:
        if group and not _shares(group[0], voice, sigma):
            yield group
            group = []
        group.append(voice)
    if group:
        yield group


def _shares(one: Voice, other: Voice, sigma: float) -> bool:
    sizes = [None if v.region is None else (v.region.height, v.region.width) for v in (one, other)]
    same_place = one.region == other.region or not (one.hints or other.hints)
    return sizes[0] == sizes[1] and same_place and one.at(sigma).joins(other.at(sigma))


def _flat(conditioning: Conditioning) -> Iterator[Conditioning]:
    yield conditioning
    for other in conditioning.also:
        yield from _flat(other)


def _voice(
    role: Role,
    part: Conditioning,
    denoiser: Denoiser,
    samples: Tensor,
    load: LoadControl,
    beside: Tensor | None,
) -> Voice:
    batch, _, height, width = samples.shape
    region = None if part.area is None else _region(part.area, height, width)
    latent = (height, width) if region is None else (region.height, region.width)
    hints = tuple(
        (
            span_of(denoiser.levels, control.start, control.end),
            _hint(control, _control_image(role, control, region, samples), latent, denoiser, load),
        )
        for control in part.controls
        if control.strength
    )
    return Voice(
        replace(prompt_batch(role, part, denoiser, batch), beside=beside),
        hints,
        _weight(role, part, region, samples),
        region,
        span_of(denoiser.levels, part.start, part.end),
    )


def _sights(
    role: Role, part: Conditioning, denoiser: Denoiser, batch: int, load: LoadAdapter
) -> tuple[tuple[Span, Sight], ...]:
    found = []
    for image in part.images:
        if not image.strength:
            continue
        width = image.hidden.shape[-1]
        if width != denoiser.text_width:
            raise InputError(
                f"the {role} prompt has pictures by an IP-Adapter of text width {width}, and the "
                f"model takes {denoiser.text_width or 'another kind of text'}; choose an adapter "
                "of the model's family"
            )
        _require_batch(f"what the pictures of the {role} prompt say is", len(image.hidden), batch)
        hidden = image.hidden.expand(batch, -1, -1)
        span = span_of(denoiser.levels, image.start, image.end)
        found.append((span, Sight(load(image.adapter), hidden, image.strength)))
    return tuple(found)


def _hint(
    control: Control,
    image: Tensor,
    latent: tuple[int, int],
    denoiser: Denoiser,
    load: LoadControl,
) -> Hint:
    """A control for a latent of this height and width."""
    network, encode = load(control)
    height, width = (side * denoiser.downscale for side in latent)
    seen = network.seen(image, height, width, encode)
    return Hint(network, seen, control.strength, control.mode)


def _require_batch(what: str, count: int, batch: int) -> None:
    if count not in (1, batch):
        raise InputError(
            f"{what} for {count} pictures, and the latent holds {batch}; "
            "give one, or as many as there are pictures"
        )


def _region(area: tuple[float, float, float, float], height: int, width: int) -> Region:
    """The area in latent pixels, within the latent and never empty."""
    top, rows = _interval(area[0], area[2], height)
    left, columns = _interval(area[1], area[3], width)
    return Region(top, left, rows, columns)


def _interval(start: float, length: float, side: int) -> tuple[int, int]:
    first = min(max(round(start * side / _EVEN) * _EVEN, 0), max(side - _EVEN, 0))
    last = min(max(round((start + length) * side / _EVEN) * _EVEN, first + _EVEN), side)
    # What is left of an odd side goes with the last area.
    return first, (side if last > side - _EVEN else last) - first


def _weight(role: Role, part: Conditioning, region: Region | None, samples: Tensor) -> Tensor:
    height, width = samples.shape[2:]
    weight = torch.full((1, 1, height, width), part.strength)
    if part.mask is not None:
        _require_batch(f"the mask of the {role} prompt is", len(part.mask), len(samples))
        mask = torch.nn.functional.interpolate(
            part.mask.float().cpu().unsqueeze(1), size=(height, width), mode="bilinear"
        )
        return weight * mask
    return weight if region is None else weight * _ramps(region, height, width)


def _ramps(region: Region, height: int, width: int) -> Tensor:
    """[height, width]: 1 inside the region, falling towards those of its edges that lie inside of
    the picture, so that areas which touch or overlap pass into each other."""
    ramps = torch.ones(height, width)
    for side, start, length, whole in (
        (0, region.top, region.height, height),
        (1, region.left, region.width, width),
    ):
        place = torch.arange(whole, dtype=torch.float32) - start
        span = max(min(_RAMP, length // 4), 1)
        line = torch.ones(whole)
        if start > 0:
            line = line.minimum((place + 1) / span)
        if start + length < whole:
            line = line.minimum((length - place) / span)
        ramps = ramps * line.clamp(0, 1).unsqueeze(1 - side)
    return ramps


def _control_image(role: Role, control: Control, region: Region | None, samples: Tensor) -> Tensor:
    """The control's picture; an area sees its own part of it."""
    _require_batch(f"the control picture of the {role} prompt is", len(control.image), len(samples))
    image = control.image
    if region is None:
        return image
    rows, columns = (image.shape[1] / samples.shape[2], image.shape[2] / samples.shape[3])
    scaled = Region(
        round(region.top * rows),
        round(region.left * columns),
        round(region.height * rows),
        round(region.width * columns),
    )
    return scaled.cut(image.movedim(-1, 1)).movedim(1, -1)
