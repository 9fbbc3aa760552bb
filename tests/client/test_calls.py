import json

import pytest

from nodeflow.client.calls import Reply, dumps, problem_of
from nodeflow.client.errors import ServerError
from nodeflow.errors import InputError, Problem, WorkflowError

PROBLEM = Problem("wrong_value", "'7' is no text.", "n", "text", "/nodes/n", "Write text.")


def refusal(status: int, **body: object) -> Reply:
    return Reply(status, {}, json.dumps(body).encode())


def test_a_workflow_that_does_not_check_is_the_same_error_as_without_a_server() -> None:
    warning = Problem("old", "It is old.", severity="warning")
    problems = [PROBLEM.as_json(), warning.as_json()]

    with pytest.raises(WorkflowError) as caught:
        refusal(422, detail="...", problems=problems, source="cat").checked()

    assert caught.value.problems == (PROBLEM, warning)
    assert caught.value.source == "cat"


def test_other_refusals_are_the_servers_sentence() -> None:
    with pytest.raises(ServerError, match=r"^There is no job 'x'\.$") as caught:
        refusal(404, detail="There is no job 'x'.").checked()

    assert caught.value.status == 404


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"[]", b'{"detail": 7}', b""])
def test_an_answer_of_somebody_else_is_named(body: bytes) -> None:
    with pytest.raises(ServerError, match=r"502 Bad Gateway.*proxy"):
        Reply(502, {}, body).checked()


def test_a_body_that_should_be_json_and_is_not_is_no_crash() -> None:
    with pytest.raises(ServerError, match="not one that a server of nodeflow gives"):
        Reply(200, {}, b"hello").json()


def test_what_a_newer_server_says_of_a_problem_is_left_out() -> None:
    assert problem_of(PROBLEM.as_json() | {"fix": "?", "severity": "grave"}) == PROBLEM


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_what_is_no_json_is_not_sent(value: object) -> None:
    with pytest.raises(InputError, match="no JSON"):
        dumps({"value": value})
