"""Every error nodeflow raises on purpose. Messages are sentences: what, which value, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

_OUT_OF_MEMORY = ("can't allocate memory", "CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a workflow, and where.

    Attributes:
        code: Stable name for programs, such as `unknown_type`.
        sentence: What is wrong, with the value in question.
        node: Id of the node, inner ids as `outer/inner`; None if the whole document is meant.
        input: Name of the input, if one is meant.
        pointer: JSON pointer (RFC 6901) into the document.
        way_out: What to do about it; empty if the sentence says it.
        severity: An error stops a run, a warning does not.
    """

    code: str
    sentence: str
    node: str | None = None
    input: str | None = None
    pointer: str = ""
    way_out: str = ""
    severity: Severity = "error"

    def line(self, source: str) -> str:
        """The problem as `FILE#/json/pointer: code: sentence`."""
        tail = f" {self.way_out}" if self.way_out else ""
        return f"{source}#{self.pointer}: {self.code}: {self.sentence}{tail}"

    def as_json(self) -> dict[str, str | None]:
        return {
            "code": self.code,
            "severity": self.severity,
            "node": self.node,
            "input": self.input,
            "pointer": self.pointer,
            "sentence": self.sentence,
            "way_out": self.way_out,
        }


class NodeflowError(Exception):
    """The base of all errors that nodeflow raises on purpose."""


class WorkflowError(NodeflowError):
    """A document cannot be read, or does not check.

    Attributes:
        problems: All that was found, errors first.
        source: The file's name, or "workflow" for one made in Python.
    """

    def __init__(self, problems: Sequence[Problem], source: str = "workflow") -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__("\n".join(problem.line(source) for problem in self.problems))


class PackError(NodeflowError):
    """A pack, or one declaration in it, cannot be used.

    Attributes:
        pack: The pack's name.
        trace: The traceback of the cause, or an empty text.
    """

    def __init__(self, pack: str, sentence: str, trace: str = "") -> None:
        self.pack = pack
        self.sentence = sentence
        self.trace = trace
        super().__init__(f"Pack '{pack}': {sentence}")


class DeclarationError(NodeflowError):
    """A `@node` function is declared in a way that cannot work; names file, line and parameter."""


class NodeError(NodeflowError):
    """A node failed while it ran; the cause is chained.

    Attributes:
        node: Id of the node in the flattened workflow.
        type: Type id of the node.
    """

    def __init__(self, node: str, type_id: str, sentence: str) -> None:
        self.node = node
        self.type = type_id
        self.sentence = sentence
        super().__init__(f"Node '{node}' ({type_id}): {sentence}")


class InputError(NodeflowError, ValueError):
    """A value given to an input is not acceptable; the sentence says why."""


class StoreError(NodeflowError):
    """The disk store or the journal cannot be used (full disk, no permission, damage)."""


class SettingsError(NodeflowError):
    """A setting, or a folder that a setting names, cannot be used."""


class OutOfMemoryError(NodeflowError, MemoryError):
    """There is too little memory, and all that could be let go of was; the sentence says for what.

    To `is_out_of_memory` it is one like those of torch and of Python.
    """


class Cancelled(NodeflowError):  # noqa: N818  # an event, not a fault
    """The run was cancelled; raised inside nodes by `Progress`."""

    def __init__(self) -> None:
        super().__init__("The run was cancelled.")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: of a GPU, of this machine, or of Python itself;
    also where it is the cause of one that says that a file cannot be read.

    Nodes that can do with less catch these, and try again in smaller parts.
    """
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, NodeflowError) and error.__cause__ is not None:
        return is_out_of_memory(error.__cause__)
    # torch is not imported here: where it is not, none of its errors is raised.
    if not isinstance(error, RuntimeError):
        return False
    named = any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)
    # For the CPU, and for libraries of a GPU that allocate by themselves, only the text tells.
    return named or any(sign in str(error) for sign in _OUT_OF_MEMORY)
