from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.errors import Problem, WorkflowError
from nodeflow.server.document_files import Writer
from nodeflow.server.preparing import (
    MOST_PROBLEMS,
    Prepared,
    Surroundings,
    TooHeavyError,
    prepare,
    problems_of,
    read_request,
    shown_inputs,
    told,
)
from nodeflow.server.problems import HttpError
from nodeflow.workflow import Workflow
from tests.server.desk_tools import catalog_of, chain, document, settings_in, text_of


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Surroundings:
    catalog = catalog_of(settings_in(tmp_path_factory.mktemp("preparing")))
    return Surroundings(catalog.registry, catalog.roots, 50_000)


def made(around: Surroundings, folder: Path, workflow: dict[str, Any], **body: Any) -> Prepared:
    request = read_request(text_of({"workflow": workflow, **body}))
    return prepare(request, None, around, Writer(folder))


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        (b"", 400, "The body is no JSON: "),
        (b"{", 400, "The body is no JSON: "),
        (b"hello", 400, "The body is no JSON: "),
        (b"\xff\xfe\x00", 400, "The body is no JSON: "),
        (b'{"workflow": NaN}', 400, "The body is no JSON: "),
        (b'{"a": 1, "a": 2}', 400, "'a' stands twice"),
        (b'{"name": "\\ud800"}', 400, "half a character"),
        (b"[" * 100_000, 400, "The body is nested deeper than 100 levels."),
        (b"[" * 101 + b"]" * 101, 400, "The body is nested deeper than 100 levels."),
        (b"9" * 5000, 400, "The body is no JSON: "),
        (b"[]", 422, "The body is a list; it has to be a JSON object."),
        (b'"text"', 422, "The body is a text"),
        (b"null", 422, "The body is null"),
        (b"true", 422, "The body is a truth value"),
        (b"1.5", 422, "The body is a number"),
        (b"{}", 422, "the body has none of them"),
        (b'{"workflow": []}', 422, "'workflow' in the body is a list, not a JSON object."),
        (b'{"workflow": {}, "priority": "high"}', 422, "'priority' in the body cannot be 'high'"),
        (b'{"workflow": {}, "batsh": 2}', 422, "did you mean 'batch'?"),
        (b'{"nodeflow": 1, "nodes": {}}', 422, 'hand it in as {"workflow": {...}}'),
    ],
)
def test_bodies_that_cannot_be_used_are_refused_with_a_sentence(
    text: bytes, status: int, sentence: str
) -> None:
    with pytest.raises(HttpError) as refused:
        read_request(text)
    assert refused.value.status == status
    assert sentence in refused.value.detail


def test_a_check_takes_a_workflow_as_it_is_saved() -> None:
    assert read_request(text_of(document()), bare=True).data == document()
    assert read_request(text_of({"workflow": document()}), bare=True).data == document()


def test_the_workflow_is_taken_as_it_is(around: Surroundings, tmp_path: Path) -> None:
    workflow = document(layout={"sum": [1, 2]}, editor={"zoom": 1.5, "of": [None, True]})
    workflow["nodes"]["sum"]["colour"] = "red"
    (item,) = made(around, tmp_path, workflow).documents
    assert item.text == Workflow.from_data(workflow).dumps()
    kept = json.loads(item.text)
    assert kept["editor"] == workflow["editor"]
    assert kept["nodes"] == workflow["nodes"]


def test_inputs_are_put_in_and_told(around: Surroundings, tmp_path: Path) -> None:
    prepared = made(around, tmp_path, document(), inputs={"first": 5, "sum.b": 6})
    kept = Workflow.parse(prepared.documents[0].text)
    assert kept.nodes["sum"].inputs == {"a": 5, "b": 6}
    assert prepared.body.inputs == {"first": 5, "sum.b": 6}
    assert prepared.body.workflow is None


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        ({"inputs": {"furst": 1}}, "unknown_exposed", "Did you mean 'first'?"),
        ({"inputs": {"first": "x"}}, "wrong_value", "cannot be 'x'"),
        ({"inputs": {"sum.c": 1}}, "unknown_input", "has no input 'c'"),
        ({"only": ["sun"]}, "unknown_node", "Did you mean 'sum'?"),
        ({"seeds": [1]}, "no_seed", "has no seed"),
    ],
)
def test_what_does_not_fit_the_workflow_is_a_problem_of_it(
    body: dict[str, Any], code: str, sentence: str, around: Surroundings, tmp_path: Path
) -> None:
    with pytest.raises(WorkflowError) as refused:
        made(around, tmp_path, document(), **body)
    assert refused.value.source == "adding"
    (problem,) = [item for item in refused.value.problems if item.severity == "error"]
    assert problem.code == code
    assert sentence in problem.sentence + problem.way_out


