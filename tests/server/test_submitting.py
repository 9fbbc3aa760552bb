from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from nodeflow.server.submitting import SubmitBody, SubmitText, naming_fault, source_of, unknown_key


@pytest.mark.parametrize(
    "body",
    [
        {"priority": 1001},
        {"priority": True},
        {"priority": "1"},
        {"priority": 1.5},
        {"batch": 0},
        {"batch": 1001},
        {"seeds": []},
        {"seeds": [-1]},
        {"seeds": [2**53]},
        {"seeds": [1.0]},
        {"seeds": [1, 2], "batch": 3},
        {"only": ["a", 1]},
        {"only": "a"},
        {"inputs": []},
        {"inputs": None},
        {"path": ""},
        {"job": "x" * 65},
        {"origin": ""},
        {"origin": "../cats"},
        {"origin": "cats", "path": "cats"},
        {"webhook": "example.org"},
        {"webhook": "ftp://example.org"},
        {"webhook": "http://"},
        {"webhook": "http://[::1"},
        {"webhook": "http://a b"},
        {"webhook": "http://a\n"},
        {"webhook": "javascript:alert(1)"},
        {"webhook": "http://example.org:99999"},
    ],
    ids=str,
)
def test_what_means_nothing_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SubmitBody.model_validate(body)


@pytest.mark.parametrize(
    "body",
    [
        {"priority": -1000, "batch": 1000},
        {"seeds": [0, 2**53 - 1], "batch": 2},
        {"seeds": [3, 4]},
        {"webhook": "https://example.org:8443/done?job=1"},
        {"webhook": "http://[::1]:80/"},
        {"workflow": {}, "origin": "cats/one"},
        {"only": ["outer/inner"], "inputs": {"a": None, "b.c": [1, {"x": "y"}]}},
    ],
    ids=str,
)
def test_what_means_something_is_kept(body: dict[str, Any]) -> None:
    made = SubmitBody.model_validate(body)
    assert made.model_dump(include=set(body)) == body


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (["workflow", "inputs"], ""),
        (["workflow", "input"], "'input', which means nothing; did you mean 'inputs'?"),
        (["prioriy"], "did you mean 'priority'?"),
        (["zzz"], "there is: workflow, path, job"),
        (["nodeflow", "nodes"], 'hand it in as {"workflow": {...}}'),
    ],
)
def test_unknown_keys_are_named_with_what_may_be_meant(keys: list[str], sentence: str) -> None:
    found = unknown_key(dict.fromkeys(keys))
    assert sentence in found
    assert bool(found) == bool(sentence)


@pytest.mark.parametrize(
    ("body", "named", "sentence"),
    [
        ({"workflow": {}}, "", ""),
        ({"path": "cats"}, "", ""),
        ({}, "", "the body has none of them."),
        ({"workflow": None}, "", "the body has none of them."),
        ({"workflow": {}, "path": "cats"}, "", "the body has 'workflow' and 'path'."),
        ({}, "cats", ""),
        ({"path": "cats"}, "cats", ""),
        ({"job": "5f"}, "job 5f", ""),
        ({"path": "dogs"}, "cats", "The body has 'path', but 'cats' is meant."),
        ({"workflow": {}}, "cats", "The body has 'workflow', but 'cats' is meant."),
    ],
)
def test_a_body_says_in_one_way_what_is_meant(
    body: dict[str, Any], named: str, sentence: str
) -> None:
    assert naming_fault(body, named).endswith(sentence)
    assert bool(naming_fault(body, named)) == bool(sentence)


def test_workflows_are_called_by_what_names_them() -> None:
    assert source_of({"path": "cats"}) == "cats"
    assert source_of({"job": "5f"}) == "job 5f"
    assert source_of({"workflow": {}}) == ""


def test_a_fingerprint_stands_for_everything_that_was_asked_for() -> None:
    asked = [
        SubmitText(b"{}"),
        SubmitText(b"{ }"),
        SubmitText(b"{}", workflow="{}"),
        SubmitText(b"{}", workflow="{ }"),
        SubmitText(b"{}", workflow="{}", source="cats"),
        SubmitText(digest="of a file"),
    ]
    assert len({item.fingerprint for item in asked}) == len(asked)
    assert SubmitText(b"{}", workflow=b"{}").fingerprint == asked[2].fingerprint
