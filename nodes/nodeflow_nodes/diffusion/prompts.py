r"""Prompt weights: `(text:1.3)`; `(text)` is 1.1 times what is around it; `\(` is a parenthesis.

All is read as ComfyUI reads it. A number holds whatever is around it: in `(a (b:2) c:1.5)` the
weight of b is 2. A parenthesis without its partner is text, and so is all from a `(` that is left
open to the end, unless the prompt ends with `)`: that one then closes it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from nodeflow import InputError

_EMPHASIS = 1.1
# A sentence may go on right behind a name.
_CALLS = re.compile(r"embedding:(?P<name>[^\s,:;()<>]*[^\s,:;()<>.!?'\"])|<(?P<marked>[^<>]+)>")
_MARKS = re.compile(r"(?<!\\)[()]")
_ESCAPED = re.compile(r"\\([()])")


@dataclass(frozen=True)
class WeightedText:
    """A stretch of a prompt; weight 1 is as written."""

    text: str
    weight: float


@dataclass(frozen=True)
class Call:
    """A place in a prompt where a learned word stands: `embedding:name`, or `<name>`."""

    name: str


@dataclass(frozen=True)
class _Stretch:
    """A part of a prompt that is still to be read."""

    start: int
    end: int
    weight: float


def parse_weights(prompt: str) -> list[WeightedText]:
    """The prompt as stretches, in order, without its marks.

    Stretches stay apart where a parenthesis was, even if their weights are equal: ComfyUI gives
    each to the tokenizer by itself, so words do not grow together across a mark. Works in linear
    time, however deep the nesting.

    Raises:
        InputError: A weight is too large to be a number, or is none.
    """
    partners, plain = _partners(prompt)
    pieces: list[WeightedText] = []
    todo: list[_Stretch] = [_Stretch(0, len(prompt), 1.0)]
    while todo:
        stretch = todo.pop()
        opened = _next_open(prompt, stretch, plain)
        before = prompt[stretch.start : opened]
        if before:
            pieces.append(WeightedText(_ESCAPED.sub(r"\1", before), stretch.weight))
        if opened == stretch.end:
            continue
        closed = _closed(prompt, opened, stretch.end, partners)
        if closed is None:
            rest = prompt[opened : stretch.end]
            pieces.append(WeightedText(_ESCAPED.sub(r"\1", rest), stretch.weight))
            continue
        todo.append(replace(stretch, start=closed + 1))
        todo.append(_inner(prompt, opened + 1, closed, stretch.weight))
    for piece in pieces:
        if not math.isfinite(piece.weight):
            wrong = "no number; write one such as 1.2"
            if not math.isnan(piece.weight):
                wrong = "too large; make it smaller"
            raise InputError(f"the weight of '{piece.text[:40]}' in the prompt is {wrong}")
    return pieces


def split_calls(text: str, known: Collection[str]) -> list[str | Call]:
    """A stretch of a prompt as plain texts and calls of learned words.

    Args:
        text: The stretch. `<name>` is a call only if the name is known, and else text.
        known: Names of the words that are loaded.

    Raises:
        InputError: `embedding:name` calls for a word that is not loaded.
    """
    pieces: list[str | Call] = []
    position = 0
    for match in _CALLS.finditer(text):
        name = match["marked"]
        if name is None:
            name = _learned(match["name"], known)
        elif name not in known:
            continue
        pieces += [text[position : match.start()], Call(name)]
        position = match.end()
    pieces.append(text[position:])
    return [piece for piece in pieces if piece]


def _learned(called: str, known: Collection[str]) -> str:
    """The word that is called, by its name or by that of its file."""
    for name in (called, re.sub(r"\.(safetensors|pt|bin)$", "", called)):
        if name in known:
            return name
    loaded = ", ".join(sorted(known)) or "none"
    raise InputError(
        f"the prompt calls for the embedding '{called}', which the text encoder has not learned "
        f"(learned: {loaded}); put load_embedding before it"
    )


def _partners(prompt: str) -> tuple[dict[int, int], set[int]]:
    """The place of the `)` for each `(` that has one, and the places of those `(` that are text:
    behind a `)` too many, the next `(` only makes up for it."""
    partners: dict[int, int] = {}
    plain: set[int] = set()
    opened: list[int] = []
    too_many = 0
    for mark in _MARKS.finditer(prompt):
        if mark[0] == ")":
            if opened:
                partners[opened.pop()] = mark.start()
            else:
                too_many += 1
        elif too_many:
            too_many -= 1
            plain.add(mark.start())
        else:
            opened.append(mark.start())
    return partners, plain


def _next_open(prompt: str, stretch: _Stretch, plain: set[int]) -> int:
    """Where the next `(` that is not text stands in a stretch, or its end."""
    for mark in _MARKS.finditer(prompt, stretch.start, stretch.end):
        if mark[0] == "(" and mark.start() not in plain:
            return mark.start()
    return stretch.end


def _closed(prompt: str, opened: int, end: int, partners: Mapping[int, int]) -> int | None:
    """Where a `(` is closed in a stretch that ends somewhere: at its partner, or, if that is not
    within, at a `)` that is the stretch's very last character."""
    partner = partners.get(opened, end)
    if partner < end:
        return partner
    last = _MARKS.match(prompt, end - 1, end)
    return end - 1 if last is not None and last[0] == ")" else None


def _inner(prompt: str, start: int, end: int, weight: float) -> _Stretch:
    """What stands between two parentheses, with the weight that they give it."""
    colon = prompt.rfind(":", start + 1, end)
    if colon >= 0:
        with suppress(ValueError):
            return _Stretch(start, colon, float(prompt[colon + 1 : end]))
    return _Stretch(start, end, weight * _EMPHASIS)
