"""Literal inputs: strict validators made from the JSON Schema that a declaration gave.

The schema is what is remembered on disk, so a check needs no pack: the same validator is made from
it whether the pack was imported or not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, Union

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, TypeAdapter, ValidationError
from pydantic.types import Strict

from nodeflow.errors import InputError

_LIMITS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minItems": "min_length",
    "maxItems": "max_length",
}
_PLAIN: dict[str, Any] = {"integer": int, "number": float, "string": str, "boolean": bool}
_NOTES = {"title", "description", "default", "examples", "deprecated", "$defs"}


def literal_adapter(schema: Mapping[str, JsonValue]) -> TypeAdapter[Any]:
    """A strict validator for values that `schema` describes.

    True is no number, 1.0 is no int, nothing is infinite, text is not read as a number.

    Raises:
        InputError: The schema says something that has no strict validator here.
    """
    return _adapter(json.dumps(schema, sort_keys=True))


@lru_cache(maxsize=4096)
def _adapter(schema: str) -> TypeAdapter[Any]:
    parsed = json.loads(schema)
    return TypeAdapter(_annotation(parsed, parsed.get("$defs", {})))


def _annotation(schema: dict[str, Any], defs: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _annotation(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "const" in schema or "enum" in schema:
        return _choice(schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return Union[tuple(_annotation(part, defs) for part in schema["anyOf"])]  # noqa: UP007
    kind = schema.get("type")
    if kind == "null":
        return None
    limits = {_LIMITS[name]: value for name, value in schema.items() if name in _LIMITS}
    unknown = schema.keys() - _LIMITS.keys() - _NOTES - {"type", "items", "additionalProperties"}
    if unknown:
        raise InputError(f"the schema keyword '{min(unknown)}' is not supported for an input")
    if kind in _PLAIN:
        if kind == "number":
            limits["allow_inf_nan"] = False
        return Annotated[_PLAIN[kind], Strict(), Field(**limits)]
    if kind == "array":
        item = _annotation(schema.get("items", {}), defs)
        return Annotated[list[item], Strict(), Field(**limits)]  # type: ignore[valid-type]  # made at run time
    if kind == "object":
        inner = schema.get("additionalProperties", {})
        item = _annotation(inner if isinstance(inner, dict) else {}, defs)
        return Annotated[dict[str, item], Strict()]  # type: ignore[valid-type]  # made at run time
    return Annotated[JsonValue, AfterValidator(_finite)]


def choices(schema: Mapping[str, JsonValue]) -> list[JsonValue]:
    """What may be chosen from; nothing if the schema is no choice."""
    found = schema.get("enum", [schema["const"]] if "const" in schema else [])
    parts = schema.get("anyOf", [])
    if isinstance(parts, list):
        for part in parts:
            found = found or (choices(part) if isinstance(part, dict) else [])
    return list(found) if isinstance(found, list) else []


_NOUNS = {
    "integer": "a whole number",
    "number": "a finite number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": 'an object, written {"value": {...}}',
    "null": "null",
}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
    "minLength": "of at least this length:",
    "maxLength": "of at most this length:",
    "minItems": "with at least this many items:",
    "maxItems": "with at most this many items:",
    "pattern": "of the pattern",
}


def wanted(schema: Mapping[str, JsonValue]) -> str:
    """What a literal must be, in words: `a whole number, at least 1, at most 100`."""
    if options := choices(schema):
        return "one of " + ", ".join(json.dumps(option) for option in options)
    parts = schema.get("anyOf")
    if isinstance(parts, list):
        return " or ".join(wanted(part) for part in parts if isinstance(part, dict))
    noun = _NOUNS.get(str(schema.get("type")), "a JSON value")
    bounds = [f"{text} {schema[key]}" for key, text in _BOUNDS.items() if key in schema]
    return ", ".join([noun, *bounds])


def _choice(choices: list[Any]) -> Any:
    kinds = {type(choice) for choice in choices}

    def same_kind(value: object) -> object:
        # Without this True would be the choice 1.
        if type(value) not in kinds:
            raise ValueError(f"{value!r} is not one of {', '.join(map(repr, choices))}")
        return value

    return Annotated[Literal[tuple(choices)], BeforeValidator(same_kind)]


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the number is not finite")
    for item in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        _finite(item)
    return value


def reason(error: ValidationError) -> str:
    """What a validator found, in one line and without pydantic's own names."""
    first = error.errors(include_url=False)[0]
    place = "".join(f"[{part}]" for part in first["loc"] if isinstance(part, int))
    message = first["msg"].removeprefix("Value error, ")
    return (f"item {place}: " if place else "") + message[:1].lower() + message[1:]


def from_text(text: str, schema: Mapping[str, JsonValue]) -> JsonValue:
    """A value typed at a command line, read leniently: `7` is text where text is wanted.

    Raises:
        InputError: The text is not such a value; the sentence says what is wanted.
    """
    adapter = literal_adapter(schema)
    candidates: list[Any] = [text]
    try:
        candidates.insert(0, json.loads(text))
    except (ValueError, RecursionError):
        if text.lower() in ("true", "yes", "on", "false", "no", "off"):
            candidates.insert(0, text.lower() in ("true", "yes", "on"))
    if schema.get("type") == "string":
        candidates.reverse()
    problem = ""
    for candidate in candidates:
        try:
            value: JsonValue = adapter.validate_python(candidate)
        except ValidationError as error:
            problem = problem or reason(error)
        else:
            return value
    raise InputError(problem)