def test_only_may_name_a_call_of_a_group_and_nothing_that_is_muted(
    around: Surroundings, tmp_path: Path
) -> None:
    group = {"nodes": {"n": {"type": "tools.number"}}, "outputs": {"o": {"node": "n"}}}
    nodes = {"call": {"type": "group:g"}, "off": {"type": "tools.number", "mode": "mute"}}
    workflow = document(nodes, groups={"g": group})
    assert made(around, tmp_path, workflow, only=["call"]).body.only == ["call"]
    made(around, tmp_path, workflow, only=["call/n"])
    with pytest.raises(WorkflowError, match="'off', which was asked for, does not exist or is"):
        made(around, tmp_path, workflow, only=["off"])


def test_a_batch_counts_its_seeds(around: Surroundings, tmp_path: Path) -> None:
    workflow = document({"noise": {"type": "dice.roll", "inputs": {"seed": 5}}})

    def seeds(**body: Any) -> list[Any]:
        documents = made(around, tmp_path, workflow, **body).documents
        return [Workflow.parse(item.text).nodes["noise"].inputs["seed"] for item in documents]

    assert seeds(batch=3) == [5, 6, 7]
    assert seeds(batch=3, inputs={"noise.seed": 40}) == [40, 41, 42]
    assert seeds(seeds=[9, 1]) == [9, 1]
    assert seeds(seeds=[9]) == [9]
    assert seeds() == [5]


def test_a_seed_that_is_too_large_for_its_node_is_a_problem(
    around: Surroundings, tmp_path: Path
) -> None:
    workflow = document({"small": {"type": "dice.flip"}})
    with pytest.raises(WorkflowError, match=r"'seed' of 'small' cannot be 10. Give at most 9."):
        made(around, tmp_path, workflow, seeds=[3, 10])


def test_a_batch_without_seeds_is_warned_of(around: Surroundings, tmp_path: Path) -> None:
    prepared = made(around, tmp_path, document(), batch=2)
    assert [problem.code for problem in prepared.warnings] == ["no_seed"]
    one, two = prepared.documents
    assert one == two


def test_too_many_nodes_are_refused_before_they_are_laid_out(
    around: Surroundings, tmp_path: Path
) -> None:
    group = {"nodes": {"n": {"type": "tools.number"}}}
    call = {"type": "group:g", "repeat": {"times": 9_000}}
    many = document({f"c{number}": call for number in range(6)}, groups={"g": group})
    with pytest.raises(WorkflowError, match="more than 50000 nodes"):
        made(around, tmp_path, many)
    with pytest.raises(TooHeavyError):
        made(replace(around, heaviest=5), tmp_path, chain(6))
    workflow = document({"noise": {"type": "dice.roll"}})
    with pytest.raises(TooHeavyError):
        made(replace(around, heaviest=5), tmp_path, workflow, batch=6)


def test_files_stay_inside_of_their_folders(around: Surroundings, tmp_path: Path) -> None:
    for name in ("/etc/passwd", "../../secret", "a\0b", "x" * 300):
        node = {"type": "tools.length", "inputs": {"file": name}}
        with pytest.raises(WorkflowError) as refused:
            made(around, tmp_path, document({"file": node}))
        assert refused.value.problems[0].code == "missing_file"


def test_problems_of_a_workflow_are_a_list(around: Surroundings) -> None:
    bad = document({"a": {"type": "tools.ad"}, "b": {"type": 5}})
    problems = problems_of(read_request(text_of(bad), bare=True), None, around)
    assert [item.pointer for item in problems] == ["/nodes/b/type"]
    assert problems_of(read_request(text_of(document()), bare=True), None, around) == []


def test_very_many_problems_and_very_long_ones_are_cut() -> None:
    many = [Problem("x", f"{number}.") for number in range(MOST_PROBLEMS + 7)]
    found = told(many)
    assert found[:-1] == many[:MOST_PROBLEMS]
    assert found[-1].sentence == "There are 7 more."
    (long,) = told([Problem("x", "s" * 9000, node="n" * 9000)])
    assert len(long.sentence) == len(long.node or "") == 2000


@given(st.dictionaries(st.text(max_size=50), st.text(max_size=9000), max_size=60))
def test_what_a_job_tells_of_its_inputs_is_never_long(inputs: dict[str, Any]) -> None:
    shown = shown_inputs(inputs)
    assert len(json.dumps(shown)) < 70_000
    for name, value in shown.items():
        assert value == inputs[name] or value == {"bytes": len(json.dumps(inputs[name]))}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["workflow", "path", "job", "inputs", "priority", "batch", "seeds", "only", "webhook", "nodes"]
)


@given(st.dictionaries(KEYS | st.text(max_size=9), JSON, max_size=5) | JSON)
def test_no_json_is_a_fault_of_the_server(around: Surroundings, body: object) -> None:
    text = json.dumps(body).encode()
    try:
        request = read_request(text, bare=True)
    except HttpError as error:
        assert error.status in (400, 422)  # noqa: PT017  # other outcomes are good too
        return
    if request.data is not None:
        problems_of(request, None, around)
