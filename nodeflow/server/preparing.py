"""Preparing: a body that was handed in becomes checked documents. Pure, but for files it writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from blake3 import blake3
from pydantic import JsonValue, ValidationError

from nodeflow.checking.checked import Checked
from nodeflow.checking.checker import check
from nodeflow.errors import Problem, WorkflowError
from nodeflow.findings import nearest
from nodeflow.journal.records import Document
from nodeflow.overrides import override
from nodeflow.reading import read_json
from nodeflow.registry import Registry
from nodeflow.roots import Roots
from nodeflow.server.document_files import Writer
from nodeflow.server.operation import sentences
from nodeflow.server.problems import HttpError
from nodeflow.server.seeds import SeedPlace, batch_of, find_seeds
from nodeflow.server.submitting import Prepared as Prepared
from nodeflow.server.submitting import SubmitBody as SubmitBody
from nodeflow.server.submitting import SubmitText as SubmitText
from nodeflow.server.submitting import naming_fault, source_of, unknown_key
from nodeflow.server.weight import weight
from nodeflow.workflow import Workflow

MOST_PROBLEMS = 500
"""So many problems are told; who has more of them mends those first."""

_LONGEST = 2_000
_SHOWN_INPUTS = 16_384


class TooHeavyError(Exception):
    """This is more work than the caller wants to do here."""


@dataclass(frozen=True)
class Request:
    """A body that was read.

    Attributes:
        body: All of it but the workflow.
        data: The workflow as parsed JSON, if the body has it.
        source: Name of the workflow, for messages.
    """

    body: SubmitBody
    data: Any = None
    source: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What a workflow is checked against.

    Attributes:
        most_nodes: The limit of the server.
        heaviest: Nodes and batch together may be so many; None for no such limit.
    """

    registry: Registry
    roots: Roots
    most_nodes: int
    heaviest: int | None = None


def read_request(text: bytes, *, named: str = "", bare: bool = False) -> Request:
    """Read the body of a request.

    Args:
        named: Name of the workflow, if the request says elsewhere which one it is.
        bare: The body may be a workflow itself.

    Raises:
        HttpError: 400 if it is no JSON or nested too deep, 422 if it is another JSON.
    """
    try:
        data = read_json(text, "the body")
    except WorkflowError as error:
        fault = error.problems[0]
        sentence = fault.sentence.replace("It is", "The body is", 1)
        raise HttpError(400, sentence, problems=error.problems) from error
    if not isinstance(data, dict):
        raise HttpError(422, f"The body is {_kind(data)}; it has to be a JSON object.")
    if bare and "workflow" not in data and ("nodes" in data or "nodeflow" in data):
        data = {"workflow": data}
    fault_sentence = unknown_key(data) or naming_fault(data, named)
    if fault_sentence:
        raise HttpError(422, fault_sentence)
    workflow = data.pop("workflow", None)
    if workflow is not None and not isinstance(workflow, dict):
        raise HttpError(422, f"'workflow' in the body is {_kind(workflow)}, not a JSON object.")
    try:
        body = SubmitBody.model_validate(data)
    except ValidationError as error:
        raise HttpError(422, sentences(error, "the body")) from error
    return Request(body, workflow, named or source_of(data))


def read_workflow(request: Request, text: bytes | None, around: Surroundings) -> Workflow:
    """The workflow that is meant, with the inputs that were handed in.

    Args:
        text: Its JSON, if it is not in the body.

    Raises:
        WorkflowError: It cannot be read, is too large, or lacks such an input.
        TooHeavyError: It has more nodes than are wanted here.
    """
    source = request.source or "workflow"
    if request.data is not None:
        workflow = Workflow.from_data(request.data, source)
    else:
        workflow = Workflow.parse(text or b"", source)
    nodes = weight(workflow)
    if nodes > around.most_nodes:
        sentence = f"The workflow has more than {around.most_nodes} nodes, the limit here."
        way_out = "Cut it in two, or repeat groups less often."
        raise WorkflowError([Problem("too_many_nodes", sentence, way_out=way_out)], source)
    if around.heaviest is not None and nodes * _count(request.body) > around.heaviest:
        raise TooHeavyError
    try:
        return override(workflow, request.body.inputs, around.registry, typed=False)
    except WorkflowError as error:
        raise WorkflowError(error.problems, workflow.name or source) from error


def problems_of(request: Request, text: bytes | None, around: Surroundings) -> list[Problem]:
    """Everything that is wrong with what was handed in, errors first.

    Raises:
        TooHeavyError: See `read_workflow`.
    """
    try:
        workflow = read_workflow(request, text, around)
    except WorkflowError as error:
        return told(error.problems)
    return told(_check(workflow, request.body, around)[1])


