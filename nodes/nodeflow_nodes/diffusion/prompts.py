r"""Prompt weights: `(text:1.3)`; `(text)` is 1.1 times what is around it; `\(` is a parenthesis.

A number holds whatever is around it, as in ComfyUI: in `(a (b:2) c:1.5)` the weight of b is 2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nodeflow import InputError

_EMPHASIS = 1.1
# A sentence may go on right behind a name.
_CALLS = re.compile(r"embedding:(?P<name>[^\s,:;()<>]*[^\s,:;()<>.!?'\"])|<(?P<marked>[^<>]+)>")
_MARKS = re.compile(r"\\[()]|\(|:\s*(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))\s*\)|\)")


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
class _Mark:
    """A parenthesis of a prompt, or an escaped one."""

    start: int
    end: int
    text: str
    weight: float | None


def parse_weights(prompt: str) -> list[WeightedText]:
    """The prompt as stretches of one weight each, in order, without its marks.

    A parenthesis without its partner is text. Works in linear time, however deep the nesting.

    Raises:
        InputError: A weight is too large to be a number.
    """
    marks = [
        _Mark(m.start(), m.end(), m[0], float(m["weight"]) if m["weight"] else None)
        for m in _MARKS.finditer(prompt)
    ]
    pairs = _pairs(marks)
    pieces: list[WeightedText] = []
    weights, position = [1.0], 0
    for i, mark in enumerate(marks):
        pieces.append(WeightedText(prompt[position : mark.start], weights[-1]))
        position = mark.end
        if mark.text[0] == "\\":
            pieces.append(WeightedText(mark.text[1], weights[-1]))
        elif i not in pairs:
            pieces.append(WeightedText(mark.text, weights[-1]))
        elif mark.text == "(":
            given = pairs[i]
            weights.append(weights[-1] * _EMPHASIS if given is None else given)
        else:
            weights.pop()
    pieces.append(WeightedText(prompt[position:], weights[-1]))
    merged = _merged(pieces)
    for piece in merged:
        if not math.isfinite(piece.weight):
            shown = piece.text[:40]
            raise InputError(f"the weight of '{shown}' in the prompt is too large; make it smaller")
    return merged


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


def _pairs(marks: Sequence[_Mark]) -> dict[int, float | None]:
    """The weight that each pair of parentheses gives, by the index of either mark."""
    pairs: dict[int, float | None] = {}
    opened: list[int] = []
    for i, mark in enumerate(marks):
        if mark.text == "(":
            opened.append(i)
        elif mark.text[-1] == ")" and mark.text[0] != "\\" and opened:
            pairs[opened.pop()] = pairs[i] = mark.weight
    return pairs


def _merged(pieces: Sequence[WeightedText]) -> list[WeightedText]:
    merged: list[WeightedText] = []
    for piece in pieces:
        if merged and merged[-1].weight == piece.weight:
            merged[-1] = WeightedText(merged[-1].text + piece.text, piece.weight)
        elif piece.text:
            merged.append(piece)
    return merged
