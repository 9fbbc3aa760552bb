"""Inputs that the document writes itself: literals validated, files found."""

from __future__ import annotations

from pydantic import JsonValue, TypeAdapter, ValidationError

from nodeflow.checking.checked import CheckedNode, problem_at
from nodeflow.checking.flat import FlatNode
from nodeflow.checking.joining import Bindings, literal_type
from nodeflow.errors import InputError
from nodeflow.findings import Findings
from nodeflow.literals import choices, literal_adapter, reason, wanted
from nodeflow.model_hub import HubName
from nodeflow.roots import MODEL_KINDS, Roots
from nodeflow.sockets import is_variable
from nodeflow.spec import InputSpec


class Written:
    """Puts written values into checked nodes, or tells why they do not fit."""

    def __init__(self, roots: Roots, findings: Findings) -> None:
        self._roots = roots
        self._findings = findings
        self._adapters: dict[tuple[str, str], TypeAdapter[object]] = {}

    def default(self, node: FlatNode, port: InputSpec, checked: CheckedNode) -> None:
        """An input that is not given takes what its declaration says."""
        if port.file is not None and port.default is not None:
            self._file(node, port, str(port.default), checked)
        elif not port.grows:
            checked.literals[port.name] = port.default

    def literal(
        self,
        node: FlatNode,
        port: InputSpec,
        value: JsonValue,
        checked: CheckedNode,
        bindings: Bindings,
    ) -> None:
        """A value that the document gives."""
        where = f"The input '{port.name}' of '{node.id}'"
        if port.grows and value == []:
            return
        if port.optional and value is None:
            checked.literals[port.name] = None
            return
        if port.json_schema is None:
            sentence = f"{where} takes a link of type {port.type}, not the value {short(value)}."
            way_out = f"Link an output of type {port.type}."
            self._findings.add(problem_at(node, "wrong_type", sentence, port.name, way_out))
            return
        try:
            validated: JsonValue = self._adapter(node, port).validate_python(value)  # type: ignore[assignment]  # JSON in, JSON out
        except ValidationError as error:
            self._refuse(node, port, value, error)
            return
        if port.file is not None:
            self._file(node, port, str(validated), checked)
            return
        if is_variable(port.type) and not bindings.bind(port.type, literal_type(validated)):
            bound = bindings.apply(port.type)
            sentence = f"{where} takes {bound}, as another input does, not {short(value)}."
            way_out = f"Give a value of type {bound}."
            self._findings.add(problem_at(node, "wrong_type", sentence, port.name, way_out))
            return
        checked.literals[port.name] = validated

    def _adapter(self, node: FlatNode, port: InputSpec) -> TypeAdapter[object]:
        slot = (node.type, port.name)
        adapter = self._adapters.get(slot)
        if adapter is None:
            adapter = self._adapters[slot] = literal_adapter(port.json_schema or {})
        return adapter

    def _refuse(
        self, node: FlatNode, port: InputSpec, value: JsonValue, error: ValidationError
    ) -> None:
        schema = port.json_schema or {}
        code = _code(error)
        way_out = ""
        if code == "not_a_choice" and isinstance(value, str):
            way_out = self._findings.nearest(
                value, [item for item in choices(schema) if isinstance(item, str)]
            )
        sentence = (
            f"The input '{port.name}' of '{node.id}' cannot be {short(value)}: {reason(error)}."
        )
        way_out = way_out or f"Give {wanted(schema)}."
        self._findings.add(problem_at(node, code, sentence, port.name, way_out))

    def _file(self, node: FlatNode, port: InputSpec, name: str, checked: CheckedNode) -> None:
        assert port.file is not None
        try:
            checked.files[port.name] = self._roots.resolve(port.file.root, name)
            checked.named[port.name] = (port.file.root, name)
        except InputError as error:
            sentence = f"The input '{port.name}' of '{node.id}': {error}."
            way_out = _fetching(port.file.root, name)
            self._findings.add(problem_at(node, "missing_file", sentence, port.name, way_out))


def _fetching(kind: str, name: str) -> str:
    """How to get a file that may be a model of the hub."""
    if kind not in MODEL_KINDS or HubName.parse(name) is None:
        return ""
    into = "" if kind == "checkpoints" else f" --kind {kind}"
    return f"If it is a model of the Hugging Face hub: nodeflow fetch {name}{into}"


def _code(error: ValidationError) -> str:
    kind = error.errors(include_url=False)[0]["type"]
    if kind in ("literal_error", "enum") or "is not one of" in str(error):
        return "not_a_choice"
    if kind.startswith(("greater_than", "less_than", "multiple_of", "too_", "string_too")):
        return "out_of_limits"
    return "wrong_value"


def short(value: object) -> str:
    """A value for a sentence, cut if it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