def prepare(request: Request, text: bytes | None, around: Surroundings, writer: Writer) -> Prepared:
    """The documents of all jobs that are asked for.

    Raises:
        WorkflowError: The workflow cannot be read, or does not check.
        HttpError: 413, the batch has too many bytes.
        TooHeavyError: See `read_workflow`.
    """
    body = request.body
    try:
        workflow = read_workflow(request, text, around)
        name = workflow.name or request.source or "workflow"
        checked, problems = _check(workflow, body, around)
        if any(problem.severity == "error" for problem in problems):
            raise WorkflowError(problems, name)
    except WorkflowError as error:
        raise WorkflowError(told(error.problems), error.source[:200]) from error
    documents: list[Document] = []
    for item in batch_of(workflow, _seeds(workflow, body, around), _count(body), body.seeds):
        content = item.dumps().encode()
        if not documents:
            writer.reserve(len(content) * _count(body))
        digest = blake3(content).hexdigest(16)
        documents.append(writer.keep(Document(digest, nodes=len(checked.nodes)), content))
    shown = body.model_copy(update={"inputs": shown_inputs(body.inputs)})
    return Prepared(name[:200], documents, shown, told(problems))


def _check(
    workflow: Workflow, body: SubmitBody, around: Surroundings
) -> tuple[Checked, list[Problem]]:
    """What the checker found, and what is wrong with the batch and with `only`."""
    checked = check(workflow, around.registry, around.roots)
    problems = [*checked.problems, *_unknown_nodes(body.only, checked)]
    if _count(body) > 1 or body.seeds is not None:
        problems += _seed_problems(_seeds(workflow, body, around), body)
    return checked, sorted(problems, key=lambda problem: problem.severity)


def _seeds(workflow: Workflow, body: SubmitBody, around: Surroundings) -> list[SeedPlace]:
    wanted = _count(body) > 1 or body.seeds is not None
    return find_seeds(workflow, around.registry) if wanted else []


def _unknown_nodes(only: Sequence[str], checked: Checked) -> Iterable[Problem]:
    running = [name for name, node in checked.nodes.items() if not node.muted]
    for name in only:
        if not any(node == name or node.startswith(f"{name}/") for node in running):
            sentence = f"The node '{name}', which was asked for, does not exist or is muted."
            yield Problem("unknown_node", sentence, name, way_out=nearest(name, running))


def _seed_problems(places: Sequence[SeedPlace], body: SubmitBody) -> Iterable[Problem]:
    if not places:
        what = f"{_count(body)} jobs" if body.seeds is None else "seeds"
        yield Problem(
            "no_seed",
            f"The batch asks for {what}, but the workflow has no seed: all jobs would be the same.",
            way_out="Leave out 'batch', or add a node that takes a seed.",
            severity="warning" if body.seeds is None else "error",
        )
    for place in places:
        over = next((seed for seed in body.seeds or () if seed > place.limit), None)
        if over is not None:
            yield _large_seed(place, over)


def _large_seed(place: SeedPlace, seed: int) -> Problem:
    sentence = f"The seed '{place.input}' of '{place.node}' cannot be {seed}."
    way_out = f"Give at most {place.limit}."
    return Problem("out_of_limits", sentence, place.node, place.input, way_out=way_out)


def _count(body: SubmitBody) -> int:
    return body.batch if body.seeds is None else len(body.seeds)


def told(problems: Sequence[Problem]) -> list[Problem]:
    """The problems, or the first of very many; names as long as a book are cut."""
    cut = [
        item
        if len(item.sentence) + len(item.pointer) + len(item.way_out) <= _LONGEST
        else replace(
            item,
            sentence=item.sentence[:_LONGEST],
            node=item.node and item.node[:_LONGEST],
            input=item.input and item.input[:_LONGEST],
            pointer=item.pointer[:_LONGEST],
            way_out=item.way_out[:_LONGEST],
        )
        for item in problems[:MOST_PROBLEMS]
    ]
    rest = len(problems) - len(cut)
    if rest:
        cut.append(Problem("more_problems", f"There are {rest} more.", severity="warning"))
    return cut


def _kind(data: object) -> str:
    kinds = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(data), "a number" if isinstance(data, int | float) else "an object")


def shown_inputs(inputs: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Inputs as a job tells them; the document has all of them, whatever their length.

    Long values become `{"bytes": N}`, and what is beyond a page is left out.
    """
    shown: dict[str, JsonValue] = {}
    left = _SHOWN_INPUTS
    for name, value in inputs.items():
        size = len(json.dumps(value))
        kept: JsonValue = value if size <= _SHOWN_INPUTS // 4 else {"bytes": size}
        left -= len(name) + min(size, _SHOWN_INPUTS // 4)
        if left < 0:
            break
        shown[name] = kept
    return shown
