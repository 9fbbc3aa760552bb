"""Typed workflows: what a saved workflow takes and gives, as JSON Schema made from its nodes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, ValidationError

from nodeflow.errors import InputError, Problem
from nodeflow.findings import escape
from nodeflow.literals import literal_adapter, reason, wanted
from nodeflow.server.typed_places import Find, input_spec, output_spec, set_on, ways_in
from nodeflow.spec import InputSpec, OutputSpec
from nodeflow.workflow import Value, Workflow

PICTURES = ("Image", "Mask")
"""Socket types whose values are written as pictures; of a pack's own types some are too."""

_PLAIN: Mapping[str, Mapping[str, Any]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "str": {"type": "string"},
    "bool": {"type": "boolean"},
    "json": {},
    "any": {},
}
_DEEPEST = 40


@dataclass(frozen=True)
class TypedInput:
    """An exposed input.

    Attributes:
        specs: Declarations of the inputs that it feeds; a value must suit each.
        required: Without a value the workflow does not run.
        default: What it is if nothing is given; as a one-tuple, since null is a value.
    """

    name: str
    specs: tuple[InputSpec, ...]
    required: bool
    default: tuple[JsonValue] | None

    @property
    def takes_values(self) -> bool:
        """Whether it can be given as JSON; some inputs take only what a node made.

        Of a node that no pack has nothing is known: the check of the workflow tells of it.
        """
        return all(spec.json_schema is not None for spec in self.specs)

    @property
    def takes_uploads(self) -> bool:
        """Whether it names a file of the user's own, which may be sent along."""
        return bool(self.specs) and all(
            spec.file is not None and spec.file.root == "inputs" for spec in self.specs
        )

    def schema(self) -> dict[str, Any]:
        """JSON Schema of its value, with what people want to know of it."""
        found: list[dict[str, Any]] = []
        for spec in self.specs:
            schema = inlined(spec.json_schema or {})
            if schema not in found:
                found.append(schema)
        merged: dict[str, Any] = {"allOf": found} if len(found) > 1 else dict(*found)
        texts = dict.fromkeys(spec.description for spec in self.specs if spec.description)
        if self.takes_uploads:
            texts["The name of an uploaded file."] = None
        if texts:
            merged["description"] = " ".join(texts)
        if self.default is not None:
            merged["default"] = self.default[0]
        return merged

    def problems(self, value: JsonValue) -> Iterator[Problem]:
        """What is wrong with a value; each sentence once."""
        told: set[str] = set()
        for spec in self.specs:
            try:
                literal_adapter(spec.json_schema or {}).validate_python(value)
            except ValidationError as error:
                fault = f"{reason(error)}; give {wanted(spec.json_schema or {})}"
            except InputError as error:
                fault = str(error)
            else:
                continue
            if fault not in told:
                told.add(fault)
                sentence = f"'{self.name}' cannot be {_shown(value)}: {fault}."
                yield Problem(
                    "wrong_value", sentence, input=self.name, pointer=f"/{escape(self.name)}"
                )


@dataclass(frozen=True)
class TypedWorkflow:
    """A workflow as a function: its exposed inputs and outputs by name.

    Attributes:
        outputs: Name to the declaration of what it comes from; None if no pack has it.
    """

    inputs: Mapping[str, TypedInput]
    outputs: Mapping[str, OutputSpec | None]

    @classmethod
    def of(cls, workflow: Workflow, find: Find) -> TypedWorkflow:
        inputs = {name: _input(workflow, name, find) for name in workflow.inputs}
        outputs = {
            name: output_spec(workflow, place, find) for name, place in workflow.outputs.items()
        }
        return cls(inputs, outputs)

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the object with all inputs."""
        taken = {name: item for name, item in self.inputs.items() if item.takes_values}
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: item.schema() for name, item in taken.items()},
            "additionalProperties": False,
        }
        if required := [name for name, item in taken.items() if item.required]:
            schema["required"] = required
        return schema

    def problems(self, given: Mapping[str, JsonValue]) -> list[Problem]:
        """Everything that is wrong with a call; pointers lead into what was given."""
        found: list[Problem] = []
        for name, value in given.items():
            item = self.inputs.get(name)
            if item is None:
                found.append(self._unknown(name))
            elif not item.takes_values:
                sentence = f"'{name}' takes what another node made; no value can be given for it."
                found.append(Problem("wrong_value", sentence, None, name, f"/{escape(name)}"))
            else:
                found.extend(item.problems(value))
        for name, item in self.inputs.items():
            if item.required and item.takes_values and name not in given:
                what = " and ".join(dict.fromkeys(wanted(s.json_schema or {}) for s in item.specs))
                sentence = f"'{name}' is missing; give {what}."
                found.append(Problem("missing_input", sentence, input=name))
        return found

    def _unknown(self, name: str) -> Problem:
        near = difflib.get_close_matches(name, self.inputs, n=1, cutoff=0.5)
        way_out = (
            f"Did you mean '{near[0]}'?"
            if near
            else f"There is: {', '.join(self.inputs) or 'none'}."
        )
        sentence = f"The workflow takes no '{name[:80]}'."
        return Problem("unknown_exposed", sentence, None, name, f"/{escape(name)}", way_out)


def inlined(schema: Mapping[str, JsonValue]) -> dict[str, Any]:
    """A schema without `$defs`, so that it can stand anywhere in another document."""
    definitions = schema.get("$defs", {})
    assert isinstance(definitions, dict)

    def resolve(part: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            return {}
        if isinstance(part, list):
            return [resolve(item, depth + 1) for item in part]
        if not isinstance(part, dict):
            return part
        if isinstance(reference := part.get("$ref"), str):
            return resolve(definitions.get(reference.rpartition("/")[2], {}), depth + 1)
        return {key: resolve(item, depth + 1) for key, item in part.items() if key != "$defs"}

    found: dict[str, Any] = resolve(dict(schema), 0)
    return found


def value_schema(type_name: str) -> dict[str, Any] | None:
    """JSON Schema of values of a socket type; None if they are no JSON."""
    if type_name.startswith("list[") and type_name.endswith("]"):
        items = value_schema(type_name[5:-1])
        return None if items is None else {"type": "array", "items": items}
    return dict(_PLAIN[type_name]) if type_name in _PLAIN else None


def may_be_picture(output: OutputSpec | None) -> bool:
    """Whether an output can be seen, as far as its declaration says."""
    return output is None or value_schema(output.type) is None


def _input(workflow: Workflow, name: str, find: Find) -> TypedInput:
    specs: list[InputSpec] = []
    required = False
    default: tuple[JsonValue] | None = None
    for place in workflow.places(name):
        for way in ways_in(workflow, place):
            port = input_spec(way, find)
            if port is None:
                continue
            specs.append(port)
            source = set_on(way)
            if source is None and port.required:
                required = True
            elif default is None and source is None:
                default = (port.default,)
            elif default is None and isinstance(source, Value):
                default = (source.value,)
    return TypedInput(name, tuple(specs), required, None if required else default)


def _shown(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
