r"""Prompt weights: `(text:1.3)`, `(text)` for 1.1, nesting multiplies, `\(` is a parenthesis."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nodeflow import InputError

_EMPHASIS = 1.1
_MARKS = re.compile(r"\\[()]|\(|:\s*(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))\s*\)|\)")


@dataclass(frozen=True)
class WeightedText:
    """A stretch of a prompt; weight 1 is as written."""

    text: str
    weight: float


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
    factors = _factors(marks)
    pieces: list[WeightedText] = []
    weights, position = [1.0], 0
    for i, mark in enumerate(marks):
        pieces.append(WeightedText(prompt[position : mark.start], weights[-1]))
        position = mark.end
        if mark.text[0] == "\\":
            pieces.append(WeightedText(mark.text[1], weights[-1]))
        elif i not in factors:
            pieces.append(WeightedText(mark.text, weights[-1]))
        elif mark.text == "(":
            weights.append(weights[-1] * factors[i])
        else:
            weights.pop()
    pieces.append(WeightedText(prompt[position:], weights[-1]))
    merged = _merged(pieces)
    for piece in merged:
        if not math.isfinite(piece.weight):
            shown = piece.text[:40]
            raise InputError(f"the weight of '{shown}' in the prompt is too large; make it smaller")
    return merged


def _factors(marks: Sequence[_Mark]) -> dict[int, float]:
    """The factor of each pair of parentheses, by the index of either mark."""
    factors: dict[int, float] = {}
    opened: list[int] = []
    for i, mark in enumerate(marks):
        if mark.text == "(":
            opened.append(i)
        elif mark.text[-1] == ")" and mark.text[0] != "\\" and opened:
            factor = _EMPHASIS if mark.weight is None else mark.weight
            factors[opened.pop()] = factors[i] = factor
    return factors


def _merged(pieces: Sequence[WeightedText]) -> list[WeightedText]:
    merged: list[WeightedText] = []
    for piece in pieces:
        if merged and merged[-1].weight == piece.weight:
            merged[-1] = WeightedText(merged[-1].text + piece.text, piece.weight)
        elif piece.text:
            merged.append(piece)
    return merged
