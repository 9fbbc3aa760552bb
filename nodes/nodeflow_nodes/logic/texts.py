"""Nodes that make texts."""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

from nodeflow import InputError, Prompt, node

_FIELD = re.compile(r"\{\{|\}\}|\{(\w+)\}")


@node(category="logic/text", version="1", output="text")
def template(
    template: Prompt = "{a}",
    a: JsonValue = None,
    b: JsonValue = None,
    c: JsonValue = None,
    d: JsonValue = None,
) -> str:
    """Fill named parts into a text: `a photo of {a}, seed {b}`.

    Args:
        template: The text; `{a}` to `{d}` are filled in, `{{` and `}}` stand for single braces.
        a: What stands for `{a}`: a text, a number, or yes or no.
        b: What stands for `{b}`.
        c: What stands for `{c}`.
        d: What stands for `{d}`.

    Raises:
        InputError: The template names a part that there is not.
    """
    parts = {"a": a, "b": b, "c": c, "d": d}

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return match.group()[0]
        if name not in parts:
            raise InputError(
                f"the template asks for '{{{name}}}'; there are {{a}}, {{b}}, {{c}} and {{d}} "
                f"(a brace that is meant as it is, is written twice)"
            )
        value = parts[name]
        if value is None:
            raise InputError(f"the template asks for '{{{name}}}', but '{name}' is empty; link it")
        return _plain(value)

    return _FIELD.sub(fill, template)


def _plain(value: JsonValue) -> str:
    """A value as people write it: 2.0 is `2`, texts have no quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.12g}"
    return json.dumps(value, ensure_ascii=False)


@node(category="logic/text", version="1", output="text")
def join_texts(texts: tuple[str, ...], separator: str = ", ") -> str:
    """Join texts into one; empty ones are left out.

    Args:
        texts: The texts, in order.
        separator: What comes between two of them.
    """
    return separator.join(part for part in texts if part)


@node(category="logic/text", version="1", output="text")
def join_list(texts: list[str], separator: str = ", ") -> str:
    """Join a list of texts into one; empty ones are left out.

    Args:
        texts: The list.
        separator: What comes between two of them.
    """
    return separator.join(part for part in texts if part)


@node(category="logic/text", version="1", output="lines")
def lines(text: Prompt = "") -> list[str]:
    """Split a text into its lines, so that what follows runs once for each.

    Args:
        text: The text; empty lines and spaces around a line are left out.
    """
    return [stripped for line in text.splitlines() if (stripped := line.strip())]
